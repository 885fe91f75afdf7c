using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Everything between us and one process of one member: the punch attempt, the handshake, the connection, the chat. It
/// begins with an introduction and ends when the member is gone or has started anew.
/// </summary>
internal sealed partial class PeerSession : IDisposable
{
    private readonly NodeServices _services;
    private readonly RoomSession _room;
    private readonly HandshakeContext _context;
    private readonly ChatChannel _chat;
    private readonly Queue<(PathAddress Path, byte[] Packet)> _outgoing = new();
    private readonly Queue<PeerSessionEvent> _events = new();
    private readonly Timestamp _learnedAt;
    private Connection? _connection;
    private PunchAttempt? _punch;
    private Timestamp _attemptLearnedAt;
    private PathAddress? _openPath;
    private Timestamp _pauseEnds = Timestamp.Never;
    private bool _isLeft;

    public PeerSession(
        NodeServices services, RoomSession room, IntroductionBlob introduction, HandshakeContext context, ChatChannel chat, Timestamp now)
    {
        _chat = chat;
        _services = services;
        _room = room;
        _learnedAt = now;
        Introduction = introduction;
        _context = context;
        services.Routes.AddHint(_context.IncomingHint, this);
        Reconnect(now);
    }

    public RoomSession Room => _room;

    public PeerId Peer => Introduction.Id;

    /// <summary>The latest that the member said of itself.</summary>
    public IntroductionBlob Introduction { get; private set; }

    public ChatChannel Chat => _chat;

    /// <summary>Where the connection stands.</summary>
    public PathAddress? OpenPath => _openPath;

    /// <summary>We said goodbye: nothing of this peer's is answered any more.</summary>
    public bool IsLeft => _isLeft;

    [MemberNotNullWhen(true, nameof(_connection))]
    public bool IsConnected => _connection is { IsClosed: false };

    /// <summary>The connection is over, but the peer may not know it yet.</summary>
    public bool IsClosing => _connection is { IsClosed: true, IsDrained: false };

    /// <summary>Looking for a way, or waiting for its turn to.</summary>
    public bool IsPunching => _punch is not null || _turn is { IsWaiting: true };

    /// <summary>Its connections ended with errors: until a pause is over nothing is sent to it or answered.</summary>
    public bool IsPaused => _pauseEnds != Timestamp.Never;

    /// <summary>There is a way, or one is being looked for.</summary>
    public bool IsReachable => IsConnected || IsPunching;

    /// <summary>The last authenticated packet, or when we learned of the peer.</summary>
    public Timestamp LastHeard => _connection is null ? _learnedAt : _connection.LastReceived;

    /// <summary>Since when the connection waits for an answer; never where it waits for none.</summary>
    public Timestamp UnansweredSince => _connection?.UnansweredSince ?? Timestamp.Never;

    public Timestamp NextTimeout
    {
        get
        {
            if (_outgoing.Count > 0 || _turn is { IsDue: true }) return Timestamp.Zero;
            var next = _connection?.NextTimeout ?? Timestamp.Never;
            next = Timestamp.Min(next, PathsDeadline);
            if (_punch is { } punch) next = Timestamp.Min(next, Timestamp.Min(punch.NextTimeout, punch.Deadline));
            next = Timestamp.Min(next, Timestamp.Min(Timestamp.Min(_pauseEnds, _nextFresh), SearchTimeout));
            next = Timestamp.Min(next, Timestamp.Min(Timestamp.Min(TcpTimeout, _retryAt), RenewalDeadline));
            return Timestamp.Min(Timestamp.Min(next, _turnEnds), Timestamp.Min(_nextMessage3, _doubtEnds));
        }
    }

    /// <summary>A newer blob of the same process: new candidates are probed as well.</summary>
    public void Update(IntroductionBlob introduction, Timestamp now)
    {
        // What others made of its generation does not count against its own word.
        var isFirstWord = Introduction.Introducer is not null && introduction.Introducer is null;
        if (introduction.Generation > Introduction.Generation || isFirstWord) Take(introduction, now);
    }

    private void Take(IntroductionBlob introduction, Timestamp now)
    {
        var before = OffersToUs.ToList();
        Introduction = introduction;
        foreach (var offer in before.Except(OffersToUs)) _punch?.Cancel(offer);
        if (IsPunching) AddPlan(now);
        if (IsConnected) HandleNews(now);
        else if (!IsPunching) Reconnect(now);
        AddTcpPlan(now);
    }

    /// <summary>There is no connection while the member may be there: looks for a way, now or when its pause is over.</summary>
    public void Reconnect(Timestamp now)
    {
        if (IsConnected || IsPunching || _isLeft) return;
        var end = _room.Pauses.EndFor(Peer);
        _pauseEnds = end > now ? end : Timestamp.Never;
        if (!IsPaused) StartAttempt(now, now);
    }

    /// <summary>Our own candidates changed: what is worth probing may have, too.</summary>
    public void Replan(Timestamp now)
    {
        if (_punch is not null) AddPlan(now);
        else if (_isHopeless && HasMapping) Reconnect(now);
        LookForBetter(now);
        AddTcpPlan(now);
    }

    /// <summary>How often the connection proves itself alive.</summary>
    public void SetKeepAlive(TimeSpan interval)
    {
        if (_connection is null || _connection.KeepAliveInterval == interval) return;
        _connection.KeepAliveInterval = interval;
        _connection.Ping();
    }

    /// <summary>A keep-alive came over the connection's path, from whomever.</summary>
    public void HandleKeepAlive(Timestamp now) => _connection?.HandleKeepAlive(now);

    /// <summary>Asks for a sign of life now.</summary>
    public void Ping() => _connection?.Ping();

    public void Send(ulong sequence, byte[] frame) => _chat.Enqueue(sequence, frame);

    /// <summary>Says goodbye where there is a connection, and gives up looking for a way where there is none.</summary>
    public void Leave(ulong code, string reason, Timestamp now)
    {
        _isLeft = true;
        EndPunch();
        EndTcpPunch();
        _pauseEnds = _retryAt = _tcpAgainAt = Timestamp.Never;
        ObserveAbandoned();
        _doubtEnds = Timestamp.Never;
        EndInitiator();
        EndResponder();
        _connection?.Close(code, reason, now);
        // The application hears of it now.
        DrainConnection(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        if (_connection is not null)
        {
            _connection.HandleTimeout(now);
            DrainConnection(now);
            if (_connection.IsDrained)
            {
                DropConnection();
                if (_isLeft) EndTcp(now);
            }
        }
        HandlePathsTimeout(now);
        HandleRenewalTimeout(now);
        if (now >= _pauseEnds || now >= _retryAt)
        {
            _retryAt = Timestamp.Never;
            Reconnect(now);
        }
        if (now >= _turnEnds) EndTurn();
        if (_turn is { IsDue: true }) BeginPunch(now);
        HandleTcpTimeout(now);
        if (now >= _nextMessage3) SendMessage3(now);
        if (now >= _doubtEnds) EndDoubt(now);
        if (now >= _nextFresh) OpenFresh(now);
        HandleSearchTimeout(now);
        if (_punch is { } punch && now >= punch.Deadline) FailAttempt(punch, now);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (_outgoing.TryDequeue(out var packet))
        {
            packet.Packet.CopyTo(buffer);
            transmit = new Transmit(packet.Path, packet.Packet.Length);
            return true;
        }
        if (_opening is not null && _opening.TryDequeueTransmit(buffer, out transmit)) return true;
        if (_tcpOpening is not null && _tcpOpening.TryDequeueTransmit(buffer, out transmit)) return true;
        if (TryDequeueProbe(now, buffer, out transmit) || TryDequeuePathProbe(now, buffer, out transmit)) return true;
        return _connection is not null && _connection.TryDequeueTransmit(now, buffer, out transmit);
    }

    public bool TryDequeueEvent([NotNullWhen(true)] out PeerSessionEvent? sessionEvent) => _events.TryDequeue(out sessionEvent);

    /// <summary>Nobody wants to know what happened so far.</summary>
    public void ClearEvents() => _events.Clear();

    /// <summary>A message or a delivery; what is left here, once too much is, stops the member's sending.</summary>
    public bool TryDequeueChatEvent([NotNullWhen(true)] out ChatEvent? chatEvent) => _chat.TryDequeueEvent(out chatEvent);

    /// <summary>Chat events were taken: reading may go on.</summary>
    public void ResumeChat(Timestamp now)
    {
        if (!_chat.TryResume()) CloseForChat(now);
    }

    public void AddTo(ref NodeStatistics statistics)
    {
        if (_connection is null) return;
        statistics.Count(_connection.Statistics);
        if (_connection.IsClosed) return;
        statistics.Connections++;
        statistics.Streams += _connection.StreamCount;
        statistics.Measure(_connection.SmoothedRtt, _connection.RttVariation);
    }

    public void Dispose()
    {
        _services.Routes.RemoveHint(_context.IncomingHint);
        EndInitiator();
        EndResponder();
        EndPunch();
        ObserveAbandoned();
        DropConnection();
        EndTcp(default);
    }

    private void DropConnection()
    {
        if (_connection is null) return;
        EndPaths();
        SetOpenPath(null);
        EndApplication();
        _services.Counted.Count(_connection.Statistics);
        _connection.Dispose();
        _connection = null;
        _chat.Detach();
        Introductions.Detach();
        // What takes its place may stand on the same socket.
        if (!_isBeingReplaced && _punch is null) CloseFresh();
    }

    private void SetOpenPath(PathAddress? path)
    {
        if (_openPath is { } old)
        {
            _services.OpenPaths.Remove(old);
            _services.Routes.RemovePath(old, this);
        }
        _openPath = path;
        if (path is not { } current) return;
        _services.OpenPaths.Add(current);
        _services.Routes.AddPath(current, this);
    }

    private void CloseForChat(Timestamp now) =>
        _connection?.Close(CloseCodes.ChatProtocolError, "The chat stream broke its protocol.", now);

    private void DrainConnection(Timestamp now)
    {
        while (_connection is not null && _connection.TryDequeueEvent(out var connectionEvent)) HandleConnectionEvent(_connection, connectionEvent, now);
    }

    private void HandleConnectionEvent(Connection connection, ConnectionEvent connectionEvent, Timestamp now)
    {
        switch (connectionEvent.Kind)
        {
            case ConnectionEventKind.StreamOpened:
                if (_room.Use.Protocols.Contains(connectionEvent.Text!)) _application!.Add(connectionEvent);
                else if (TryAcceptIntroductions(connectionEvent)) break;
                else if (!string.Equals(connectionEvent.Text, ChatFrame.Protocol, StringComparison.Ordinal) || !_room.Use.HasChat || !_chat.TryAccept(connectionEvent.Stream))
                {
                    connection.ResetStream(connectionEvent.Stream, StreamErrorCodes.UnknownProtocol);
                    connection.StopSending(connectionEvent.Stream, StreamErrorCodes.UnknownProtocol);
                }
                break;
            case not ConnectionEventKind.StreamOpened when Introductions.Owns(connectionEvent.Stream):
                HandleIntroductions(connectionEvent, now);
                break;
            case ConnectionEventKind.StreamReadable when _chat.Owns(connectionEvent.Stream):
                if (!_chat.TryHandleReadable(connectionEvent.Stream)) CloseForChat(now);
                break;
            case ConnectionEventKind.StreamWritable when _chat.Owns(connectionEvent.Stream):
                _chat.HandleWritable();
                break;
            case ConnectionEventKind.PathChanged:
                var hasMoved = _openPath is { Local.Carrier: Carrier.Udp } former && former.Remote.Address != connectionEvent.Path.Remote.Address;
                SetOpenPath(connectionEvent.Path);
                _pathSince = now;
                // One side after the other, or each would go where the other is leaving.
                _renewNotBefore = Timestamp.Max(_renewNotBefore, now + Afterlife);
                _services.KeeperOf(connectionEvent.Path.Remote).HandlePath(connectionEvent.Path, now);
                if (hasMoved && connectionEvent.Path.Local.Carrier == Carrier.Udp) RenewTcp(now);
                _udpAgainAt = Timestamp.Never;
                if (connectionEvent.Path.Local.Carrier == Carrier.Tcp)
                {
                    // There is no hurry any more: what the budgets allow is kept for when UDP is back.
                    EndProbing();
                    _udpAgainAt = now + FirstUdpPause;
                }
                _events.Enqueue(new PeerSessionEvent.PathChanged(connectionEvent.Path, connection.SmoothedRtt) { IsMapped = IsMapped(connectionEvent.Path) });
                _application!.Add(connectionEvent);
                break;
            case ConnectionEventKind.Closed:
                // It may have a close to send yet, so it stays until it is drained or another takes its place.
                _chat.Detach();
                Introductions.Detach();
                EndPaths();
                SetOpenPath(null);
                _application!.End(connection.CloseReason!);
                _events.Enqueue(new PeerSessionEvent.Disconnected(connection.CloseReason!));
                break;
            case ConnectionEventKind.PathValidated or ConnectionEventKind.PathSilent or ConnectionEventKind.CandidatesReceived or ConnectionEventKind.AddressObserved:
                HandlePathEvent(connection, connectionEvent, now);
                break;
            default:
                _application!.Add(connectionEvent);
                break;
        }
    }
}

/// <summary>What a <see cref="PeerSession"/> tells its room.</summary>
internal abstract record PeerSessionEvent
{
    internal sealed record Connected(PathAddress Path, TimeSpan Elapsed, TimeSpan RoundTrip) : PeerSessionEvent
    {
        public bool IsMapped { get; init; }
    }

    internal sealed record PathChanged(PathAddress Path, TimeSpan RoundTrip) : PeerSessionEvent
    {
        public bool IsMapped { get; init; }
    }

    internal sealed record Disconnected(CloseReason Reason) : PeerSessionEvent;

    internal sealed record Trying(PunchProgress Progress) : PeerSessionEvent;

    internal sealed record Failed(PunchFailure Failure) : PeerSessionEvent;

    internal sealed record Probing(Carrier Carrier, IReadOnlyList<Trial> Trials) : PeerSessionEvent;
}
