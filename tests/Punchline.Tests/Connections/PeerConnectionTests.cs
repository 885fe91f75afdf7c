using Punchline.Tests.Harness;

namespace Punchline.Tests.Connections;

/// <summary>Connections as the library's users have them: by id, in a room, and to their end.</summary>
public sealed class PeerConnectionTests
{
    private const string Protocol = ConnectedPair.Protocol;

    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_peer_is_dialled_by_its_id_and_agrees_first()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await StartAsync();
        await using var alice = await StartAsync();
        var asked = new TaskCompletionSource<(PeerId, string)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = await bob.ListenAsync(
            new PeerListenerOptions
            {
                Server = server.Address,
                Protocols = [Protocol],
                Consent = async (peer, name, _) =>
                {
                    asked.SetResult((peer, name));
                    return await answer.Task;
                },
            },
            _cancellation);

        var connecting = alice.ConnectAsync(new CallOptions { Peer = bob.Id, Server = server.Address, DisplayName = "alice" }, _cancellation).AsTask();
        Assert.Equal((alice.Id, "alice"), await WithinAsync(asked.Task));
        Assert.False(connecting.IsCompleted);
        answer.SetResult(true);
        await using var atAlice = await WithinAsync(connecting);
        await using var atBob = await WithinAsync(listener.AcceptConnectionAsync(_cancellation));

        Assert.Equal((bob.Id, alice.Id), (atAlice.Peer, atBob.Peer));
        // The listener and the server may go.
        await listener.DisposeAsync();
        await server.DisposeAsync();
        await using var stream = await atAlice.OpenStreamAsync(Protocol, cancellationToken: _cancellation);
        await using var accepted = await WithinAsync(atBob.AcceptStreamAsync(_cancellation));
        await stream.WriteAsync("hello"u8.ToArray(), completeWrites: true, _cancellation);
        using var received = new MemoryStream();
        await WithinAsync(accepted.CopyToAsync(received, _cancellation));
        Assert.Equal("hello"u8.ToArray(), received.ToArray());
        // This side named no protocol, so that it takes none.
        await using var refused = await atBob.OpenStreamAsync(Protocol, cancellationToken: _cancellation);
        Assert.Equal(PunchlineError.ProtocolRefused, (await FailureAsync(refused.ReadAsync(new byte[1], _cancellation).AsTask())).Error);
    }

    [Fact]
    public async Task Who_is_not_agreed_to_is_refused_by_list_by_answer_and_by_exception()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await StartAsync();
        await using var alice = await StartAsync();
        await using var carol = await StartAsync();
        await using var dave = await StartAsync();
        await using var listener = await bob.ListenAsync(
            new PeerListenerOptions
            {
                Server = server.Address,
                Protocols = [],
                AllowedPeers = [carol.Id, dave.Id],
                Consent = (peer, _, _) => peer == carol.Id ? ValueTask.FromResult(false) : throw new InvalidOperationException("The program's own fault."),
            },
            _cancellation);

        foreach (var caller in (PeerNode[])[alice, carol, dave])
        {
            var refused = await FailureAsync(caller.ConnectAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, _cancellation).AsTask());
            Assert.Equal(PunchlineError.PeerRefused, refused.Error);
        }
        var nobody = await FailureAsync(bob.ListenAsync(new PeerListenerOptions { Server = server.Address, Protocols = [] }, _cancellation).AsTask());
        Assert.Equal(PunchlineError.InvalidInput, nobody.Error);
        var accepting = listener.AcceptConnectionAsync(_cancellation).AsTask();
        await listener.DisposeAsync();
        Assert.Equal(PunchlineError.Closed, (await FailureAsync(accepting)).Error);
    }

    [Fact]
    public async Task Who_gives_up_is_asked_about_no_more()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await StartAsync();
        await using var alice = await StartAsync();
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = await bob.ListenAsync(
            new PeerListenerOptions
            {
                Server = server.Address,
                Protocols = [],
                Consent = async (_, _, token) =>
                {
                    await using var registration = token.Register(ended.SetResult);
                    asked.SetResult();
                    await ended.Task;
                    return true;
                },
            },
            _cancellation);
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(_cancellation);

        var connecting = alice.ConnectAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, giveUp.Token).AsTask();
        await WithinAsync(asked.Task);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        await WithinAsync(ended.Task);
    }

    [Fact]
    public async Task Closing_tells_the_peer_the_code_and_the_reason_everywhere()
    {
        await using var pair = new ConnectedPair();
        await pair.InitializeAsync();
        var (_, bob) = await pair.OpenAsync(_cancellation);
        var (alice, _) = await pair.OpenAsync(_cancellation);
        Task[] atBob =
        [
            bob.ReadAsync(new byte[1], _cancellation).AsTask(),
            bob.WriteAsync(new byte[ConnectedPair.MoreThanFits], _cancellation).AsTask(),
            bob.ReadsClosed,
            bob.WritesClosed,
            pair.Bob.AcceptStreamAsync(_cancellation).AsTask(),
            pair.Bob.ReceiveDatagramAsync(new byte[1], _cancellation).AsTask(),
        ];
        var reading = alice.ReadAsync(new byte[1], _cancellation).AsTask();

        await pair.Alice.CloseAsync(42, "enough\u0007", _cancellation);

        foreach (var waiting in atBob)
        {
            var failure = await FailureAsync(waiting);
            Assert.Equal((PunchlineError.ConnectionAborted, 42L), (failure.Error, failure.ApplicationErrorCode));
            // The peer's words, without what a terminal would obey.
            Assert.Equal("The peer closed the connection with code 42: enough.", failure.Message);
        }
        Assert.Equal(PunchlineError.Closed, (await FailureAsync(reading)).Error);
        Assert.Equal(PunchlineError.Closed, (await FailureAsync(pair.Alice.OpenStreamAsync(Protocol, cancellationToken: _cancellation).AsTask())).Error);
        Assert.Equal(0, pair.Alice.MaxDatagramBytes);
        await pair.Alice.CloseAsync(43, cancellationToken: _cancellation);
    }

    [Fact]
    public async Task In_a_room_a_connection_that_was_closed_is_followed_by_another_and_no_message_is_lost()
    {
        await using var pair = new ConnectedPair();
        await pair.InitializeAsync();
        Assert.Same(pair.Bob, await pair.BobRoom.ConnectAsync(pair.Bob.Peer, _cancellation));
        Assert.Equal([pair.Bob], pair.BobRoom.GetConnections());
        await pair.Bob.DisposeAsync();
        Assert.Same(pair.Bob, await pair.BobRoom.ConnectAsync(pair.Bob.Peer, _cancellation));

        await pair.Alice.CloseAsync(1, cancellationToken: _cancellation);
        await pair.AliceRoom.SendAsync("after all", _cancellation);

        var alice = await WithinAsync(pair.AliceRoom.AcceptConnectionAsync(_cancellation));
        var bob = await WithinAsync(pair.BobRoom.AcceptConnectionAsync(_cancellation));
        if (bob == pair.Bob) bob = await WithinAsync(pair.BobRoom.AcceptConnectionAsync(_cancellation));
        Assert.NotSame(pair.Alice, alice);
        Assert.Same(bob, await pair.BobRoom.ConnectAsync(bob.Peer, _cancellation));
        Assert.Equal([bob], pair.BobRoom.GetConnections());
        await using var stream = await alice.OpenStreamAsync(Protocol, cancellationToken: _cancellation);
        await using var accepted = await WithinAsync(bob.AcceptStreamAsync(_cancellation));
        Assert.Equal(stream.Id, accepted.Id);
        await WithinAsync(pair.AliceRoom.WaitForDeliveryAsync(_cancellation).AsTask());
    }

    [Fact]
    public async Task A_peer_that_starts_anew_replaces_its_connection()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        using var identity = PeerIdentity.Create();
        await using var bob = await StartAsync();
        await using var bobRoom = await JoinAsync(bob, server);
        var older = await StartAsync(identity);
        await using var olderRoom = await JoinAsync(older, server);
        var atBob = await WithinAsync(bobRoom.AcceptConnectionAsync(_cancellation));
        var stream = await atBob.OpenStreamAsync(Protocol, cancellationToken: _cancellation);

        await using var newer = await StartAsync(identity);
        await using var newerRoom = await JoinAsync(newer, server);

        var replaced = await FailureAsync(stream.ReadAsync(new byte[1], _cancellation).AsTask());
        Assert.Equal(PunchlineError.ConnectionReplaced, replaced.Error);
        var next = await WithinAsync(bobRoom.AcceptConnectionAsync(_cancellation));
        Assert.NotSame(atBob, next);
        Assert.Equal(atBob.Peer, next.Peer);
        Assert.Same(next, await bobRoom.ConnectAsync(identity.Id, _cancellation));
        await older.DisposeAsync();
    }

    [Fact]
    public async Task Leaving_the_room_ends_its_connections_on_both_sides()
    {
        await using var pair = new ConnectedPair();
        await pair.InitializeAsync();
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var reading = bob.ReadAsync(new byte[1], _cancellation).AsTask();

        await pair.AliceRoom.LeaveAsync(_cancellation);

        var left = await FailureAsync(reading);
        Assert.Equal((PunchlineError.ConnectionAborted, (long?)null, "The peer has left."), (left.Error, left.ApplicationErrorCode, left.Message));
        Assert.Equal(PunchlineError.Closed, (await FailureAsync(alice.ReadAsync(new byte[1], _cancellation).AsTask())).Error);
        Assert.Equal(PunchlineError.Closed, (await FailureAsync(pair.AliceRoom.ConnectAsync(pair.Alice.Peer, _cancellation).AsTask())).Error);
        Assert.Equal(PunchlineError.Closed, (await FailureAsync(pair.AliceRoom.AcceptConnectionAsync(_cancellation).AsTask())).Error);
        Assert.Equal(PunchlineError.PeerOffline, (await FailureAsync(pair.BobRoom.ConnectAsync(pair.Bob.Peer, _cancellation).AsTask())).Error);
    }

    [Fact]
    public async Task There_is_no_connection_to_who_is_not_there_or_not_allowed()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var alice = await StartAsync();
        await using var bob = await StartAsync();
        await using var bobRoom = await JoinAsync(bob, server);
        await using var room = await JoinAsync(alice, server, allowed: []);
        using var nobody = PeerIdentity.Create();

        Assert.Equal(PunchlineError.PeerOffline, (await FailureAsync(room.ConnectAsync(nobody.Id, _cancellation).AsTask())).Error);
        var stranger = await FailureAsync(room.ConnectAsync(bob.Id, _cancellation).AsTask());
        Assert.Equal((PunchlineError.PeerUnreachable, "not-allowed"), (stranger.Error, stranger.FailureCause));
        using var giveUp = new CancellationTokenSource();
        var canceled = room.AcceptConnectionAsync(giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);
    }

    [Fact]
    public async Task Datagrams_arrive_whole_and_a_canceled_receive_takes_none()
    {
        await using var pair = new ConnectedPair();
        await pair.InitializeAsync();
        var buffer = new byte[PeerConnection.MaxReceivedDatagramBytes];
        using (var giveUp = new CancellationTokenSource())
        {
            var canceled = pair.Bob.ReceiveDatagramAsync(buffer, giveUp.Token).AsTask();
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await pair.Bob.ReceiveDatagramAsync(buffer, _cancellation));
            await giveUp.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => canceled);
        }

        var largest = new byte[pair.Alice.MaxDatagramBytes];
        Assert.InRange(largest.Length, 1_100, PeerConnection.MaxReceivedDatagramBytes);
        Random.Shared.NextBytes(largest);
        await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Alice.SendDatagramAsync(new byte[PeerConnection.MaxReceivedDatagramBytes + 1], _cancellation));
        var receiving = pair.Bob.ReceiveDatagramAsync(buffer, _cancellation).AsTask();
        await pair.Alice.SendDatagramAsync(largest, _cancellation);
        Assert.Equal(largest.Length, await WithinAsync(receiving));
        Assert.Equal(largest, buffer[..largest.Length]);

        await pair.Alice.SendDatagramAsync(ReadOnlyMemory<byte>.Empty, _cancellation);
        Assert.Equal(0, await WithinAsync(pair.Bob.ReceiveDatagramAsync(buffer, _cancellation)));
        await pair.Alice.SendDatagramAsync("too long"u8.ToArray(), _cancellation);
        await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Bob.ReceiveDatagramAsync(new byte[3], _cancellation).AsTask().WaitAsync(ConnectedPair.Patience, _cancellation));
        Assert.Equal(8, await WithinAsync(pair.Bob.ReceiveDatagramAsync(buffer, _cancellation)));
    }

    [Fact]
    public async Task The_path_is_told_at_once_and_until_the_end_and_what_was_counted_stays()
    {
        await using var pair = new ConnectedPair();
        await pair.InitializeAsync();
        var paths = pair.Alice.WatchPathAsync(_cancellation).GetAsyncEnumerator(_cancellation);
        Assert.True(await WithinAsync(paths.MoveNextAsync()));
        Assert.Equal(pair.Alice.Path, paths.Current);
        Assert.Equal((PathKind.Lan, PathTransport.Udp), (paths.Current.Kind, paths.Current.Transport));
        // This machine may have several addresses, of which either side takes a better one when it likes.
        Assert.Equal(pair.Bob.Path.Local.Port, paths.Current.Remote.Port);
        var next = paths.MoveNextAsync().AsTask();

        var (alice, bob) = await pair.OpenAsync(_cancellation);
        await alice.WriteAsync(new byte[100_000], completeWrites: true, _cancellation);
        await WithinAsync(bob.CopyToAsync(Stream.Null, _cancellation));
        await pair.Alice.CloseAsync(0, cancellationToken: _cancellation);

        while (await next.WaitAsync(ConnectedPair.Patience, _cancellation)) next = paths.MoveNextAsync().AsTask();
        await paths.DisposeAsync();
        var counted = pair.Alice.GetStatistics();
        Assert.InRange(counted.StreamBytesSent, 100_000UL, 101_000UL);
        Assert.True(counted.BytesSent > counted.StreamBytesSent && counted.PacketsSent > 10 && counted.PacketsReceived > 0 && counted.RoundTrip > TimeSpan.Zero);
        Assert.True(counted.RoundTripVariation > TimeSpan.Zero && counted.RoundTripVariation < TimeSpan.FromSeconds(1));
        Assert.True(pair.Bob.GetStatistics().StreamBytesReceived >= 100_000);
    }

    [Fact]
    public async Task Who_takes_no_messages_does_not_acknowledge_them()
    {
        await using var server = await LocalServer.StartAsync(_cancellation);
        await using var bob = await StartAsync();
        await using var alice = await StartAsync();
        await using var listener = await bob.ListenAsync(new PeerListenerOptions { Server = server.Address, Protocols = [Protocol], AllowedPeers = [alice.Id] }, _cancellation);
        // It calls for a chat.
        await using var room = await alice.CallAsync(new CallOptions { Peer = bob.Id, Server = server.Address }, _cancellation);
        var connection = await WithinAsync(room.ConnectAsync(bob.Id, _cancellation));
        var atBob = await WithinAsync(listener.AcceptConnectionAsync(_cancellation));

        await room.SendAsync("anybody?", _cancellation);
        await using var stream = await connection.OpenStreamAsync(Protocol, cancellationToken: _cancellation);
        await using var accepted = await WithinAsync(atBob.AcceptStreamAsync(_cancellation));
        await accepted.WriteAsync(new byte[1], completeWrites: true, _cancellation);
        Assert.Equal(1, await WithinAsync(stream.ReadAsync(new byte[2], _cancellation)));
        Assert.False(room.WaitForDeliveryAsync(_cancellation).AsTask().IsCompleted);
        await atBob.CloseAsync(9, "bye", _cancellation);
        Assert.Equal(9, (await FailureAsync(connection.AcceptStreamAsync(_cancellation).AsTask())).ApplicationErrorCode);
    }

    [Fact]
    public async Task Every_node_that_closes_ends_its_connections()
    {
        await using var pair = new ConnectedPair();
        await pair.InitializeAsync();
        var (alice, bob) = await pair.OpenAsync(_cancellation);
        var reading = alice.ReadAsync(new byte[1], _cancellation).AsTask();
        await pair.DisposeAsync();

        Assert.Equal(PunchlineError.Closed, (await FailureAsync(reading)).Error);
        Assert.Equal(PunchlineError.Closed, (await FailureAsync(alice.WriteAsync(new byte[1], _cancellation).AsTask())).Error);
        await alice.DisposeAsync();
        await bob.DisposeAsync();
        Assert.NotNull(pair.Alice.Path);
        await pair.Alice.CloseAsync(0, cancellationToken: _cancellation);
    }

    private static async Task<PunchlineException> FailureAsync(Task task) =>
        await Assert.ThrowsAsync<PunchlineException>(() => task.WaitAsync(ConnectedPair.Patience));

    private Task<PeerNode> StartAsync(PeerIdentity? identity = null) => PeerNode.StartAsync(new PeerNodeOptions { Identity = identity }, _cancellation).AsTask();

    private Task<Room> JoinAsync(PeerNode node, LocalServer server, IReadOnlyCollection<PeerId>? allowed = null) => node.JoinRoomAsync(
        new RoomOptions { Room = "room", Secret = "a secret of tests", Server = server.Address, Protocols = [Protocol], AllowedPeers = allowed }, _cancellation).AsTask();

    private Task WithinAsync(Task task) => task.WaitAsync(ConnectedPair.Patience, _cancellation);

    private Task<T> WithinAsync<T>(Task<T> task) => task.WaitAsync(ConnectedPair.Patience, _cancellation);

    private Task<T> WithinAsync<T>(ValueTask<T> task) => task.AsTask().WaitAsync(ConnectedPair.Patience, _cancellation);
}
