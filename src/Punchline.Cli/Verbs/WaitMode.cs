using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Verbs;

/// <summary><c>punchline join --wait</c>: no room, but calls.</summary>
internal static class WaitMode
{
    public static async Task<int> RunAsync(WaitSettings settings)
    {
        var meeting = settings.Meeting;
        ICallOutput output = meeting.IsJson ? new JsonCallOutput(Terminal.Output, Terminal.Error) : new PlainCallOutput(Terminal.Error);
        using var interruption = new Interruption();
        // Before anything is opened that could take its place.
        var stays = meeting.Stays || StandardInput.IsAbsent;
        using var identity = meeting.StateDirectory is { } directory ? PeerIdentity.Open(directory) : PeerIdentity.Create();
        if (identity.IsTemporary)
            output.Notice($"Another process uses the identity in {meeting.StateDirectory}, so this one is a new peer until it ends: who calls the other reaches that one.");

        await using var node = await PeerNode.StartAsync(CallVerb.OptionsFor(identity, meeting), interruption.Token);
        var calls = CallVerb.CreateSession(meeting.StateDirectory);
        calls.Barrier = node.SetBlocked;
        if (meeting.UsesDht)
            output.Notice("For as long as this runs, whoever knows this peer's id finds its public address in the DHT, and may ring. The addresses of this machine's own interfaces go to those alone whose call you take.");
        await using var inbox = await node.OpenInboxAsync(
            new InboxOptions { DisplayName = meeting.Name, Server = meeting.Server, UseDht = meeting.UsesDht, TrustFirst = meeting.TrustsFirst }, interruption.Token);
        output.ShowWaiting(identity.Id, meeting.Name, settings.CallLine(identity.Id));

        var session = new WaitSession(
            ReadCallsAsync(inbox, calls, identity, meeting), StandardInput.ReadLines(), output, settings, stays, (peer, name) => Acquaintance.Describe(calls.Known, peer, name), TimeProvider.System);
        var showing = ShowServerAsync(inbox, output);
        var exitCode = await session.RunAsync(interruption.Token);
        await inbox.DisposeAsync();
        await showing;
        return exitCode;
    }

    private static async IAsyncEnumerable<IWaitingCall> ReadCallsAsync(PeerInbox inbox, SessionModel session, PeerIdentity self, MeetingSettings settings)
    {
        await foreach (var call in inbox.ReadCallsAsync(CancellationToken.None)) yield return new InboxCall(call, room => CallVerb.OutputFor(session, self, room, settings));
    }

    private static async Task ShowServerAsync(PeerInbox inbox, ICallOutput output)
    {
        await foreach (var state in inbox.ReadServerStatesAsync(CancellationToken.None)) output.ShowServer(state);
    }
}
