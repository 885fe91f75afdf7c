using System.CommandLine;
using System.Globalization;
using Punchline.Cli.Session;
using Punchline.Cli.Settings;
using Punchline.Cli.Web;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline web</c>: rooms and calls in a browser on this machine.</summary>
internal static class WebVerb
{
    public static Command Create()
    {
        var options = new MeetingOptions();
        var port = SettingCatalogue.Port.ToOption();
        var noBrowser = SettingCatalogue.NoBrowser.ToFlag();
        var command = new Command("web", "Chats in a browser on this machine: rooms, calls, and how each member is reached.");
        Option[] all = [port, noBrowser, options.Server, options.Dht, options.Bootstrap, options.Name, options.State, options.NoHistory, options.TrustFirst, options.NoHostCandidates, options.NoPortMapping, options.NoMdns, options.UdpPort, options.TcpPort, options.Qlog, options.Config];
        foreach (var option in all) command.Options.Add(option);
        command.SetAction((parsed, _) =>
        {
            var environment = Configuration.Load(parsed, options.Config, options.State);
            return RunAsync(new WebSettings
            {
                Meeting = options.Read(parsed, environment.Find, "web", DhtUse.Rooms, mayDoWithout: true),
                Port = ReadPort(Setting.Read(parsed, port, environment.Find)),
                OpensNoBrowser = Setting.ReadFlag(parsed, noBrowser, environment.Find),
            });
        });
        return command;
    }

    private static int ReadPort(string? given)
    {
        if (given is null) return WebSettings.DefaultPort;
        return ushort.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port : throw new UsageException($"'{given}' is no port: --port wants a number from 0 to 65535.");
    }

    private static async Task<int> RunAsync(WebSettings settings)
    {
        var meeting = settings.Meeting;
        using var interruption = new Interruption();
        using var identity = meeting.StateDirectory is { } directory ? PeerIdentity.Open(directory) : PeerIdentity.Create();
        string[] notices = [.. Notices(meeting, identity)];
        var history = HistoryStore.Create(meeting.StateDirectory, identity, !meeting.HasNoHistory);
        await using var node = await PeerNode.StartAsync(CallVerb.OptionsFor(identity, meeting), interruption.Token);
        await using var desk = new WebDesk(node, new WebSelf(identity.Id.ToString(), meeting.Name, WebPlace.Propose(meeting), meeting.Server ?? "", notices), meeting, history, TimeProvider.System);
        await using var host = await WebHost.StartAsync(desk, settings.Port, next => Terminal.Error.WriteLine($"* The page is open in a browser. Another one opens it by {next}"));

        foreach (var notice in notices) await Terminal.Error.WriteLineAsync($"* {notice}");
        await Terminal.Error.WriteLineAsync("* This link opens the page, on this machine, once. Ctrl+C leaves all rooms.");
        await Terminal.Output.WriteLineAsync(host.Link);
        using var browser = settings.OpensNoBrowser ? null : BrowserOpener.TryOpen(host.Link);
        await Task.Delay(Timeout.InfiniteTimeSpan, interruption.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ExitCode.Done;
    }

    private static IEnumerable<string> Notices(MeetingSettings settings, PeerIdentity identity)
    {
        if (FirstUse.Notice(settings.StateDirectory, "Joining a room or calling shows this machine's addresses to the others there, for they connect to it directly.") is { } firstUse) yield return firstUse;
        if (identity.IsTemporary) yield return $"Another process uses the identity in {settings.StateDirectory}, so this one is a new peer until it ends.";
    }
}
