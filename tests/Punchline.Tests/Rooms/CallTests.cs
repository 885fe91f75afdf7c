using Punchline.Tests.Harness;

namespace Punchline.Tests.Rooms;

/// <summary>Calls as the library's users have them: real sockets, a real server, on loopback.</summary>
public sealed class CallTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_that_is_taken_is_a_room_of_two_and_goes_on_without_the_server()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        await using var inbox = await bob.OpenInboxAsync(new InboxOptions { Server = server.Address, DisplayName = "bob" }, _cancellation);
        await using var alice = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);

        var calling = alice.CallAsync(new CallOptions { Peer = bob.Id, Server = server.Address, DisplayName = "alice" }, _cancellation).AsTask();
        var call = await NextAsync(inbox);
        Assert.Equal((alice.Id, "alice"), (call.Peer, call.Name));
        Assert.False(calling.IsCompleted);
        await using var atBob = await call.AcceptAsync(_cancellation);
        await using var atAlice = await calling.WaitAsync(Patience, _cancellation);

        Assert.Equal("bob", (await NextAsync<RoomEvent.Connected>(atAlice)).Name);
        Assert.Equal(alice.Id, (await NextAsync<RoomEvent.Connected>(atBob)).Peer);
        Assert.Equal((bob.Id.ToString(), alice.Id.ToString()), (atAlice.Name, atBob.Name));
        await server.DisposeAsync();
        await atAlice.SendAsync("hello", _cancellation);
        Assert.Equal("hello", (await NextAsync<RoomEvent.Message>(atBob)).Text);
        await atBob.LeaveAsync(_cancellation);
        Assert.Equal(LeaveReason.Left, (await NextAsync<RoomEvent.Left>(atAlice)).Reason);
        Assert.Equal(PunchlineError.CallWithdrawn, (await Assert.ThrowsAsync<PunchlineException>(async () => await call.AcceptAsync(_cancellation))).Error);
    }

    [Theory]
    [InlineData(CallRefusal.Busy, PunchlineError.PeerBusy)]
    [InlineData(CallRefusal.Refused, PunchlineError.PeerRefused)]
    public async Task A_refusal_is_an_error_of_the_caller(CallRefusal refusal, PunchlineError error)
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        await using var inbox = await bob.OpenInboxAsync(new InboxOptions { Server = server.Address }, _cancellation);
        await using var alice = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);

        var calling = alice.CallAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, _cancellation).AsTask();
        await (await NextAsync(inbox)).RefuseAsync(refusal, _cancellation);
        Assert.Equal(error, (await Assert.ThrowsAsync<PunchlineException>(() => calling.WaitAsync(Patience, _cancellation))).Error);
    }

    [Fact]
    public async Task Who_is_not_allowed_is_refused_and_never_seen()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        await using var alice = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        await using var carol = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        await using var inbox = await bob.OpenInboxAsync(
            new InboxOptions { Server = server.Address, AllowedCallers = new HashSet<PeerId> { carol.Id } }, _cancellation);

        var refused = await Assert.ThrowsAsync<PunchlineException>(
            async () => await alice.CallAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, _cancellation));
        Assert.Equal(PunchlineError.PeerRefused, refused.Error);
        var calling = carol.CallAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, _cancellation).AsTask();
        var call = await NextAsync(inbox);
        Assert.Equal(carol.Id, call.Peer);
        await using var atBob = await call.AcceptAsync(_cancellation);
        await using var atCarol = await calling.WaitAsync(Patience, _cancellation);
        await NextAsync<RoomEvent.Connected>(atCarol);
    }

    [Fact]
    public async Task Nobody_there_is_offline_and_ones_own_id_is_no_number()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var alice = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        using var nobody = PeerIdentity.Create();
        var offline = await Assert.ThrowsAsync<PunchlineException>(
            async () => await alice.CallAsync(new CallOptions { Peer = nobody.Id, Server = server.Address }, _cancellation));
        Assert.Equal(PunchlineError.PeerOffline, offline.Error);
        Assert.Contains(nobody.Id.ToString(), offline.Message, StringComparison.Ordinal);
        var own = await Assert.ThrowsAsync<PunchlineException>(
            async () => await alice.CallAsync(new CallOptions { Peer = alice.Id, Server = server.Address }, _cancellation));
        Assert.Equal(PunchlineError.InvalidInput, own.Error);
    }

    [Fact]
    public async Task A_caller_who_cancels_withdraws_its_call()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        await using var inbox = await bob.OpenInboxAsync(new InboxOptions { Server = server.Address }, _cancellation);
        await using var alice = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(_cancellation);

        var calling = alice.CallAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, giveUp.Token).AsTask();
        var call = await NextAsync(inbox);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => calling);
        await call.Withdrawn.WaitAsync(Patience, _cancellation);
        // An answer that comes too late is none, and the next caller is the first to be read.
        await call.RefuseAsync(cancellationToken: _cancellation);
        Assert.Equal(PunchlineError.CallWithdrawn, (await Assert.ThrowsAsync<PunchlineException>(async () => await call.AcceptAsync(_cancellation))).Error);
        await using var carol = await PeerNode.StartAsync(new PeerNodeOptions(), _cancellation);
        var second = carol.CallAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, _cancellation).AsTask();
        await (await NextAsync(inbox)).RefuseAsync(CallRefusal.Busy, _cancellation);
        Assert.Equal(PunchlineError.PeerBusy, (await Assert.ThrowsAsync<PunchlineException>(() => second.WaitAsync(Patience, _cancellation))).Error);
    }

    [Fact]
    public async Task The_same_peer_in_another_process_takes_the_inbox_over()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        using var identity = PeerIdentity.Create();
        await using var older = await PeerNode.StartAsync(new PeerNodeOptions { Identity = identity }, _cancellation);
        await using var olderInbox = await older.OpenInboxAsync(new InboxOptions { Server = server.Address }, _cancellation);
        await using var newer = await PeerNode.StartAsync(new PeerNodeOptions { Identity = identity }, _cancellation);
        await using var newerInbox = await newer.OpenInboxAsync(new InboxOptions { Server = server.Address }, _cancellation);

        Assert.Equal(PunchlineError.Closed, (await Assert.ThrowsAsync<PunchlineException>(() => NextAsync(olderInbox))).Error);
        var states = new List<ServerState>();
        await olderInbox.DisposeAsync();
        await foreach (var state in olderInbox.ReadServerStatesAsync(_cancellation)) states.Add(state);
        Assert.Equal([ServerState.Connected, ServerState.Replaced], states);
    }

    private async Task<IncomingCall> NextAsync(PeerInbox inbox)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_cancellation);
        patience.CancelAfter(Patience);
        await foreach (var call in inbox.ReadCallsAsync(patience.Token)) return call;
        throw new InvalidOperationException("The inbox was closed.");
    }

    private async Task<T> NextAsync<T>(Room room)
        where T : RoomEvent
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_cancellation);
        patience.CancelAfter(Patience);
        await foreach (var roomEvent in room.ReadEventsAsync(patience.Token))
        {
            if (roomEvent is T wanted) return wanted;
        }
        throw new InvalidOperationException($"The room ended before a {typeof(T).Name} came.");
    }
}
