using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text;
using Punchline.Engine;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Settings;

/// <summary>What every verb needs that meets a peer at a server.</summary>
internal sealed record MeetingSettings
{
    /// <summary><c>HOST[:PORT][#PIN]</c>, and valid; null: the DHT takes its place, or this network alone.</summary>
    public required string? Server { get; init; }

    /// <summary>The others are met in the DHT.</summary>
    public required bool UsesDht { get; init; }

    /// <summary>What to type for the same place.</summary>
    public string PlaceOption => PlaceOptionFor(Server, Bootstraps);

    /// <inheritdoc cref="PlaceOption"/>
    public static string PlaceOptionFor(string? server, IReadOnlyCollection<string>? bootstraps) => server is not null
        ? $"--server {ShellWord.Quote(server)}"
        : string.Concat(["--dht", .. (bootstraps ?? []).Select(host => $" --bootstrap {ShellWord.Quote(host)}")]);

    /// <summary>Nodes of the DHT to begin with; null: the usual ones.</summary>
    public required IReadOnlyCollection<string>? Bootstraps { get; init; }

    public required bool TrustsFirst { get; init; }

    public required string Name { get; init; }

    /// <summary>Null: nothing is kept.</summary>
    public required string? StateDirectory { get; init; }

    /// <summary>What is said is not kept.</summary>
    public required bool HasNoHistory { get; init; }

    public required bool HidesHostCandidates { get; init; }

    public required bool MapsNoPort { get; init; }

    /// <summary>Members are not looked for on this machine's networks.</summary>
    public required bool HasNoMdns { get; init; }

    /// <summary>Null: any.</summary>
    public required int? UdpPort { get; init; }

    /// <summary>Null: UDP's number, or any.</summary>
    public required int? TcpPort { get; init; }

    /// <summary>Null: no qlog files are written.</summary>
    public required string? QlogDirectory { get; init; }

    public required bool Stays { get; init; }

    /// <summary>No full screen.</summary>
    public required bool HasLines { get; init; }

    public required bool IsJson { get; init; }
}

/// <summary>What the others are met for, which decides what goes with the DHT.</summary>
internal enum DhtUse
{
    /// <summary>A room, with a secret.</summary>
    Rooms,

    /// <summary>To call a peer that waits there.</summary>
    Call,

    /// <summary>To wait for calls, for which <c>--reachable</c> is asked.</summary>
    Calls,
}

/// <summary>Their options.</summary>
internal sealed class MeetingOptions
{
    public Option<string?> Server { get; } = SettingCatalogue.Server.ToOption();

    public Option<bool> Dht { get; } = SettingCatalogue.Dht.ToFlag();

    public Option<string[]> Bootstrap { get; } = SettingCatalogue.Bootstrap.ToListOption();

    public Option<string?> Name { get; } = SettingCatalogue.Name.ToOption();

    public Option<string?> State { get; } = SettingCatalogue.State.ToOption();

    public Option<bool> NoHistory { get; } = SettingCatalogue.NoHistory.ToFlag();

    public Option<bool> TrustFirst { get; } = SettingCatalogue.TrustFirst.ToFlag();

    public Option<bool> NoHostCandidates { get; } = SettingCatalogue.NoHostCandidates.ToFlag();

    public Option<bool> NoPortMapping { get; } = SettingCatalogue.NoPortMapping.ToFlag();

    public Option<bool> NoMdns { get; } = SettingCatalogue.NoMdns.ToFlag();

    public Option<string?> UdpPort { get; } = SettingCatalogue.UdpPort.ToOption();

    public Option<string?> TcpPort { get; } = SettingCatalogue.TcpPort.ToOption();

    public Option<bool> Stay { get; } = SettingCatalogue.Stay.ToFlag();

    public Option<bool> Lines { get; } = SettingCatalogue.Lines.ToFlag();

    public Option<bool> Json { get; } = SettingCatalogue.Json.ToFlag();

    public Option<string?> Qlog { get; } = SettingCatalogue.Qlog.ToOption();

    public Option<string?> Config { get; } = SettingCatalogue.Config.ToOption();

    /// <param name="parsed">What was typed.</param>
    /// <param name="environment">Variables, and the file behind them.</param>
    /// <param name="verb">What stands before the server in a line to type.</param>
    /// <param name="use">What for, where the DHT does as well; null: it does not.</param>
    /// <param name="mayDoWithout">This network alone does, too.</param>
    /// <param name="ask">Asks for the server and the name where they are missing; null: neither is.</param>
    /// <exception cref="UsageException">Something is missing or not valid.</exception>
    /// <exception cref="OperationCanceledException">A question has no answer.</exception>
    public MeetingSettings Read(ParseResult parsed, Func<string, string?> environment, string verb, DhtUse? use = null, bool mayDoWithout = false, Questions? ask = null)
    {
        var usesDht = use is not null && UsesDht(parsed, environment);
        return new()
        {
            UsesDht = usesDht,
            Server = usesDht ? null : Setting.Read(parsed, Server, environment) is null && mayDoWithout ? null : ReadServer(Setting.Read(parsed, Server, environment), verb, use, ask),
            Bootstraps = use is not null ? ReadBootstraps(parsed, Bootstrap, environment) : null,
            Name = ReadName(Setting.Read(parsed, Name, environment), ask),
            StateDirectory = StateSetting.Read(parsed, State, environment),
            TrustsFirst = Setting.ReadFlag(parsed, TrustFirst, environment),
            HasNoHistory = Setting.ReadFlag(parsed, NoHistory, environment),
            HidesHostCandidates = Setting.ReadFlag(parsed, NoHostCandidates, environment),
            HasNoMdns = Setting.ReadFlag(parsed, NoMdns, environment),
            MapsNoPort = Setting.ReadFlag(parsed, NoPortMapping, environment),
            UdpPort = ReadPort(parsed, UdpPort, environment),
            TcpPort = ReadPort(parsed, TcpPort, environment),
            QlogDirectory = ReadQlog(Setting.Read(parsed, Qlog, environment)),
            Stays = Setting.ReadFlag(parsed, Stay, environment),
            HasLines = Setting.ReadFlag(parsed, Lines, environment),
            IsJson = Setting.ReadFlag(parsed, Json, environment),
        };
    }

    /// <exception cref="UsageException">It is not of the form <c>HOST[:PORT][#PIN]</c>.</exception>
    public static string CheckServer(string server) => ServerAddress.TryParse(server, out _, out var error) ? server : throw new UsageException(error);

    /// <summary>As it is told to others.</summary>
    /// <exception cref="UsageException">It is empty or too long.</exception>
    public static string CheckName(string name)
    {
        var cleaned = PeerText.Clean(name).Trim();
        var length = Encoding.UTF8.GetByteCount(cleaned);
        return length is > 0 and <= IntroductionBlob.MaxNameBytes
            ? cleaned
            : throw new UsageException($"A name has 1 to {IntroductionBlob.MaxNameBytes} bytes; this one has {length}. Choose another with --name.");
    }

    // What is typed outdoes what stands in the environment or the file.
    private bool UsesDht(ParseResult parsed, Func<string, string?> environment)
    {
        var isDhtTyped = parsed.GetResult(Dht) is { Implicit: false };
        var isServerTyped = parsed.GetResult(Server) is not null;
        if (!Setting.ReadFlag(parsed, Dht, environment) || (isServerTyped && !isDhtTyped)) return false;
        if (isDhtTyped == isServerTyped && Setting.Read(parsed, Server, environment) is not null)
            throw new UsageException("--server and --dht are two ways to the same others, who would not all meet: one of them has to go.");
        return true;
    }

    /// <summary>Null: the usual ones.</summary>
    /// <exception cref="UsageException">One names no node.</exception>
    public static IReadOnlyCollection<string>? ReadBootstraps(ParseResult parsed, Option<string[]> option, Func<string, string?> environment) =>
        Setting.ReadList(parsed, option, environment) is { Length: > 0 } hosts ? [.. hosts.Select(CheckBootstrap)] : null;

    private static string CheckBootstrap(string host) => DhtLinkOptions.IsHost(host)
        ? host
        : throw new UsageException($"'{host}' is no node of the DHT: --bootstrap wants HOST:PORT, such as {DhtLinkOptions.DefaultBootstrapHosts[0]}.");

    private static string ReadServer(string? server, string verb, DhtUse? use, Questions? ask)
    {
        if (server is null && ask is not null) return ask.Ask("Server (HOST[:PORT][#PIN]): ", answer => ReadServer(answer, verb, use, null));
        if (server is null)
        {
            throw new UsageException($"""
                There is no server to meet the others at. Where everybody can reach it, type
                    punchline serve
                and here, with the server that it prints, a line like
                    punchline {verb} --server HOST:{ServerAddress.DefaultPort}#PIN{(use is { } dht ? $"\nWithout any server, through the BitTorrent DHT:\n    punchline {verb} --dht{dht switch { DhtUse.Rooms => " --secret auto", DhtUse.Calls => " --reachable", _ => "" }}" : "")}
                """);
        }
        return CheckServer(server);
    }

    /// <summary>That port on all of this machine's addresses, of both families; null: any port.</summary>
    public static IPEndPoint? EndPointOf(int? port) => port is { } number ? new IPEndPoint(IPAddress.IPv6Any, number) : null;

    /// <summary>Null where nothing says anything.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    public static int? ReadPort(ParseResult parsed, Option<string?> option, Func<string, string?> environment)
    {
        if (Setting.Read(parsed, option, environment) is not { } given) return null;
        return ushort.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0
            ? port
            : throw new UsageException($"'{given}' is no port: {option.Name} wants a number from 1 to 65535.");
    }

    private static string? ReadQlog(string? given) => given switch
    {
        null => null,
        "" => throw new UsageException("--qlog wants a directory."),
        _ => Path.GetFullPath(given),
    };

    private static string ReadName(string? given, Questions? ask)
    {
        // A container's user may have no name.
        var usual = Environment.UserName is { Length: > 0 } user ? user : Environment.MachineName;
        if (given is null && ask is not null) return ask.Ask($"Name ({PeerText.Clean(usual)}): ", answer => CheckName(answer.Length == 0 ? usual : answer));
        return CheckName(given ?? usual);
    }
}
