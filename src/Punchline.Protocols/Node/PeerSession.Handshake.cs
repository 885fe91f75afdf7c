using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// From an introduction to a connection: probes out, message 1 in, and the three messages to their end.
internal sealed partial class PeerSession
{
    /// <summary>Answers to one source of a message 1, at most (PROTOCOL §6).</summary>
    private const int MaxResponsesPerSource = 3;

    /// <summary>Message 1 and 2 of the peer that are waiting to be sent, at most.</summary>
    private const int MaxOutgoing = 64;

    /// <summary>Sources of a message 1 that are answered as they are, and as many again of those that returned a cookie (PROTOCOL §6).</summary>
    private const int MaxResponseSources = Candidate.MaxPerPeer;

    /// <summary>Agreements that a message 1 costs: two to answer it, one more for message 3.</summary>
    private const int AgreementsPerResponse = 3;

    /// <summary>
    /// Message 2s of an attempt that may be worthless before the next one costs an agreement of the second: whether one is
    /// genuine shows only behind a Diffie-Hellman. The genuine one comes once or, resent, three times.
    /// </summary>
    private const int FreeMessage2s = 3;

    /// <summary>
    /// New attempts of one peer that are answered: it begins one a second. Four at once are a second in which its network
    /// and ours changed. So no member, wherever from and with whatever cookies, uses up what the others need.
    /// </summary>
    private const int AttemptsPerSecond = 1;
    private const int AttemptBurst = 4;

    /// <summary>
    /// Age at which an unanswered message 1 gives way to a new attempt: the peer answers a source three times an attempt,
    /// and all three answers may have been lost.
    /// </summary>
    private static readonly TimeSpan MinMessage1Age = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long an attempt counts as one of those that punch at once: until behind its flight at 2,079 ms. After it there
    /// are two packets an address in 18 s, for which nobody else has to wait.
    /// </summary>
    private static readonly TimeSpan TurnTime = TimeSpan.FromMilliseconds(2_100);

    // A peer may be twice as far as the server, and the first of our packets that it can answer may be the second: three ways, and some time.
    private TimeSpan MaxMessage1Age => TimeSpan.FromTicks(Math.Max(MinMessage1Age.Ticks, 4 * (_services.ServerRoundTrip ?? TimeSpan.Zero).Ticks));

    // Where the peer was heard, and where a crossing's packets left, which do so once, the answer is waited for from then on.
    private Timestamp AwaitedFrom => Timestamp.Max(_initiatorMade, _firstAnswer ?? (_opening as CrossingOpening)?.SentAt ?? _initiatorMade);

    private readonly Dictionary<PathAddress, int> _responses = [];
    private readonly Pacer _attemptPacer = new(AttemptsPerSecond, AttemptBurst);
    private InitiatorHandshake? _initiator;
    private ResponderHandshake? _responder;
    private byte[]? _lastMessage1;
    private ulong _attempt;
    private ulong _highestRemoteAttempt;
    private PunchTurn? _turn;
    private Timestamp _turnEnds = Timestamp.Never;
    private bool _heardFromPeer;
    private bool _impostorAnswered;
    private CopiesSent _responsesSent;
    private Timestamp _initiatorMade;
    private Timestamp? _firstAnswer;
    private int _worthlessMessage2s;
    private byte[]? _message3;
    private PathAddress _message3Path;
    private Timestamp _nextMessage3 = Timestamp.Never;
    private TimeSpan _message3Interval;

    /// <summary>A message 1 with our hint.</summary>
    /// <param name="source">Where it came from, as it seems.</param>
    /// <param name="packet">The message, without its cookie.</param>
    /// <param name="isProven">It came with a cookie that we gave to this source.</param>
    /// <param name="now">The time.</param>
    public void HandleMessage1(PathAddress source, ReadOnlySpan<byte> packet, bool isProven, Timestamp now)
    {
        if (_isLeft || IsPaused) return;
        if (_lastMessage1 is not null && packet.SequenceEqual(_lastMessage1))
        {
            HandleDuplicateMessage1(source, isProven, now);
            return;
        }
        if (!ReceivedMessage1.TryRead(_context, packet, out var message1)) return;
        // An attempt is one message 1: another with its number, or a lower one, is a replay.
        if (message1.Payload.Attempt <= _highestRemoteAttempt) return;
        // Before anything is remembered: what cannot be paid for now must still be new when it is sent again.
        if (!_context.IsInitiator && !TryPayForResponse(source, message1.Payload.ConnectionId, isProven, now)) return;
        // A connection's peer may have an opener under way still: that is no attempt.
        if (!IsConnected || !_context.IsInitiator) Observe(now)?.OnHandshakePacket(HandshakePacket.Message1, isSent: false, source.Remote, packet.Length, now);
        Prove(source, now);
        _highestRemoteAttempt = message1.Payload.Attempt;
        _lastMessage1 = packet.ToArray();
        _responses.Clear();
        NoteUninvited(source);
        HandleHit(source, now);
        if (!_context.IsInitiator) Respond(message1, source, isProven, now);
        else if (IsConnected)
        {
            Doubt(source, now);
            // Its opener on a connection of TCP says for whom that is; the connection goes on there too, if it lives.
            if (source.Local.Carrier == Carrier.Tcp) Greet(source, now);
        }
        else
        {
            if (!IsPunching) StartAttempt(now, now);
            Answer(source, now);
        }
        _heardFromPeer = true;
    }

    /// <summary>
    /// A cookie reply to our message 1: it goes back there with the cookie. The connection id was under
    /// that message's seal, so that nobody but the peer, or who sees its packets, could have written this.
    /// </summary>
    public void HandleCookie(PathAddress source, ulong connectionId, ReadOnlySpan<byte> cookie, Timestamp now)
    {
        if (_initiator is not { } initiator || initiator.ConnectionId != connectionId || !_context.IsInitiator || _punch is null || _outgoing.Count == MaxOutgoing) return;
        if (!_punch.TryAnswerCookie(source, cookie, HandshakePacket.Message1Length, now, _services.ProbePacer, _services.ProbeBudget)) return;
        var packet = new byte[HandshakePacket.CookiedMessage1Length];
        HandshakePacket.WriteMessage1(cookie, initiator.Message1, packet);
        _services.Counted.Probes++;
        Observe(now)?.OnHandshakePacket(HandshakePacket.CookieReply, isSent: false, source.Remote, HandshakePacket.CookieReplyLength, now);
        Observe(now)?.OnHandshakePacket(HandshakePacket.CookiedMessage1, isSent: true, source.Remote, packet.Length, now);
        _outgoing.Enqueue((source, packet));
    }

    /// <summary>A message 2 or 3 with a connection id of ours.</summary>
    public void HandleHandshake(PathAddress source, ulong connectionId, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (_initiator?.ConnectionId == connectionId) HandleMessage2(_initiator, source, packet, now);
        else if (_responder?.ConnectionId == connectionId) HandleMessage3(_responder, source, packet, now);
        DrainConnection(now);
    }

    /// <summary>A data packet with a connection id of ours.</summary>
    public void HandleData(PathAddress source, ulong connectionId, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (_responder?.ConnectionId == connectionId)
        {
            _responder.HoldEarlyPacket(source, packet);
            return;
        }
        if (_connection is null) return;
        if (_connection.HandleDatagram(source, packet, now)) HandleFirstData(source, now);
        DrainConnection(now);
    }

    // A transport packet authenticated: the responder has message 3.
    private void HandleFirstData(PathAddress source, Timestamp now)
    {
        Prove(source, now);
        ChooseLink(source, now);
        _message3 = null;
        _nextMessage3 = Timestamp.Never;
    }

    private bool TryDequeueProbe(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_punch is null) return false;
        if (!_punch.TryTakeProbe(now, _services.ProbePacer, _services.ProbeBudget, HandshakePacket.Message1Length, out var probe))
        {
            if (!TryTakeScan(now, out var path)) return false;
            probe = new Probe(TimeSpan.Zero, path.Remote, ProbeKind.Handshake, 0) { Via = path.Local };
        }
        _services.Counted.Probes++;
        if (probe.Kind == ProbeKind.Opener)
        {
            buffer[0] = PacketTypes.KeepAlive;
            transmit = new Transmit(probe.Path, 1, probe.TimeToLive);
            Observe(now)?.OnOpener(probe.Destination, probe.TimeToLive, 1, now);
            return true;
        }
        if (_initiator is not null && now - AwaitedFrom >= MaxMessage1Age && !IsAwaitedOverTcp(now))
        {
            EndInitiator();
            _attempt = ++_services.LastAttempt;
        }
        if (_initiator is null)
        {
            _initiator = new InitiatorHandshake(_context, _attempt, _services.Routes.AddConnection(this, _services.Random), _services.Random);
            _initiatorMade = now;
            _firstAnswer = null;
            _worthlessMessage2s = 0;
        }
        var length = HandshakePacket.WriteMessage1(_punch.CookieFor(probe.Path), _initiator.Message1, buffer);
        transmit = new Transmit(probe.Path, length, probe.TimeToLive);
        Observe(now)?.OnHandshakePacket(buffer[0], isSent: true, probe.Destination, length, now);
        return true;
    }

    private void HandleDuplicateMessage1(PathAddress source, bool isProven, Timestamp now)
    {
        _heardFromPeer = true;
        NoteUninvited(source);
        if (_context.IsInitiator) Answer(source, now);
        else if (_responder is { } responder) SendMessage2(responder, source, isProven, now);
    }

    // While agreements run short, a message 1 has to come back with a cookie first.
    private bool TryPayForResponse(PathAddress source, ulong remoteConnectionId, bool isProven, Timestamp now)
    {
        if (_attemptPacer.NextAllowed(now) > now) return false;
        if (_services.AgreementPacer.TryTake(now, AgreementsPerResponse, isProven ? 0 : NodeServices.AgreementsForProven))
        {
            _attemptPacer.TryTake(now);
            return true;
        }
        if (!isProven) SendCookie(source, remoteConnectionId, now);
        return false;
    }

    // Nothing is remembered, so nothing limits it but what came in: a tenth of it goes back, once.
    private void SendCookie(PathAddress source, ulong remoteConnectionId, Timestamp now)
    {
        if (_outgoing.Count == MaxOutgoing) return;
        Span<byte> cookie = stackalloc byte[AddressCookies.Length];
        _services.Cookies.Write(source.Remote, now, cookie);
        Observe(now)?.OnHandshakePacket(HandshakePacket.CookieReply, isSent: true, source.Remote, HandshakePacket.CookieReplyLength, now);
        _outgoing.Enqueue((source, HandshakePacket.WriteCookieReply(remoteConnectionId, cookie)));
    }

    private void Respond(ReceivedMessage1 message1, PathAddress source, bool isProven, Timestamp now)
    {
        var connectionId = _services.Routes.AddConnection(this, _services.Random);
        if (!ResponderHandshake.TryRespond(_context, message1, connectionId, _services.EncodeParameters(connectionId), _services.Random, out var responder))
        {
            _services.Routes.RemoveConnection(connectionId);
            return;
        }
        EndResponder();
        _responder = responder;
        _responsesSent = default;
        SendMessage2(responder, source, isProven, now);
    }

    private void SendMessage2(ResponderHandshake responder, PathAddress source, bool isProven, Timestamp now)
    {
        var sent = _responses.GetValueOrDefault(source);
        if (sent == 0 && _responses.Count >= MaxResponseSources && !isProven)
        {
            // Somebody replays the message from all over the place; where the peer really is, a cookie comes back from.
            SendCookie(source, responder.RemoteConnectionId, now);
            return;
        }
        if (sent == MaxResponsesPerSource || (sent == 0 && _responses.Count == 2 * MaxResponseSources) || _outgoing.Count == MaxOutgoing) return;
        // What answers a message 1 is as long as it at most, so it needs no budget beyond these counts.
        _responses[source] = sent + 1;
        _responsesSent = _responsesSent.Another(now);
        Observe(now)?.OnHandshakePacket(HandshakePacket.Message2, isSent: true, source.Remote, responder.Message2.Length, now);
        _outgoing.Enqueue((source, responder.Message2.ToArray()));
    }

    private void HandleMessage2(InitiatorHandshake initiator, PathAddress source, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (_worthlessMessage2s >= FreeMessage2s && !_services.AgreementPacer.TryTake(now, reserve: NodeServices.AgreementsForProven)) return;
        switch (initiator.ReadMessage2(packet, _services.EncodeParameters(initiator.ConnectionId), out var result, out var message3))
        {
            case HandshakeOutcome.Impostor:
                // Over before message 3: the next probe begins a new attempt with new keys.
                _impostorAnswered = true;
                EndInitiator();
                _attempt = ++_services.LastAttempt;
                break;
            case HandshakeOutcome.Completed when TransportParameters.TryRead(result!.RemoteParameters, out var parameters):
                _services.ProbeBudget.Restore(source.Remote);
                Prove(source, now);
                Observe(now)?.OnHandshakePacket(HandshakePacket.Message2, isSent: false, source.Remote, packet.Length, now);
                Observe(now)?.OnHandshakePacket(HandshakePacket.Message3, isSent: true, source.Remote, message3!.Length, now);
                // The id lives on in the connection.
                _initiator = null;
                initiator.Dispose();
                Establish(ConnectionRole.Initiator, result, parameters, source, _punch?.HandshakesTo(source).RoundTrip(now), now);
                _message3 = message3;
                _message3Path = source;
                _message3Interval = PunchPlan.FirstInterval;
                SendMessage3(now);
                break;
            default:
                _worthlessMessage2s++;
                break;
        }
    }

    private void HandleMessage3(ResponderHandshake responder, PathAddress source, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (responder.ReadMessage3(packet, out var result) is not HandshakeOutcome.Completed
            || !TransportParameters.TryRead(result!.RemoteParameters, out var parameters)) return;
        _services.ProbeBudget.Restore(source.Remote);
        Prove(source, now);
        Observe(now)?.OnHandshakePacket(HandshakePacket.Message3, isSent: false, source.Remote, packet.Length, now);
        _responder = null;
        responder.Dispose();
        var connection = Establish(ConnectionRole.Responder, result, parameters, source, _responsesSent.RoundTrip(now), now);
        foreach (var (from, early) in responder.EarlyPackets)
        {
            if (connection.HandleDatagram(from, early, now)) HandleFirstData(from, now);
        }
    }

    // Resent with every flight until the peer's first transport packet shows that it arrived.
    private void SendMessage3(Timestamp now)
    {
        _nextMessage3 = Timestamp.Never;
        if (_message3 is null || !IsConnected) return;
        _outgoing.Enqueue((_message3Path, _message3));
        if (_message3Path.Local.Carrier == Carrier.Tcp) return;
        _nextMessage3 = now + _message3Interval;
        _message3Interval *= 2;
    }

    private Connection Establish(
        ConnectionRole role, HandshakeResult result, TransportParameters remote, PathAddress source, TimeSpan? roundTrip, Timestamp now)
    {
        _isBeingReplaced = true;
        DropConnection();
        _isBeingReplaced = false;
        _doubtEnds = Timestamp.Never;
        _message3 = null;
        _nextMessage3 = Timestamp.Never;
        _connection = new Connection(
            new ConnectionSetup
            {
                Role = role,
                SendKey = result.SendKey,
                ReceiveKey = result.ReceiveKey,
                LocalParameters = TransportParameters.Default,
                RemoteParameters = remote,
                LocalConnectionId = result.LocalConnectionId,
                RemoteConnectionId = result.RemoteConnectionId,
                ConnectionIds = this,
                ReceiveBudget = _services.ReceiveBudget,
                Path = source,
                Carriers = _services.Tcp,
                HandshakeRtt = roundTrip,
                Random = _services.Random,
                KeepAliveInterval = _room.KeepAliveInterval,
                Mapping = _services.MappingKeepAlive,
                Observer = ObserveConnected(source.Remote, result, now),
            },
            now);
        SetOpenPath(source);
        _pathSince = now;
        _services.KeeperOf(source.Remote).HandlePath(source, now);
        // An answer at once, whatever the application does: it ends the peer's resending of message 3.
        _connection.Ping();
        _application = new ApplicationConnection(_services, this, _connection);
        if (_room.Use.HasChat) _chat.Attach(_connection);
        if (_room.HasMutualIntroductions) Introductions.Attach(_connection);
        ConfirmIntroduction();
        RememberWay(source);
        EndPunch();
        GreetAll(source, now);
        BeginPaths(now);
        if (role == ConnectionRole.Responder) EndInitiator();
        else EndResponder();
        _failures = 0;
        _events.Enqueue(new PeerSessionEvent.Connected(source, now - _attemptLearnedAt, roundTrip ?? _connection.SmoothedRtt) { IsMapped = IsMapped(source) });
        return _connection;
    }

    private void EndInitiator()
    {
        if (_initiator is null) return;
        _services.Routes.RemoveConnection(_initiator.ConnectionId);
        _initiator.Dispose();
        _initiator = null;
    }

    private void EndResponder()
    {
        if (_responder is null) return;
        _services.Routes.RemoveConnection(_responder.ConnectionId);
        _responder.Dispose();
        _responder = null;
    }
}
