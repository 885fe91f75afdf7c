using System.Runtime.CompilerServices;
using Punchline.Engine;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;

namespace Punchline;

/// <summary>
/// An encrypted connection with a peer, whose key the handshake proved: streams of both directions, and datagrams. It follows both
/// sides to other networks. There is one for a pair of peers and a rendezvous, and chat shares it: each stream begins with the name of its
/// protocol, and the side that does not take that refuses it. Thread-safe.
/// </summary>
/// <remarks>
/// It ends once: closed by either side, by 30 s of silence, or replaced, when the peer started anew or has lost it. Then all of its streams
/// fail with that reason, and another connection, where there is one, is another object: <see cref="Room.AcceptConnectionAsync"/> and
/// <see cref="Room.ConnectAsync"/> give it in a room, another <see cref="PeerNode.ConnectAsync(CallOptions, CancellationToken)"/> does where it was dialled.
/// </remarks>
public sealed class PeerConnection : IAsyncDisposable
{
    /// <summary>Bytes of the longest datagram that can come in: room for as many is always enough.</summary>
    public const int MaxReceivedDatagramBytes = 1 << 14;

    private readonly NodeEngine _engine;
    private readonly Room _room;
    private readonly bool _ownsRoom;
    private readonly ApplicationConnection _connection;
    // All that follows is guarded by the engine's gate.
    private readonly Dictionary<StreamId, PeerStream> _streams = [];
    // The peer's; at most as many as it may hold open.
    private readonly List<PeerStream> _unaccepted = [];
    private readonly ReadOperation _receiving;
    private readonly News _news = new();
    private (PathAddress Address, bool IsMapped) _way;
    private PeerPath? _path;
    private ulong _pathChanges;
    private Ending? _ending;

    internal PeerConnection(NodeEngine engine, Room room, bool ownsRoom, ApplicationConnection connection)
    {
        _engine = engine;
        _room = room;
        _ownsRoom = ownsRoom;
        _connection = connection;
        _receiving = new ReadOperation(engine);
        _way = (connection.Connection.Path, connection.IsMapped);
        Peer = connection.Peer;
    }

    /// <summary>With whom: the handshake proved that it holds this id's key.</summary>
    public PeerId Peer { get; }

    /// <summary>How the peer is reached now; once the connection is over, how it was reached last.</summary>
    public PeerPath Path
    {
        get
        {
            (PathAddress Address, bool IsMapped) way;
            using (_engine.Enter())
            {
                if (_path is { } known) return known;
                way = _way;
            }
            var path = _engine.PathTo(way.Address, way.IsMapped);
            using (_engine.Enter())
            {
                if (way == _way) _path = path;
            }
            return path;
        }
    }

    /// <summary>Bytes of the longest datagram that can be sent now; it follows the path's packet size. 0 once the connection is over.</summary>
    public int MaxDatagramBytes
    {
        get
        {
            using var turn = _engine.Enter();
            return _ending is null ? Core.MaxDatagramSize : 0;
        }
    }

    internal Connection Core => _connection.Connection;

    // Under the gate.
    internal bool IsOver => _ending is not null;

    internal bool IsStanding
    {
        get
        {
            using var turn = _engine.Enter();
            return _ending is null;
        }
    }

    // Under the gate: whether somebody accepted it from its room.
    internal bool IsAccepted { get; set; }

    /// <summary>
    /// Opens a stream of a protocol, of which the peer hears at once, before there is data. Waits while the peer allows no more streams. That the peer
    /// does not take the protocol shows when the stream is used.
    /// </summary>
    /// <param name="protocol">Its name: 1 to 64 bytes in UTF-8.</param>
    /// <param name="direction">Who may write on it.</param>
    /// <param name="cancellationToken">The caller's; where it is canceled no stream was opened.</param>
    /// <exception cref="ArgumentException">The name is not valid.</exception>
    /// <exception cref="PunchlineException">The connection is over.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<PeerStream> OpenStreamAsync(
        string protocol, PeerStreamDirection direction = PeerStreamDirection.Bidirectional, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        if (ProtocolNames.FindFault(protocol) is { } fault) throw new ArgumentException(fault, nameof(protocol));
        cancellationToken.ThrowIfCancellationRequested();
        var wanted = direction == PeerStreamDirection.Bidirectional ? StreamDirection.Bidirectional : StreamDirection.Unidirectional;
        while (true)
        {
            Task news;
            using (_engine.Enter())
            {
                ThrowIfOver();
                if (Core.TryOpenStream(protocol, wanted, out var id)) return Add(id, protocol, isOurs: true);
                news = _news.Next;
            }
            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The next stream that the peer opened, of a protocol that this side takes (<see cref="RoomOptions.Protocols"/>, <see cref="CallOptions.Protocols"/>,
    /// <see cref="InboxOptions.Protocols"/>, <see cref="PeerListenerOptions.Protocols"/>). One that was abandoned before it is accepted is left out.
    /// </summary>
    /// <param name="cancellationToken">The caller's; where it is canceled no stream was accepted.</param>
    /// <exception cref="PunchlineException">The connection is over; the exception says why.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask<PeerStream> AcceptStreamAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        while (true)
        {
            Task news;
            using (_engine.Enter())
            {
                ThrowIfOver();
                if (_unaccepted.Count > 0)
                {
                    var stream = _unaccepted[0];
                    _unaccepted.RemoveAt(0);
                    return stream;
                }
                news = _news.Next;
            }
            await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Sends a datagram: once, whole or not at all, in no order (RFC 9221). It does not wait: where 256 of them or 256 KiB wait for the network,
    /// the oldest is dropped, which the statistics count.
    /// </summary>
    /// <param name="datagram">At most <see cref="MaxDatagramBytes"/>. Free again when the call returns.</param>
    /// <param name="cancellationToken">The caller's; where it is canceled nothing was sent.</param>
    /// <exception cref="ArgumentException">It is longer than <see cref="MaxDatagramBytes"/>.</exception>
    /// <exception cref="PunchlineException">The connection is over.</exception>
    public ValueTask SendDatagramAsync(ReadOnlyMemory<byte> datagram, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled(cancellationToken);
        using var turn = _engine.Enter();
        if (_ending is { } ending) return ValueTask.FromException(ending.ToException());
        return Core.TrySendDatagram(datagram.Span)
            ? ValueTask.CompletedTask
            : throw new ArgumentException($"A datagram has at most {Core.MaxDatagramSize} bytes on this path now; this one has {datagram.Length}.", nameof(datagram));
    }

    /// <summary>
    /// The next datagram, waiting for it where there is none, and its length. 256 of them or 256 KiB are kept; then the oldest is dropped. One call at a
    /// time. Where the token is canceled no datagram was taken.
    /// </summary>
    /// <param name="buffer">Where to: <see cref="MaxReceivedDatagramBytes"/> are enough for any.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="ArgumentException">The datagram is longer than the buffer; it stays.</exception>
    /// <exception cref="InvalidOperationException">Another call is under way.</exception>
    /// <exception cref="PunchlineException">The connection is over.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public ValueTask<int> ReceiveDatagramAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<int>(cancellationToken);
        using var turn = _engine.Enter();
        if (_receiving.IsBusy) throw new InvalidOperationException("Another datagram is being received: one call at a time.");
        if (_ending is { } ending) return ValueTask.FromException<int>(ending.ToException());
        return Core.TryReceiveDatagram(buffer.Span, out var length) ? new ValueTask<int>(length) : _receiving.Begin(buffer, cancellationToken);
    }

    /// <summary>The way to the peer, at once and whenever it changes; of several changes since the last reading the latest. Ends with the connection.</summary>
    /// <param name="cancellationToken">The caller's.</param>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async IAsyncEnumerable<PeerPath> WatchPathAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        (PathAddress, bool)? told = null;
        while (true)
        {
            Task? news;
            bool isNew;
            using (_engine.Enter())
            {
                isNew = _way != told;
                told = _way;
                news = _ending is null ? _news.Next : null;
            }
            if (isNew) yield return Path;
            else if (news is null) yield break;
            else await news.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>What was measured and counted so far; once the connection is over, at its end.</summary>
    public PeerConnectionStatistics GetStatistics()
    {
        using var turn = _engine.Enter();
        var counted = Core.Statistics;
        return new PeerConnectionStatistics
        {
            RoundTrip = Core.SmoothedRtt,
            RoundTripVariation = Core.RttVariation,
            PathChanges = _pathChanges,
            PacketBytes = Core.PacketSize,
            PacketsSent = counted.PacketsSent,
            PacketsReceived = counted.PacketsReceived,
            PacketsLost = counted.PacketsLost,
            BytesSent = counted.BytesSent,
            BytesReceived = counted.BytesReceived,
            StreamBytesSent = counted.StreamBytesSent,
            StreamBytesReceived = counted.StreamBytesReceived,
            OutgoingDatagramsDropped = counted.OutgoingDatagramsDropped,
            IncomingDatagramsDropped = counted.IncomingDatagramsDropped,
        };
    }

    /// <summary>
    /// Closes the connection for all who share it, on both sides, at once: streams fail, and what is not delivered is lost (<see cref="PeerStream.DisposeAsync"/>
    /// waits for delivery). One that was dialled or accepted by a <see cref="PeerListener"/> ends with its call. In a room the two peers
    /// connect anew, for the room's messages; <see cref="Room.LeaveAsync"/> is how one goes.
    /// </summary>
    /// <param name="errorCode">For the peer's program, in <see cref="PunchlineException.ApplicationErrorCode"/>: 0 to 2^62 − 257.</param>
    /// <param name="reason">For people; the peer gets at most 256 bytes of its UTF-8.</param>
    /// <param name="cancellationToken">Ends the waiting, not the closing.</param>
    /// <exception cref="ArgumentOutOfRangeException">The code is out of range.</exception>
    /// <exception cref="OperationCanceledException">The caller's token.</exception>
    public async ValueTask CloseAsync(long errorCode, string reason = "", CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reason);
        var code = Ending.ToWire(errorCode, nameof(errorCode));
        using (var turn = _engine.Enter())
        {
            if (!turn.IsOver) turn.Node.CloseConnection(_connection, code, reason, turn.Now);
        }
        if (_ownsRoom) await _room.LeaveAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Closes a connection that was dialled, or accepted by a <see cref="PeerListener"/>, with code 0. One of a room is the room's, which others may be
    /// using: it stands until the room is left or <see cref="CloseAsync"/> is called.
    /// </summary>
    public ValueTask DisposeAsync() => _ownsRoom ? CloseAsync(0) : ValueTask.CompletedTask;

    /// <summary>Both sides of a stream are over.</summary>
    internal void Forget(StreamId id)
    {
        if (_streams.Remove(id, out var stream)) _unaccepted.Remove(stream);
    }

    /// <summary>Takes what the node has to tell.</summary>
    internal void HandleNews()
    {
        while (_connection.TryDequeueEvent(out var connectionEvent)) Handle(connectionEvent);
        if (_connection.Ended is { } reason) End(Ending.Of(reason));
    }

    internal void End(Ending ending)
    {
        if (_ending is not null) return;
        _ending = ending;
        foreach (var stream in _streams.Values) stream.End(ending);
        _streams.Clear();
        _unaccepted.Clear();
        if (_receiving.IsPending) _receiving.Fail(ending.ToException());
        _news.Signal();
        if (_ownsRoom) _ = _room.LeaveAsync().AsTask();
    }

    private void Handle(in ConnectionEvent connectionEvent)
    {
        switch (connectionEvent.Kind)
        {
            case ConnectionEventKind.StreamOpened:
                _unaccepted.Add(Add(connectionEvent.Stream, connectionEvent.Text!, isOurs: false));
                _news.Signal();
                return;
            case ConnectionEventKind.StreamsAvailable:
                _news.Signal();
                return;
            case ConnectionEventKind.PathChanged:
                _way = (connectionEvent.Path, _connection.IsMapped);
                _path = null;
                _pathChanges++;
                _news.Signal();
                return;
            case ConnectionEventKind.DatagramReceived:
                Receive();
                return;
        }
        if (!_streams.TryGetValue(connectionEvent.Stream, out var stream)) return;
        switch (connectionEvent.Kind)
        {
            case ConnectionEventKind.StreamReadable: stream.OnReadable(); break;
            case ConnectionEventKind.StreamWritable: stream.OnWritable(); break;
            case ConnectionEventKind.StreamReset: stream.OnReset(connectionEvent.Code); break;
            case ConnectionEventKind.StreamStopped: stream.OnStopped(connectionEvent.Code); break;
            case ConnectionEventKind.StreamDelivered: stream.OnDelivered(); break;
        }
    }

    private void Receive()
    {
        if (!_receiving.IsPending) return;
        try
        {
            if (Core.TryReceiveDatagram(_receiving.Buffer.Span, out var length)) _receiving.Complete(length);
        }
        catch (ArgumentException exception)
        {
            _receiving.Fail(exception);
        }
    }

    private PeerStream Add(StreamId id, string protocol, bool isOurs)
    {
        var stream = new PeerStream(this, _engine, id, protocol, isOurs);
        _streams.Add(id, stream);
        return stream;
    }

    private void ThrowIfOver()
    {
        if (_ending is { } ending) throw ending.ToException();
    }
}
