using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

/// <summary>
/// A peer's side of one coordination connection: challenge, join, and then the room's members as they come and go.
/// One object a connection; who reconnects makes a new one, with the same instance. Not thread-safe.
/// </summary>
/// <remarks>
/// The join waits for a blob: whoever gathers candidates calls <see cref="ProvideBlob"/> when STUN has answered, or
/// 150 ms after the challenge with what there is (PROTOCOL §2), and again with each change.
/// </remarks>
internal sealed class CoordinationClient
{
    private enum State
    {
        AwaitingChallenge,
        AwaitingBlob,
        Joining,
        Joined,
        Over,
    }

    /// <summary>What a server in doubt gets to answer: a lost segment of TCP's is sent again meanwhile, twice on most ways.</summary>
    public static readonly TimeSpan DoubtTime = TimeSpan.FromSeconds(2);

    private readonly P256KeyPair _identity;
    private readonly InstanceId _instance;
    private readonly string _host;
    private readonly byte[] _tag;
    private readonly byte[] _certificateKeyHash;
    private readonly PeerId _ownId;
    // Who the server says is there, at most MaxMembersPerRoom: tells new from changed, and old generations from new.
    private readonly Dictionary<PeerId, (InstanceId Instance, uint Generation)> _members = [];
    private readonly Queue<ReadOnlyMemory<byte>> _messages = new();
    private readonly Queue<CoordinationClientEvent> _events = new();

    private State _state = State.AwaitingChallenge;
    private ChallengeMessage? _challenge;
    private (uint Generation, byte[] Blob)? _blob;
    private TimeSpan _heartbeatInterval = CoordinationLimits.HeartbeatInterval;
    private Timestamp _lastHeard;
    private Timestamp _doubtEnds = Timestamp.Never;
    private Timestamp _nextHeartbeat = Timestamp.Never;
    // The server answers each heartbeat, in order.
    private uint _heartbeatsSent;
    private uint _heartbeatsAnswered;
    private uint _lastEchoRequested;

    /// <param name="identity">This peer's static key. Stays the caller's.</param>
    /// <param name="instance">This run of the peer.</param>
    /// <param name="host">The server as dialled, as the Host header has it (<see cref="ProvenJoin.Host"/>).</param>
    /// <param name="tag">The room's tag, from 16 to 32 bytes.</param>
    /// <param name="certificateKeyHash">SHA-256 of the SubjectPublicKeyInfo that TLS showed; empty without TLS.</param>
    /// <param name="now">When the connection was there.</param>
    public CoordinationClient(
        P256KeyPair identity, InstanceId instance, string host, ReadOnlySpan<byte> tag, ReadOnlySpan<byte> certificateKeyHash, Timestamp now)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(host.Length, CoordinationLimits.MaxHostLength, nameof(host));
        ArgumentOutOfRangeException.ThrowIfLessThan(tag.Length, CoordinationLimits.MinTagBytes, nameof(tag));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tag.Length, CoordinationLimits.MaxTagBytes, nameof(tag));
        _identity = identity;
        _instance = instance;
        _host = host.ToLowerInvariant();
        _tag = tag.ToArray();
        _certificateKeyHash = certificateKeyHash.ToArray();
        _ownId = identity.DeriveId();
        _lastHeard = now;
    }

    /// <summary>Replaced, refused, silent or left: nothing more comes out, and what comes in is ignored.</summary>
    public bool IsOver => _state == State.Over;

    public Timestamp NextTimeout =>
        IsOver ? Timestamp.Never : Timestamp.Min(Timestamp.Min(_nextHeartbeat, _doubtEnds), _lastHeard + CoordinationLimits.SilenceLimit);

    /// <summary>The first blob joins, later ones update.</summary>
    /// <param name="generation">Above every earlier one, also those of earlier connections.</param>
    /// <param name="blob">Sealed for the room; at most <see cref="CoordinationLimits.MaxBlobBytes"/>.</param>
    /// <param name="now">The time.</param>
    public void ProvideBlob(uint generation, ReadOnlySpan<byte> blob, Timestamp now)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blob.Length, CoordinationLimits.MaxBlobBytes, nameof(blob));
        if (_blob is { } last) ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(generation, last.Generation);
        _blob = (generation, blob.ToArray());
        switch (_state)
        {
            case State.AwaitingBlob: Join(now); break;
            case State.Joining or State.Joined: Send(new UpdateMessage(generation, _blob.Value.Blob)); break;
        }
    }

    /// <summary>Something for one other in an inbox. Nothing before the welcome.</summary>
    /// <param name="to">Whom.</param>
    /// <param name="data">Sealed; at most <see cref="CoordinationLimits.MaxSignalBytes"/>.</param>
    public void Signal(PeerId to, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, CoordinationLimits.MaxSignalBytes, nameof(data));
        if (_state == State.Joined) Send(new SignalMessage(to, data.ToArray()));
    }

    /// <summary>
    /// Asks for an echo, and returns its number: when <see cref="CoordinationClientEvent.Echoed"/> names it, the server has dealt with everything
    /// that we sent before, and whoever was to hear of it hears at the same moment.
    /// </summary>
    public uint RequestEcho()
    {
        if (_state == State.Joined) SendHeartbeat();
        return _lastEchoRequested = _heartbeatsSent;
    }

    /// <summary>The network may have changed: a heartbeat goes out at once, and without an answer within <see cref="DoubtTime"/> the server is silent.</summary>
    public void Doubt(Timestamp now)
    {
        if (_state != State.Joined || _doubtEnds != Timestamp.Never) return;
        SendHeartbeat();
        _doubtEnds = now + DoubtTime;
    }

    /// <summary>Says goodbye: the members hear of it at once. The shell closes the connection when the message is out.</summary>
    public void Leave(Timestamp now)
    {
        _ = now;
        if (_state is State.Joining or State.Joined) Send(new LeaveMessage());
        _state = State.Over;
    }

    public void HandleMessage(ReadOnlySpan<byte> utf8, Timestamp now)
    {
        if (IsOver) return;
        if (!CoordinationJson.TryRead(utf8, out ServerMessage? message))
        {
            Refuse(CoordinationErrorCode.BadMessage, "The server sent what is no message of this protocol.");
            return;
        }
        _lastHeard = now;
        _doubtEnds = Timestamp.Never;
        switch (message)
        {
            case ErrorMessage error: Refuse(Printable(error.Code), Printable(error.Message)); break;
            case ChallengeMessage challenge when _state == State.AwaitingChallenge: HandleChallenge(challenge, now); break;
            case WelcomeMessage welcome when _state == State.Joining: HandleWelcome(welcome); break;
            case JoinedMessage { Member: var member } when _state == State.Joined: HandleMember(member); break;
            case UpdatedMessage { Member: var member } when _state == State.Joined: HandleMember(member); break;
            case LeftMessage left when _state == State.Joined: HandleLeft(left); break;
            // Of somebody who left meanwhile it is no news, and of others it is none either.
            case SignalledMessage signalled when _state == State.Joined:
                if (_members.ContainsKey(signalled.From)) _events.Enqueue(new CoordinationClientEvent.Signalled(signalled.From, signalled.Data));
                break;
            case ReplacedMessage when _state == State.Joined: End(new CoordinationClientEvent.Replaced()); break;
            case ServerHeartbeatMessage:
                // Most answers are nobody's concern.
                if (++_heartbeatsAnswered <= _lastEchoRequested) _events.Enqueue(new CoordinationClientEvent.Echoed(_heartbeatsAnswered));
                break;
            case { } unknown when unknown.GetType() == typeof(ServerMessage): break;
            default: Refuse(CoordinationErrorCode.BadMessage, "The server sent a message out of turn."); break;
        }
    }

    public void HandleTimeout(Timestamp now)
    {
        if (IsOver) return;
        if (now >= _lastHeard + CoordinationLimits.SilenceLimit || now >= _doubtEnds)
        {
            End(new CoordinationClientEvent.ServerSilent());
            return;
        }
        if (now < _nextHeartbeat) return;
        SendHeartbeat();
        _nextHeartbeat = now + _heartbeatInterval;
    }

    /// <summary>A text message to send, in UTF-8.</summary>
    public bool TryDequeueMessage(out ReadOnlyMemory<byte> utf8) => _messages.TryDequeue(out utf8);

    public bool TryDequeueEvent([NotNullWhen(true)] out CoordinationClientEvent? clientEvent) => _events.TryDequeue(out clientEvent);

    private void HandleChallenge(ChallengeMessage challenge, Timestamp now)
    {
        if (challenge.Certificate is { } certificate && !certificate.AsSpan().SequenceEqual(_certificateKeyHash))
        {
            // The proof would fail at the server; here it is known why.
            Refuse(CoordinationErrorCode.CertificateMismatch, "Something between this machine and the server ends TLS in its place.");
            return;
        }
        _challenge = challenge;
        _state = State.AwaitingBlob;
        _events.Enqueue(new CoordinationClientEvent.Challenged(challenge.Stun));
        if (_blob is not null) Join(now);
    }

    private void Join(Timestamp now)
    {
        var (generation, blob) = _blob!.Value;
        var join = new ProvenJoin
        {
            Host = _host,
            Nonce = _challenge!.Nonce,
            Tag = _tag,
            // A server behind a proxy cannot know the certificate that the proxy showed us.
            CertificateKeyHash = _challenge.Certificate is null ? [] : _certificateKeyHash,
            PeerKey = _identity.PublicKey,
            ServerKey = _challenge.Key,
            Instance = _instance,
            Generation = generation,
            Blob = blob,
        };
        var mac = new byte[ProofOfKey.MacLength];
        if (!ProofOfKey.TryProve(_identity, join, mac))
        {
            Refuse(CoordinationErrorCode.BadMessage, "The server's ephemeral key is not a point of the curve.");
            return;
        }
        Send(new JoinMessage(_identity.PublicKey.ToArray(), _instance, generation, blob, mac));
        _state = State.Joining;
        _nextHeartbeat = now + _heartbeatInterval;
    }

    private void HandleWelcome(WelcomeMessage welcome)
    {
        // Never slower than our own: the server's 15 s cover three of these.
        var asked = TimeSpan.FromSeconds(welcome.HeartbeatSeconds);
        if (asked < _heartbeatInterval) _heartbeatInterval = asked;
        var members = new List<MemberEntry>(welcome.Members.Length);
        foreach (var member in welcome.Members)
        {
            if (member.Id == _ownId || !_members.TryAdd(member.Id, (member.Instance, member.Generation))) continue;
            members.Add(member);
        }
        _state = State.Joined;
        _events.Enqueue(new CoordinationClientEvent.Welcomed(members, welcome.Address));
    }

    private void HandleMember(MemberEntry member)
    {
        if (member.Id == _ownId) return;
        var known = _members.TryGetValue(member.Id, out var last);
        if (!known && _members.Count == CoordinationLimits.MaxMembersPerRoom)
        {
            Refuse(CoordinationErrorCode.BadMessage, "The server named more members than a room can have.");
            return;
        }
        var sameInstance = known && last.Instance == member.Instance;
        // PROTOCOL §2: receivers ignore lower generations. The same one comes when only the address changed.
        if (sameInstance && member.Generation < last.Generation) return;
        _members[member.Id] = (member.Instance, member.Generation);
        _events.Enqueue(sameInstance ? new CoordinationClientEvent.MemberUpdated(member) : new CoordinationClientEvent.MemberJoined(member));
    }

    private void HandleLeft(LeftMessage left)
    {
        if (!_members.Remove(left.Id)) return;
        // Later servers may know more reasons; all but silence are somebody's decision.
        var reason = string.Equals(left.Reason, LeftMessage.TimeoutReason, StringComparison.Ordinal) ? MemberLeftReason.Timeout : MemberLeftReason.Left;
        _events.Enqueue(new CoordinationClientEvent.MemberLeft(left.Id, reason));
    }

    private void SendHeartbeat()
    {
        _heartbeatsSent++;
        Send(new ClientHeartbeatMessage());
    }

    private void Send(ClientMessage message) => _messages.Enqueue(CoordinationJson.Write(message));

    private void Refuse(string code, string message) => End(new CoordinationClientEvent.Refused(code, message));

    private void End(CoordinationClientEvent last)
    {
        _state = State.Over;
        _events.Enqueue(last);
    }

    // A server's text reaches logs and terminals.
    private static string Printable(string text)
    {
        var kept = text.Length <= CoordinationLimits.MaxErrorTextLength ? text : text[..CoordinationLimits.MaxErrorTextLength];
        return string.Concat(kept.Where(c => !char.IsControl(c)));
    }
}
