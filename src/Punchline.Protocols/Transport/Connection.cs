using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.PathMtu;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Transport.Recovery;
using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Transport;

/// <summary>
/// An encrypted connection: QUIC's transport (RFC 9000, RFC 9002) behind a Noise handshake. It takes datagrams, commands and
/// the time; after each input its owner drains <see cref="TryDequeueTransmit"/> and <see cref="TryDequeueEvent"/>, and calls
/// <see cref="HandleTimeout"/> at <see cref="NextTimeout"/>. Not thread-safe: one loop owns it.
/// </summary>
internal sealed partial class Connection : ISentFrameOwner, IDisposable
{
    /// <summary>
    /// UDP payload of the largest packet before path MTU discovery has found more: RFC 9000 §14's smallest allowed maximum, which
    /// every path in use carries.
    /// </summary>
    public const int BasePacketSize = PathMtuDiscovery.BaseSize;

    /// <summary>UDP payload of the largest packet ever.</summary>
    public const int MaxPacketSize = PathMtuDiscovery.MaxSize;

    /// <summary>The largest receive window of a stream that may be announced: offsets within it are 32-bit integers.</summary>
    public const ulong MaxStreamWindow = 1 << 30;

    private enum State : byte
    {
        Active,
        Closing,
        Draining,
        Drained,
    }

    private readonly TransportParameters _local;
    private readonly TransportParameters _remote;
    private readonly IRandomSource _random;
    private readonly PacketSealer _sealer;
    private readonly PacketOpener _opener;
    private readonly ReplayWindow _replay = new();
    private readonly AckTracker _acks;
    private readonly LossRecovery _recovery;
    private readonly StreamTable _streams;
    private readonly Queue<ConnectionEvent> _events = new();
    private State _state;
    private ulong _packetsReceived;
    private ulong _bytesSent;
    private ulong _bytesReceived;
    private ulong _duplicatesDropped;

    /// <summary>Begins with the handshake's end.</summary>
    /// <exception cref="ArgumentException">Keys of another length than 32 bytes, or a stream's window above <see cref="MaxStreamWindow"/>.</exception>
    public Connection(ConnectionSetup setup, Timestamp now)
    {
        if (setup.SendKey.Length != PacketCipher.KeyLength || setup.ReceiveKey.Length != PacketCipher.KeyLength) throw new ArgumentException("AES-256-GCM takes keys of 32 bytes.", nameof(setup));
        var (local, remote) = (setup.LocalParameters, setup.RemoteParameters);
        if (Math.Max(Math.Max(local.InitialMaxStreamDataBidiLocal, local.InitialMaxStreamDataBidiRemote), local.InitialMaxStreamDataUni) > MaxStreamWindow)
            throw new ArgumentException($"A stream's window has at most {MaxStreamWindow} bytes.", nameof(setup));
        (_local, _remote) = (local, remote);
        _localIds = new LocalConnectionIds(setup.LocalConnectionId, setup.ConnectionIds, remote.ActiveConnectionIdLimit);
        _remoteIds = new RemoteConnectionIds(setup.RemoteConnectionId, remote.StatelessResetToken, setup.ConnectionIds, local.ActiveConnectionIdLimit);
        _random = setup.Random;
        _carriers = setup.Carriers;
        _observer = setup.Observer;
        _observedAt = now;
        _sealer = new PacketSealer(setup.SendKey.Span, setup.AeadLimits, now);
        _opener = new PacketOpener(setup.ReceiveKey.Span, setup.AeadLimits);
        _opened = new byte[_local.MaxUdpPayloadSize];
        _acks = new AckTracker(_local.MaxAckDelay, _local.AckDelayExponent);
        (_role, _largestDatagram, _congestionAlgorithm) = (setup.Role, Math.Min(_remote.MaxUdpPayloadSize, setup.MaxPacketSize), setup.Congestion);
        _path = new NetworkPath(setup.Path, _largestDatagram, _congestionAlgorithm) { IsValidated = true, IsIntroduced = true };
        _recovery = new LossRecovery(this, _remote.MaxAckDelay, _path.Recovery);
        _streams = new StreamTable(setup.Role, _local, _remote);
        _receiveCredit = new ReceiveCredit(_local.InitialMaxData, ReceiveCredit.MaxConnectionWindow);
        _receiveBudget = setup.ReceiveBudget;
        _sendCredit = new SendCredit(_remote.InitialMaxData);
        _idleTimeout = EffectiveIdleTimeout(_local.IdleTimeout, _remote.IdleTimeout);
        KeepAliveInterval = setup.KeepAliveInterval;
        _mapping = setup.Mapping;
        LastReceived = _idleSince = _lastElicitedAt = now;
        BeginKeepAlive(now);
        if (setup.HandshakeRtt is { } rtt) _path.Recovery.TakeSample(rtt, TimeSpan.Zero, now);
    }

    /// <summary>Where packets go, and by which socket: the last path that was validated.</summary>
    public PathAddress Path => _path.Address;

    /// <summary>The path in use does not leave the neighbourhood.</summary>
    public bool IsNear => _path.IsNear;

    /// <summary>RFC 9002 §5.3; 333 ms before the first sample of a path.</summary>
    public TimeSpan SmoothedRtt => _recovery.Rtt.Smoothed;

    /// <summary>RFC 9002 §5.3's rttvar; 167 ms before the first sample of a path.</summary>
    public TimeSpan RttVariation => _recovery.Rtt.Variation;

    /// <summary>UDP payload of a full packet on the path.</summary>
    public int PacketSize => _recovery.PathMtu.PacketSize;

    /// <summary>The path's window has met no limit yet.</summary>
    public bool IsInSlowStart => _recovery.Congestion.IsInSlowStart;

    /// <summary>When the last packet that authenticated came in; the connection's beginning before the first.</summary>
    public Timestamp LastReceived { get; private set; }

    /// <summary>For peers that want proof of each other's life: a PING goes out when nothing that elicits an ACK was sent for so long; zero for never.</summary>
    public TimeSpan KeepAliveInterval { get; set; }

    /// <summary>The connection is over; commands do nothing any more.</summary>
    public bool IsClosed => _state != State.Active;

    /// <summary>Nothing is left to send or to wait for: the object can be disposed, and its connection ids with it.</summary>
    public bool IsDrained => _state == State.Drained;

    /// <summary>Why it ended; null while it lives.</summary>
    public CloseReason? CloseReason { get; private set; }

    public ConnectionStatistics Statistics => new(
        _sealer.NextNumber, _packetsReceived, _recovery.PacketsLost, _bytesSent, _bytesReceived, _duplicatesDropped, _opener.Forgeries)
    {
        StreamBytesSent = _sendCredit.Used,
        StreamBytesReceived = _receiveCredit.Received,
        StreamBytesConsumed = _receiveCredit.Consumed,
        KeyUpdates = _keyUpdates,
        OutgoingDatagramsDropped = _outgoingDatagrams.Dropped,
        IncomingDatagramsDropped = _incomingDatagrams.Dropped,
    };

    /// <summary>Streams that are open or not yet done.</summary>
    public int StreamCount => _streams.Count;

    public bool TryDequeueEvent(out ConnectionEvent connectionEvent) => _events.TryDequeue(out connectionEvent);

    /// <summary>Gives ciphers and buffers back at once, without a word to the peer: that is what Close is for.</summary>
    public void Dispose()
    {
        _observer?.OnForgotten(_observedAt);
        EndStreams();
        _incomingDatagrams.Dispose();
        _localIds.Release();
        _remoteIds.Release();
        _state = State.Drained;
        _sealer.Dispose();
        _opener.Dispose();
    }

    private void Raise(ConnectionEventKind kind, StreamId stream = default, ulong code = 0, string? text = null, PathAddress path = default) =>
        _events.Enqueue(new ConnectionEvent(kind, stream, code, text, path));
}
