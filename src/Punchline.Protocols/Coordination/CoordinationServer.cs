using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

/// <summary>
/// The coordination server without its sockets: connections come in by number, rooms are found by their tags, and the
/// members of a room are introduced to each other the moment one joins. Everything is in memory and may be lost: peers
/// join again by themselves. Not thread-safe; the same inputs give the same outputs.
/// </summary>
/// <param name="random">Nonces and ephemeral keys.</param>
/// <param name="certificateKeyHash">SHA-256 of our certificate's SubjectPublicKeyInfo; empty where a proxy ends TLS.</param>
/// <param name="capacity">What it holds at most; null is <see cref="CoordinationLimits"/>.</param>
internal sealed partial class CoordinationServer(
    IRandomSource random, ReadOnlySpan<byte> certificateKeyHash = default, CoordinationCapacity? capacity = null)
{
    private readonly CoordinationCapacity _capacity = capacity ?? new CoordinationCapacity();
    private readonly byte[] _certificateKeyHash = certificateKeyHash.ToArray();
    private readonly Dictionary<long, PendingConnection> _pending = [];
    private readonly Dictionary<long, Member> _joined = [];
    // By the tag's text, as bytes make no dictionary key; a tag of a room and the same one of an inbox are two places.
    private readonly Dictionary<(PlaceKind Kind, string Tag), Room> _rooms = [];
    // All time-outs of a kind are equally long, so a list in order of arrival is a queue by deadline.
    private readonly LinkedList<PendingConnection> _pendingByAge = new();
    private readonly LinkedList<Member> _membersBySilence = new();
    private readonly Queue<(long Connection, ReadOnlyMemory<byte> Utf8)> _sends = new();
    private readonly Queue<long> _closes = new();
    private readonly Queue<CoordinationServerEvent> _events = new();

    /// <summary>Members of all rooms, connected or within their 15 s of grace.</summary>
    public int MemberCount => _membersBySilence.Count;

    /// <summary>Rooms, and inboxes with somebody there.</summary>
    public int RoomCount => _rooms.Count;

    public int ConnectionCount => _pending.Count + _joined.Count;

    public Timestamp NextTimeout
    {
        get
        {
            var join = _pendingByAge.First is { Value: var pending } ? pending.JoinBy : Timestamp.Never;
            var silence = _membersBySilence.First is { Value: var member } ? member.ExpiresAt : Timestamp.Never;
            return Timestamp.Min(join, silence);
        }
    }

    /// <summary>A WebSocket opened on a room's or an inbox's URL.</summary>
    /// <param name="connection">A number never used before.</param>
    /// <param name="from">The TCP connection's other end.</param>
    /// <param name="host">The Host header as it came.</param>
    /// <param name="tag">The room's or inbox's tag, from the URL.</param>
    /// <param name="stunServers">Where this connection's peer finds STUN; what exceeds <see cref="CoordinationLimits.MaxStunServers"/> is left out.</param>
    /// <param name="now">The time.</param>
    /// <param name="kind">What the URL says that the tag is of.</param>
    public void HandleConnected(
        long connection, Endpoint from, string host, ReadOnlySpan<byte> tag, IReadOnlyList<Endpoint> stunServers, Timestamp now, PlaceKind kind = PlaceKind.Room)
    {
        if (host.Length > CoordinationLimits.MaxHostLength || tag.Length is < CoordinationLimits.MinTagBytes or > CoordinationLimits.MaxTagBytes)
        {
            Refuse(connection, from, CoordinationErrorCode.BadMessage, "The host or the room's tag is too long or too short.");
            return;
        }
        if (ConnectionCount == _capacity.MaxConnections)
        {
            Refuse(connection, from, CoordinationErrorCode.ServerFull, "The server has no room for more connections.");
            return;
        }
        // An ephemeral key a connection: 25 µs beside the 1 ms or so of the TLS handshake that came before.
        var pending = new PendingConnection(
            connection, from, host.ToLowerInvariant(), kind, tag.ToArray(), random.NextBytes(CoordinationLimits.NonceBytes), P256KeyPair.Generate(random),
            now + CoordinationLimits.JoinTimeout);
        _pending.Add(connection, pending);
        pending.Node = _pendingByAge.AddLast(pending);
        Send(connection, new ChallengeMessage(
            pending.Nonce,
            pending.Ephemeral.PublicKey.ToArray(),
            [.. stunServers.Take(CoordinationLimits.MaxStunServers)],
            _certificateKeyHash.Length == 0 ? null : _certificateKeyHash));
    }

    /// <summary>One text message. Of a connection that was closed already it is ignored.</summary>
    public void HandleMessage(long connection, ReadOnlySpan<byte> utf8, Timestamp now)
    {
        if (_pending.TryGetValue(connection, out var pending)) HandlePendingMessage(pending, utf8, now);
        else if (_joined.TryGetValue(connection, out var member)) HandleMemberMessage(member, utf8, now);
    }

    /// <summary>
    /// The connection is gone. Its member stays until it has been silent for 15 s: a connection that breaks is no
    /// goodbye, and who joins again in time was never away (PROTOCOL §2).
    /// </summary>
    public void HandleDisconnected(long connection)
    {
        if (_pending.TryGetValue(connection, out var pending)) Forget(pending);
        else if (_joined.Remove(connection, out var member)) member.Connection = null;
    }

    public void HandleTimeout(Timestamp now)
    {
        while (_pendingByAge.First is { Value: var pending } && pending.JoinBy <= now)
        {
            Forget(pending);
            Refuse(pending.Connection, pending.From, CoordinationErrorCode.JoinTimeout, "The join did not come in time.");
        }
        while (_membersBySilence.First is { Value: var member } && member.ExpiresAt <= now) Remove(member, MemberLeftReason.Timeout);
    }

    /// <summary>A text message to send, in UTF-8; the same bytes may go to many.</summary>
    public bool TryDequeueSend(out long connection, out ReadOnlyMemory<byte> utf8)
    {
        var dequeued = _sends.TryDequeue(out var send);
        (connection, utf8) = send;
        return dequeued;
    }

    /// <summary>A connection to close once what was sent to it is out. Drain the sends first.</summary>
    public bool TryDequeueClose(out long connection) => _closes.TryDequeue(out connection);

    public bool TryDequeueEvent([NotNullWhen(true)] out CoordinationServerEvent? serverEvent) => _events.TryDequeue(out serverEvent);

    private void HandlePendingMessage(PendingConnection pending, ReadOnlySpan<byte> utf8, Timestamp now)
    {
        if (!CoordinationJson.TryRead(utf8, out ClientMessage? message))
        {
            RefusePending(pending, CoordinationErrorCode.BadMessage, "This is no message of this protocol.");
            return;
        }
        switch (message)
        {
            case JoinMessage join: HandleJoin(pending, join, now); break;
            case { } unknown when unknown.GetType() == typeof(ClientMessage): break;
            default: RefusePending(pending, CoordinationErrorCode.BadMessage, "The first message has to be a join."); break;
        }
    }

    private void HandleMemberMessage(Member member, ReadOnlySpan<byte> utf8, Timestamp now)
    {
        if (!CoordinationJson.TryRead(utf8, out ClientMessage? message) || message is JoinMessage || (message is SignalMessage && member.SignalPacer is null))
        {
            RefuseMember(member, CoordinationErrorCode.BadMessage, "This is no message of this protocol, or not at this point of it.");
            return;
        }
        ShowLife(member, now);
        switch (message)
        {
            case UpdateMessage update when update.Generation > member.Generation:
                member.Generation = update.Generation;
                member.Blob = update.Blob;
                Broadcast(member, new UpdatedMessage(member.ToEntry()));
                break;
            case ClientHeartbeatMessage:
                Send(member.Connection!.Value, new ServerHeartbeatMessage());
                break;
            case SignalMessage signal:
                HandleSignal(member, signal, now);
                break;
            case LeaveMessage:
                Remove(member, MemberLeftReason.Left);
                break;
        }
    }

    // Handed on and forgotten. To somebody who is away, or not this sender's to know of, it goes nowhere: whoever waits for an
    // answer sends it again when the other is back.
    private void HandleSignal(Member member, SignalMessage signal, Timestamp now)
    {
        if (!member.SignalPacer!.TryTake(now))
        {
            RefuseMember(member, CoordinationErrorCode.TooManySignals, "An inbox carries a few signals, and no data.");
            return;
        }
        if (member.Room.Find(signal.To) is { Connection: { } connection } to && AreIntroduced(member, to)) Send(connection, new SignalledMessage(member.Id, signal.Data));
    }

    private void ShowLife(Member member, Timestamp now)
    {
        member.ExpiresAt = now + CoordinationLimits.SilenceLimit;
        _membersBySilence.Remove(member.Node);
        _membersBySilence.AddLast(member.Node);
    }

    private void Forget(PendingConnection pending)
    {
        _pending.Remove(pending.Connection);
        _pendingByAge.Remove(pending.Node!);
        pending.Ephemeral.Dispose();
    }

    private void RefusePending(PendingConnection pending, string code, string message)
    {
        Forget(pending);
        Refuse(pending.Connection, pending.From, code, message);
    }

    // Its entry stays for its 15 s of grace.
    private void RefuseMember(Member member, string code, string message)
    {
        var connection = member.Connection!.Value;
        HandleDisconnected(connection);
        Refuse(connection, member.Address, code, message);
    }

    private void Refuse(long connection, Endpoint from, string code, string message)
    {
        Send(connection, new ErrorMessage(code, message));
        _closes.Enqueue(connection);
        _events.Enqueue(new CoordinationServerEvent.Refused(connection, from, code));
    }

    private void Send(long connection, ServerMessage message) => _sends.Enqueue((connection, CoordinationJson.Write(message)));

    /// <summary>To all others of its room that are introduced to it; serialized once.</summary>
    private void Broadcast(Member about, ServerMessage message)
    {
        ReadOnlyMemory<byte> utf8 = CoordinationJson.Write(message);
        foreach (var member in about.Room.Members)
        {
            if (AreIntroduced(member, about) && member.Connection is { } connection) _sends.Enqueue((connection, utf8));
        }
    }
}
