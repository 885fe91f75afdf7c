using System.Runtime.CompilerServices;
using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
using Punchline.Cli.Screen;
using Punchline.Cli.Session;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline join --wait</c>: no room, but calls.</summary>
internal static class WaitMode
{
    public static async Task<int> RunAsync(WaitSettings settings)
    {
        var meeting = settings.Meeting;
        using var interruption = new Interruption();
        // Before anything is opened that could take its place.
        var stays = meeting.Stays || StandardInput.IsAbsent;
        using var identity = meeting.StateDirectory is { } directory ? PeerIdentity.Open(directory) : PeerIdentity.Create();
        var session = CallVerb.CreateSession(meeting.StateDirectory);
        await using var screen = meeting.IsJson || meeting.HasLines ? null : FullScreen.TryStart(session, "calls", identity.Id, meeting.Name);
        ICallOutput output = screen is not null ? new ScreenCallOutput(screen.Room)
            : meeting.IsJson ? new JsonCallOutput(Terminal.Output, Terminal.Error)
            : new PlainCallOutput(Terminal.Error);
        if (identity.IsTemporary)
            output.Notice($"Another process uses the identity in {meeting.StateDirectory}, so this one is a new peer until it ends: who calls the other reaches that one.");

        await using var node = await PeerNode.StartAsync(CallVerb.OptionsFor(identity, meeting), interruption.Token);
        session.Barrier = node.SetBlocked;
        if (meeting.UsesDht)
            output.Notice("For as long as this runs, whoever knows this peer's id finds its public address in the DHT, and may ring. The addresses of this machine's own interfaces go to those alone whose call you take.");
        await using var inbox = await node.OpenInboxAsync(
            new InboxOptions { DisplayName = meeting.Name, Server = meeting.Server, UseDht = meeting.UsesDht, TrustFirst = meeting.TrustsFirst }, interruption.Token);
        await using var calls = CallVerb.ScreenCallsFor(
            screen, node, CallPlace.Of(meeting), meeting.StateDirectory, (room, model) => CallVerb.Following(session, model, identity, room, meeting.StateDirectory, meeting.HasNoHistory));
        output.ShowWaiting(identity.Id, meeting.Name, settings.CallLine(identity.Id));

        // Whoever ends a screen's input means to leave.
        var waiting = new WaitSession(
            ReadCallsAsync(inbox, room => Enter(room, session, screen, identity, meeting)), screen?.Lines ?? StandardInput.ReadLines(), output, settings, stays && screen is null,
            (peer, name) => Acquaintance.Describe(session.Known, peer, name), TimeProvider.System);
        var showing = ShowServerAsync(inbox, output);
        var exitCode = await waiting.RunAsync(interruption.Token);
        await inbox.DisposeAsync();
        await showing;
        return exitCode;
    }

    private static async IAsyncEnumerable<IWaitingCall> ReadCallsAsync(
        PeerInbox inbox, Func<Room, CallRoom> enter, [EnumeratorCancellation] CancellationToken stop = default)
    {
        await foreach (var call in inbox.ReadCallsAsync(stop)) yield return new InboxCall(call, enter);
    }

    private static CallRoom Enter(Room room, SessionModel session, FullScreen? screen, PeerIdentity self, MeetingSettings settings)
    {
        if (screen is null) return new CallRoom(new JoinedRoom(room), CallVerb.OutputFor(session, self, room, settings));
        var (model, lines) = screen.OpenRoom($"call with {room.Name[..8]}…");
        return new CallRoom(new JoinedRoom(room), CallVerb.Following(session, model, self, room, settings.StateDirectory, settings.HasNoHistory), lines);
    }

    private static async Task ShowServerAsync(PeerInbox inbox, ICallOutput output)
    {
        await foreach (var state in inbox.ReadServerStatesAsync(CancellationToken.None)) output.ShowServer(state);
    }
}
