using System.CommandLine;
using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
using Punchline.Cli.Screen;
using Punchline.Cli.Session;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline call</c>: chat with one peer, which is called by its id.</summary>
internal static class CallVerb
{
    public static Command Create()
    {
        var peer = PeerArgument.Create();
        var options = new MeetingOptions();
        var command = new Command("call", "Calls a peer that waits for calls (join --wait), and chats with it.") { peer };
        foreach (var option in (Option[])[options.Server, options.Dht, options.Bootstrap, options.Name, options.State, options.NoHistory, options.TrustFirst, options.NoHostCandidates, options.NoPortMapping, options.UdpPort, options.TcpPort, options.Stay, options.Lines, options.Json, options.Qlog, options.Config]) command.Options.Add(option);
        command.SetAction((parsed, _) =>
        {
            var typed = parsed.GetRequiredValue(peer);
            if (typed is ['-', ..]) throw new UsageException($"There is no option {typed}.");
            var settings = options.Read(parsed, Configuration.Load(parsed, options.Config, options.State).Find, $"call {ShellWord.Quote(typed)}", DhtUse.Call);
            return RunAsync(PeerArgument.Resolve(typed, settings.StateDirectory), settings);
        });
        return command;
    }

    /// <summary>What tells of a call's room, which a session has from now on.</summary>
    public static IChatOutput OutputFor(SessionModel session, PeerIdentity self, Room room, MeetingSettings settings)
    {
        IChatOutput view = settings.IsJson ? new JsonOutput(Terminal.Output, Terminal.Error) : new PlainOutput(Terminal.Output, Terminal.Error);
        return Following(session, session.Open(room.Name, self.Id, settings.Name, view), self, room, settings.StateDirectory, settings.HasNoHistory);
    }

    /// <summary>Lets a screen's user call others; null: there is no screen.</summary>
    public static ScreenCalls? ScreenCallsFor(FullScreen? screen, PeerNode node, CallPlace place, string? stateDirectory, Func<Room, RoomModel, IChatOutput> tell)
    {
        if (screen is null) return null;
        var calls = new ScreenCalls(node, place, stateDirectory, screen, tell);
        screen.AllowCalls(calls.Dial);
        return calls;
    }

    /// <summary>A session of a peer that keeps what is said of others in a directory; null: nowhere.</summary>
    public static SessionModel CreateSession(string? stateDirectory) => new(TimeProvider.System) { Known = stateDirectory is { } directory ? new KnownPeers(directory) : null };

    public static PeerNodeOptions OptionsFor(PeerIdentity identity, MeetingSettings settings) =>
        new()
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
        };

    /// <summary>What tells of a call's room: it remembers who is there, and what is said.</summary>
    public static IChatOutput Following(SessionModel session, RoomModel inner, PeerIdentity self, Room room, string? stateDirectory, bool hasNoHistory)
    {
        inner.Keep(HistoryStore.Create(stateDirectory, self, !hasNoHistory)?.Open(room));
        if (session.Known is not { } known) return inner;
        return new AcquaintanceOutput(inner, (peer, name) => known.Meet(room, peer, name, TimeProvider.System.GetUtcNow()), safetyNumber: null);
    }

    private static async Task<int> RunAsync(PeerId peer, MeetingSettings settings)
    {
        ICallOutput output = settings.IsJson ? new JsonCallOutput(Terminal.Output, Terminal.Error) : new PlainCallOutput(Terminal.Error);
        using var interruption = new Interruption();
        // Before anything is opened that could take its place.
        var stays = settings.Stays || StandardInput.IsAbsent;
        using var identity = settings.StateDirectory is { } directory ? PeerIdentity.Open(directory) : PeerIdentity.Create();
        if (identity.IsTemporary) output.Notice($"Another process uses the identity in {settings.StateDirectory}, so the peer sees a new id.");
        if (identity.Id == peer) throw new UsageException("This is your own id: nobody calls itself.");

        var place = CallPlace.Of(settings);
        await using var node = await PeerNode.StartAsync(OptionsFor(identity, settings), interruption.Token);
        output.ShowCalling(peer);
        if (settings.UsesDht) output.Notice("Looking for it in the DHT, where whoever knows its id sees that somebody at this machine's public address calls, but not who…");
        try
        {
            await using var room = await node.CallAsync(place.To(peer), interruption.Token);
            var session = CreateSession(settings.StateDirectory);
            session.Barrier = node.SetBlocked;
            await using var screen = settings.IsJson || settings.HasLines ? null : FullScreen.TryStart(session, $"call with {PlainOutput.ShortId(peer)}…", identity.Id, settings.Name);
            await using var calls = ScreenCallsFor(screen, node, place, settings.StateDirectory, (other, model) => Following(session, model, identity, other, settings.StateDirectory, settings.HasNoHistory));
            var told = screen is null ? OutputFor(session, identity, room, settings) : Following(session, screen.Room, identity, room, settings.StateDirectory, settings.HasNoHistory);
            var chat = new ChatSession(new JoinedRoom(room), screen?.Lines ?? StandardInput.ReadLines(), told, stays && screen is null, TimeProvider.System) { IsCall = true };
            return await chat.RunAsync(interruption.Token);
        }
        catch (PunchlineException exception) when (place.ProblemOf(exception) is { } problem)
        {
            output.ShowFailed(peer, problem);
            return problem.ExitCode;
        }
    }
}
