using Punchline.Engine;
using Punchline.Protocols.Rooms;
using Punchline.Tests.Harness;

namespace Punchline.Tests.Rooms;

/// <summary>The library as its users have it: real sockets, a real server, on loopback.</summary>
public sealed class RoomTests
{
    [Fact]
    public async Task Two_peers_meet_talk_and_go_on_without_the_server()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        await using var bob = await Guest.JoinAsync(server, "bob", cancellation);

        var connected = await alice.NextAsync<RoomEvent.Connected>();
        Assert.Equal(bob.Node.Id, connected.Peer);
        Assert.Equal("bob", connected.Name);
        Assert.Equal(PathKind.Lan, connected.Path.Kind);
        Assert.Equal(bob.Node.LocalEndPoint.Port, connected.Path.Remote.Port);
        await bob.NextAsync<RoomEvent.Connected>();

        var id = await alice.Room.SendAsync("hello bob", cancellation);
        Assert.Equal("hello bob", (await bob.NextAsync<RoomEvent.Message>()).Text);
        Assert.Equal(id, (await alice.NextAsync<RoomEvent.Delivered>()).Id);

        await server.DisposeAsync();
        Assert.Equal(ServerState.Lost, (await alice.NextAsync<RoomEvent.ServerChanged>()).State);
        await bob.Room.SendAsync("still here", cancellation);
        Assert.Equal("still here", (await alice.NextAsync<RoomEvent.Message>()).Text);
        await bob.Room.WaitForDeliveryAsync(cancellation);
    }

    [Fact]
    public async Task Who_is_not_on_the_list_is_told_of_and_not_connected_to()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var stranger = await Guest.JoinAsync(server, "stranger", cancellation);
        await using var friend = await Guest.JoinAsync(server, "friend", cancellation);
        await using var careful = await Guest.JoinAsync(server, "careful", cancellation, allowedPeers: [friend.Node.Id]);

        Assert.Equal(friend.Node.Id, (await careful.NextAsync<RoomEvent.Connected>()).Peer);
        await careful.Room.SendAsync("hello friend", cancellation);
        await careful.Room.WaitForDeliveryAsync(cancellation);
        await stranger.DisposeAsync();
        var events = await careful.ReadUntilAsync<RoomEvent.Left>();

        Assert.Equal(new RoomEvent.Left(stranger.Node.Id, LeaveReason.Left), events[^1]);
        Assert.DoesNotContain(events, roomEvent => roomEvent is RoomEvent.Connected connected && connected.Peer == stranger.Node.Id);
        Assert.Equal("hello friend", (await friend.NextAsync<RoomEvent.Message>()).Text);
    }

    [Fact]
    public async Task Who_is_blocked_is_cut_off_until_it_is_let_in_again()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        await using var eve = await Guest.JoinAsync(server, "eve", cancellation);
        var probing = await alice.NextAsync<RoomEvent.Probing>();
        Assert.Equal(eve.Node.Id, probing.Peer);
        Assert.NotEmpty(probing.Addresses);
        await alice.NextAsync<RoomEvent.Connected>();
        await eve.NextAsync<RoomEvent.Connected>();

        alice.Node.SetBlocked(eve.Node.Id, isBlocked: true);
        Assert.Equal("blocked", (await alice.NextAsync<RoomEvent.Failed>()).Cause);
        Assert.Equal(new RoomEvent.Left(alice.Node.Id, LeaveReason.Left), await eve.NextAsync<RoomEvent.Left>());
        Assert.Empty(alice.Room.GetConnections());

        alice.Node.SetBlocked(eve.Node.Id, isBlocked: false);
        await alice.NextAsync<RoomEvent.Connected>();
        await eve.NextAsync<RoomEvent.Connected>();
        await eve.Room.SendAsync("here again", cancellation);
        Assert.Equal("here again", (await alice.NextAsync<RoomEvent.Message>()).Text);
    }

    [Fact]
    public async Task A_message_of_a_mebibyte_arrives_whole_and_a_longer_one_is_refused()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        await using var bob = await Guest.JoinAsync(server, "bob", cancellation);
        await alice.NextAsync<RoomEvent.Connected>();

        var text = string.Concat(Enumerable.Range(0, Room.MaxMessageBytes / 8).Select(i => i.ToString("x7", null) + " "));
        await alice.Room.SendAsync(text, cancellation);
        Assert.Equal(text, (await bob.NextAsync<RoomEvent.Message>()).Text);

        var refused = await Assert.ThrowsAsync<PunchlineException>(async () => await alice.Room.SendAsync(text + "!", cancellation));
        Assert.Equal(PunchlineError.InvalidInput, refused.Error);
    }

    [Fact]
    public async Task Whoever_leaves_is_seen_leaving()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        var bob = await Guest.JoinAsync(server, "bob", cancellation);
        await alice.NextAsync<RoomEvent.Connected>();
        var id = bob.Node.Id;
        await bob.DisposeAsync();
        var left = await alice.NextAsync<RoomEvent.Left>();
        Assert.Equal((id, LeaveReason.Left), (left.Peer, left.Reason));
    }

    [Fact]
    public async Task Events_that_nobody_reads_stop_the_sender_and_lose_nothing()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        await using var bob = await Guest.JoinAsync(server, "bob", cancellation);
        await alice.NextAsync<RoomEvent.Connected>();

        const int Count = 10_000;
        var sending = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++) await alice.Room.SendAsync($"message {i}", cancellation);
        }, cancellation);
        var draining = Task.Run(async () =>
        {
            for (var i = 0; i < Count; i++) await alice.NextAsync<RoomEvent.Delivered>();
        }, cancellation);
        for (var i = 0; i < Count; i++) Assert.Equal($"message {i}", (await bob.NextAsync<RoomEvent.Message>()).Text);
        await sending;
        await draining;
    }

    [Fact]
    public async Task A_rooms_key_is_kept_for_the_next_process()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var directory = Directory.CreateTempSubdirectory("punchline-");
        try
        {
            await using var server = await LocalServer.StartAsync(cancellation);
            await using var node = await PeerNode.StartAsync(new PeerNodeOptions { StateDirectory = directory.FullName }, cancellation);
            await using var room = await node.JoinRoomAsync(new RoomOptions { Room = "room", Secret = "s", Server = server.Address, LocalDiscovery = false }, cancellation);
            Assert.Equal(RoomKeys.DeriveRoomKey("room", "s"), new KeptRoomKeys(directory.FullName).Find("room", "s"));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named()
    {
        await using var node = await PeerNode.StartAsync(new PeerNodeOptions(), TestContext.Current.CancellationToken);
        var exception = await Assert.ThrowsAsync<PunchlineException>(
            async () => await node.JoinRoomAsync(new RoomOptions { Room = "r", Server = "127.0.0.1:1" }, TestContext.Current.CancellationToken));
        Assert.Equal(PunchlineError.ServerUnreachable, exception.Error);
        Assert.Contains("127.0.0.1:1", exception.Message, StringComparison.Ordinal);
    }
}
