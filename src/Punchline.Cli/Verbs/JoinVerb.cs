using System.CommandLine;
using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
using Punchline.Cli.Screen;
using Punchline.Cli.Session;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline join</c>: chat in a room, on a full screen or lines in and lines out.</summary>
internal static class JoinVerb
{
    public static Command Create()
    {
        var arguments = new JoinArguments();
        var command = new Command("join", "Chats in a room: what you type goes to all in it.");
        arguments.AddTo(command);
        command.SetAction((parsed, _) =>
        {
            var environment = Configuration.Load(parsed, arguments.Config, arguments.State);
            if (arguments.ReadWaiting(parsed, environment.Find) is { } waiting) return WaitMode.RunAsync(waiting);
            // Before anything is opened that could take its place.
            var hasNoInput = StandardInput.IsAbsent;
            var input = new Lazy<LineReader>(StandardInput.Open);
            return RunAsync(arguments.Read(parsed, environment.Find, SecretPrompt.Ask, () => AskAt(input.Value)), input.Value, hasNoInput);
        });
        return command;
    }

    private static Questions AskAt(LineReader input)
    {
        InputLine? Read() => input.TryRead(out var line) ? line : null;
        return new Questions(Read, Console.IsInputRedirected ? Read : () => SecretPrompt.Read(input), Terminal.Error, showsEnter: !Console.IsInputRedirected);
    }

    private static async Task<int> RunAsync(JoinSettings settings, LineReader input, bool hasNoInput)
    {
        using var interruption = new Interruption();
        using var identity = settings.StateDirectory is { } directory ? PeerIdentity.Open(directory) : PeerIdentity.Create();
        var session = CallVerb.CreateSession(settings.StateDirectory);
        await using var screen = settings.IsJson || settings.HasLines ? null : FullScreen.TryStart(session, settings.Room, identity.Id, settings.Name);
        var prompt = settings.IsInteractive && screen is null
            ? new PromptLine(Terminal.Output, Terminal.Error, settings.Name, canErase: Terminal.HasEscapeSequences, inputEndsLine: !Console.IsInputRedirected)
            : null;
        var model = screen?.Room ?? session.Open(settings.Room, identity.Id, settings.Name, LinesFor(settings, prompt));
        IChatOutput output = model;
        foreach (var notice in Notices(settings, identity)) output.Notice(notice);

        await using var node = await PeerNode.StartAsync(
            new PeerNodeOptions
            {
                Identity = identity,
                StateDirectory = settings.StateDirectory,
                HideHostCandidates = settings.HidesHostCandidates,
                DisablePortMapping = settings.MapsNoPort,
                DisableMulticastDns = settings.HasNoMdns,
                LocalEndPoint = MeetingOptions.EndPointOf(settings.UdpPort),
                TcpEndPoint = MeetingOptions.EndPointOf(settings.TcpPort),
                DhtBootstrapHosts = settings.Bootstraps,
                QlogDirectory = settings.QlogDirectory,
            },
            interruption.Token);
        session.Barrier = node.SetBlocked;
        await using var calls = CallVerb.ScreenCallsFor(
            screen, node, CallPlace.Of(settings), settings.StateDirectory, (other, call) => CallVerb.Following(session, call, identity, other, settings.StateDirectory, settings.HasNoHistory));
        if (settings.UsesDht) output.Notice("Asking the DHT…");
        await using var room = await node.JoinRoomAsync(
            new RoomOptions
            {
                Room = settings.Room,
                Secret = settings.Secret.Text,
                DisplayName = settings.Name,
                Server = settings.Server,
                UseDht = settings.UsesDht,
                LocalDiscovery = settings.IsFoundLocally,
                TrustFirst = settings.TrustsFirst,
                AllowedPeers = settings.AllowedPeers,
            },
            interruption.Token);
        model.Keep(HistoryStore.Create(settings.StateDirectory, identity, !settings.HasNoHistory)?.Open(room));
        output = new AcquaintanceOutput(
            model,
            session.Known is { } known ? (peer, name) => known.Meet(room, peer, name, TimeProvider.System.GetUtcNow()) : null,
            // Programs have both ids, and no eyes.
            room.IsOpen && !settings.IsJson ? peer => SafetyNumber.Of(identity.Id, peer) : null);
        output.ShowReady(identity.Id, settings.Name, settings.Room);
        var lines = screen?.Lines ?? StandardInput.ReadLines(input, skipsEmpty: !Console.IsInputRedirected || settings.IsInteractive);
        // Whoever ends a screen's input means to leave.
        var stays = (settings.Stays || hasNoInput) && screen is null;
        var chat = new ChatSession(new JoinedRoom(room), lines, output, stays, TimeProvider.System)
        {
            MeetingPatience = Console.IsInputRedirected && !settings.IsInteractive && !settings.Stays && !hasNoInput ? PatienceOf(settings) : TimeSpan.Zero,
        };
        var exitCode = await chat.RunAsync(interruption.Token);
        prompt?.End();
        return exitCode;
    }

    private static IChatOutput LinesFor(JoinSettings settings, PromptLine? prompt) => settings.IsJson
        ? new JsonOutput(Terminal.Output, Terminal.Error)
        : new PlainOutput(prompt?.Output ?? Terminal.Output, prompt?.Error ?? Terminal.Error, prompt);

    // The DHT takes some seconds; a link, or a server that is there, far less.
    private static TimeSpan PatienceOf(JoinSettings settings) => TimeSpan.FromSeconds(settings.UsesDht ? 25 : 3);

    private static IEnumerable<string> Notices(JoinSettings settings, PeerIdentity identity)
    {
        if (FirstUse.Notice(settings.StateDirectory, settings.UsesDht
                ? "Joining a room shows this machine's addresses to its members, for they connect to it directly, and in the DHT also to whoever watches the room's topic."
                : "Joining a room shows this machine's addresses to its members, for they connect to it directly.") is { } firstUse)
            yield return firstUse;
        if (identity.IsTemporary)
            yield return $"Another process uses the identity in {settings.StateDirectory}, so this one is a new peer until it ends.";
        if (settings.Secret.Text.Length == 0 && settings.UsesDht)
            yield return $"The room {settings.Room} is open: whoever guesses its name is in it, and could pass for anybody until fingerprints are compared. With --secret auto, only those in the know are.";
        else if (settings.Secret.Text.Length == 0)
            yield return $"The room {settings.Room} is open: whoever guesses its name is in it, and its server could listen in. With --secret auto, only those in the know are.";
        else if (settings.Secret.IsWeak)
            yield return "This secret is easy to guess. A strong one: --secret auto.";
        if (settings.Server is null && !settings.UsesDht)
            yield return "Without --server or --dht, only members on this network are found.";
        if (settings.IsRoomInvented || settings.Secret.IsInvented)
            yield return $"Others join with this line:\n    {settings.InvitationLine}";
    }
}
