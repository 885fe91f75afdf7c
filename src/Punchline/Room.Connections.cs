using Punchline.Engine;
using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;

namespace Punchline;

// The connections with the members, for streams and datagrams beside the messages to all.
public sealed partial class Room
{
    // Guarded by the engine's gate. Those that stand, in the order of their coming: at most one for each member.
    private readonly List<(ApplicationConnection Core, PeerConnection Connection)> _connections = [];
    private readonly List<Waiter> _waiters = [];
    private readonly News _connectionNews = new();
    private bool _isOver;

    /// <summary>
    /// The connection with a member, once there is one; each time the same one while that stands. Where no way was found before,
    /// another attempt begins.
    /// </summary>
    /// <param name="peer">The member.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="PunchlineException">
    /// The peer is not in the room (<see cref="PunchlineError.PeerOffline"/>: <see cref="RoomEvent.Joined"/> tells when it is), there is no way to it
    /// (<see cref="PunchlineError.PeerUnreachable"/>), or the room was left.
    /// </exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<PeerConnection> ConnectAsync(PeerId peer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiter = new Waiter(peer);
        using (var turn = _engine.Enter())
        {
            if (turn.IsOver || _isOver) throw Left();
            turn.Node.Connect(Number, peer, turn.Now, out _);
            // Looked at when what comes of that is drained.
            _waiters.Add(waiter);
        }
        try
        {
            return await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            using (_engine.Enter()) _waiters.Remove(waiter);
        }
    }

    /// <summary>The connections that stand now, one a member, in the order of their coming: to look at, such as at their statistics. None is begun.</summary>
    public IReadOnlyList<PeerConnection> GetConnections()
    {
        using (_engine.Enter()) return [.. _connections.Select(known => known.Connection)];
    }

    /// <summary>
    /// The next connection with any member, whoever of the two began it, that this has not given before and that stands. After the end of one
    /// with the same member the next is given as well: where the peer started anew, or came back after a silence.
    /// </summary>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="PunchlineException">The room was left.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<PeerConnection> AcceptConnectionAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (true)
        {
            Task news;
            using (_engine.Enter())
            {
                foreach (var (_, connection) in _connections)
                {
                    if (connection.IsAccepted) continue;
                    connection.IsAccepted = true;
                    return connection;
                }
                if (_isOver) throw Left();
                news = _connectionNews.Next;
            }
            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    void IRoomObserver.OnConnection(ApplicationConnection connection)
    {
        // Without a lambda, whose closure would be an allocation a packet.
        var index = _connections.Count - 1;
        while (index >= 0 && _connections[index].Core != connection) index--;
        if (index < 0)
        {
            // It came and went before anybody could see it.
            if (connection.Ended is not null || _isOver) return;
            index = _connections.Count;
            _connections.Add((connection, new PeerConnection(_engine, this, !_use.HasChat, connection)));
            _connectionNews.Signal();
        }
        var known = _connections[index].Connection;
        known.HandleNews();
        if (known.IsOver) _connections.RemoveAt(index);
    }

    void IRoomObserver.OnDrained(NodeCore node)
    {
        for (var i = _waiters.Count - 1; i >= 0; i--)
        {
            if (TryAnswer(_waiters[i], node)) _waiters.RemoveAt(i);
        }
    }

    // What is still open ends with the room.
    private void EndConnections(Ending ending)
    {
        using var turn = _engine.Enter();
        _isOver = true;
        foreach (var (_, connection) in _connections) connection.End(ending);
        _connections.Clear();
        foreach (var waiter in _waiters) waiter.TrySetException(Left());
        _waiters.Clear();
        _connectionNews.Signal();
    }

    private bool TryAnswer(Waiter waiter, NodeCore node)
    {
        var index = _connections.FindIndex(known => known.Connection.Peer == waiter.Peer);
        if (index >= 0) return waiter.TrySetResult(_connections[index].Connection);
        switch (node.StandingOf(Number, waiter.Peer, out var failure))
        {
            case MemberStanding.Absent when _leaving is not null:
                return waiter.TrySetException(Left());
            case MemberStanding.Absent:
                return waiter.TrySetException(new PunchlineException(PunchlineError.PeerOffline, $"{waiter.Peer} is not in the room."));
            case MemberStanding.Failed:
                return waiter.TrySetException(ToException(failure!));
            default:
                return false;
        }
    }

    private static PunchlineException ToException(PunchFailure failure) =>
        new(PunchlineError.PeerUnreachable, $"{failure.Detail} {failure.Advice}") { FailureCause = failure.Cause };

    private static PunchlineException Left() => new(PunchlineError.Closed, "The room was left.");

    private sealed class Waiter(PeerId peer) : TaskCompletionSource<PeerConnection>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public PeerId Peer { get; } = peer;
    }
}
