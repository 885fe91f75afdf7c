using Punchline.Cli.Calls;
using Punchline.Cli.Chat;
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
        await using var inbox = await node.OpenInboxAsync(
            new InboxOptions { DisplayName = meeting.Name, Server = meeting.KnownServer, TrustFirst = meeting.TrustsFirst }, interruption.Token);
        var known = meeting.StateDirectory is { } state ? new KnownPeers(state) : null;
        output.ShowWaiting(identity.Id, meeting.Name, settings.CallLine(identity.Id));

        var session = new WaitSession(
            ReadCallsAsync(inbox, identity, meeting), StandardInput.ReadLines(), output, settings, stays, (peer, name) => Acquaintance.Describe(known, peer, name), TimeProvider.System);
        var showing = ShowServerAsync(inbox, output);
        var exitCode = await session.RunAsync(interruption.Token);
        await inbox.DisposeAsync();
        await showing;
        return exitCode;
    }

    private static async IAsyncEnumerable<IWaitingCall> ReadCallsAsync(PeerInbox inbox, PeerIdentity self, MeetingSettings settings)
    {
        var calls = CallVerb.CreateSession(settings.StateDirectory);
        await foreach (var call in inbox.ReadCallsAsync(CancellationToken.None))
        {
            if (calls.IsBlocked(call.Peer)) await call.RefuseAsync(CallRefusal.Refused, CancellationToken.None);
            else yield return new InboxCall(call, room => CallVerb.OutputFor(calls, self, room, settings));
        }
    }

    private static async Task ShowServerAsync(PeerInbox inbox, ICallOutput output)
    {
        await foreach (var state in inbox.ReadServerStatesAsync(CancellationToken.None)) output.ShowServer(state);
    }
}
