using System.CommandLine;
using System.Globalization;
using Punchline.Cli.Doctor;
using Punchline.Cli.Settings;
using Punchline.Engine;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline doctor</c>: what kind of network this is, what will work, what would help.</summary>
internal static class DoctorVerb
{
    // RFC 8489 §18.6.
    private const ushort StunPort = 3478;

    public static Command Create()
    {
        var server = SettingCatalogue.Server.ToOption();
        var stun = SettingCatalogue.Stun.ToListOption();
        var dht = new Option<bool>(SettingCatalogue.Dht.OptionName) { Description = "Looks at the BitTorrent DHT as well: its nodes, how they see this machine, how long lookups take, and who can see what." };
        var bootstrap = SettingCatalogue.Bootstrap.ToListOption();
        var udpPort = SettingCatalogue.UdpPort.ToOption();
        var noPortMapping = SettingCatalogue.NoPortMapping.ToFlag();
        var json = SettingCatalogue.Json.ToFlag();
        var state = SettingCatalogue.State.ToOption();
        var config = SettingCatalogue.Config.ToOption();
        var command = new Command("doctor", "Says what kind of network this is, which others it can meet, and what would help.") { server, stun, dht, bootstrap, udpPort, noPortMapping, json, state, config };
        command.SetAction((parsed, _) =>
        {
            Func<string, string?> environment = Configuration.Load(parsed, config, state).Find;
            List<StunServerName> servers = [.. Setting.ReadList(parsed, stun, environment).Select(ParseStun)];
            if (Setting.Read(parsed, server, environment) is { } named) servers.Insert(0, ParseServer(named));
            var usesDht = Setting.ReadFlag(parsed, dht, environment);
            var options = new PeerNodeOptions
            {
                LocalEndPoint = MeetingOptions.EndPointOf(MeetingOptions.ReadPort(parsed, udpPort, environment)),
                DisablePortMapping = Setting.ReadFlag(parsed, noPortMapping, environment),
                DhtBootstrapHosts = usesDht ? MeetingOptions.ReadBootstraps(parsed, bootstrap, environment) : null,
                // With the nodes that earlier runs knew, as those after this one begin.
                StateDirectory = usesDht ? StateSetting.Read(parsed, state, environment) : null,
            };
            return RunAsync(options, servers, usesDht, Setting.ReadFlag(parsed, json, environment));
        });
        return command;
    }

    private static async Task<int> RunAsync(PeerNodeOptions options, List<StunServerName> servers, bool usesDht, bool isJson)
    {
        using var interruption = new Interruption();
        IDoctorOutput output = isJson ? new JsonDoctorOutput(Terminal.Output) : new PlainDoctorOutput(Terminal.Output, Terminal.Error, Terminal.HasEscapeSequences);
        await using var node = await PeerNode.StartAsync(options, interruption.Token);
        NetworkReport? last = null;
        await foreach (var report in node.ExamineNetworkAsync(servers, interruption.Token))
        {
            if (!report.IsComplete) output.ShowProgress(report);
            last = report;
        }
        if (last is null) return ExitCode.Failed;
        output.Show(Diagnosis.Of(last));
        if (usesDht)
        {
            output.ShowDhtProgress();
            var report = await node.ExamineDhtAsync(interruption.Token);
            output.ShowDht(report);
            if (report.FirstAnswer is null) return ExitCode.Failed;
        }
        // Servers were named and none was there: whatever is said is about this side alone.
        return servers.Count > 0 && last.ServersAnswered == 0 && last.Tcp is not true ? ExitCode.Failed : ExitCode.Done;
    }

    /// <exception cref="UsageException">It is none.</exception>
    public static StunServerName ParseServer(string text) =>
        ServerAddress.TryParse(text, out var address, out var error) ? new StunServerName(address.Host, (ushort)address.Port, HasNextPort: true) : throw new UsageException(error);

    private static StunServerName ParseStun(string text)
    {
        // As servers are written, but that their port is another and nobody proves a key.
        if (!ServerAddress.TryParse(text, out var address, out var error)) throw new UsageException(error);
        if (address.Pin is not null) throw new UsageException($"'{text}': STUN knows no pin; --server is for a coordination server.");
        return new StunServerName(address.Host, HasPort(text) ? (ushort)address.Port : StunPort, HasNextPort: false);
    }

    // A bare IPv6 address has colons as well, and is no port's.
    private static bool HasPort(string text) =>
        text.LastIndexOf(':') is >= 0 and var colon && (text.IndexOf(':', StringComparison.Ordinal) == colon || text[..colon].EndsWith(']'))
        && ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _);
}
