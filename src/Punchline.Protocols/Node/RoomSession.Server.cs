using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// The room's entry at the coordination server, and what the server says of the others.
internal sealed partial class RoomSession
{
    /// <summary>What the join waits for STUN, at most (PROTOCOL §2).</summary>
    public static readonly TimeSpan MaxJoinDelay = TimeSpan.FromMilliseconds(150);

    private CoordinationClient? _server;
    private bool _hasJoined;
    private uint _generation;
    private Timestamp _announceAt = Timestamp.Never;
    private Timestamp _unservedSince;

    /// <summary>The server has us as a member, so its word on who is there counts.</summary>
    public bool IsServed => _hasJoined && _server is { IsOver: false };

    private Timestamp NextServerTimeout => Timestamp.Min(_server?.NextTimeout ?? Timestamp.Never, _announceAt);

    /// <summary>A WebSocket to the server stands.</summary>
    /// <param name="host">The host as dialled.</param>
    /// <param name="certificateKeyHash">Of the certificate that TLS showed; empty without TLS.</param>
    /// <param name="isLoopback">The server is on this machine.</param>
    /// <param name="now">The time.</param>
    public void HandleServerConnected(string host, ReadOnlySpan<byte> certificateKeyHash, bool isLoopback, Timestamp now)
    {
        AllowLoopback = isLoopback;
        _hasJoined = false;
        _server = new CoordinationClient(_services.Identity, _instance, host, Keys.Tag, certificateKeyHash, now);
        _announceAt = now + MaxJoinDelay;
        if (_services.Reflexive.Count > 0) Announce(now);
    }

    public void HandleServerMessage(ReadOnlySpan<byte> utf8, NodeCore node, Timestamp now)
    {
        _server?.HandleMessage(utf8, now);
        DrainServer(node, now);
    }

    public void HandleServerDisconnected(Timestamp now)
    {
        if (_server is null) return;
        var wasOver = _server.IsOver;
        _server = null;
        _announceAt = Timestamp.Never;
        if (!wasOver) LoseServer(now);
    }

    public bool TryDequeueServerMessage(out ReadOnlyMemory<byte> utf8)
    {
        utf8 = default;
        return _server is not null && _server.TryDequeueMessage(out utf8);
    }

    /// <summary>The server replaced or refused us, or we left: there is no coming back.</summary>
    public bool IsServerFinal { get; private set; }

    private void LeaveServer(Timestamp now)
    {
        _announceAt = Timestamp.Never;
        IsServerFinal = true;
        _server?.Leave(now);
    }

    private void HandleServerTimeout(Timestamp now)
    {
        if (now >= _announceAt) Announce(now);
        if (_server is null) return;
        _server.HandleTimeout(now);
        DrainServer(null, now);
    }

    private void DrainServer(NodeCore? node, Timestamp now)
    {
        while (_server is not null && _server.TryDequeueEvent(out var serverEvent))
        {
            switch (serverEvent)
            {
                case CoordinationClientEvent.Challenged challenged:
                    foreach (var stun in challenged.StunServers) node?.QueryStun(stun, now);
                    break;
                case CoordinationClientEvent.Welcomed welcomed:
                    _hasJoined = true;
                    _events.Enqueue(new NodeEvent.ServerJoined(_number));
                    foreach (var entry in welcomed.Members) Introduce(entry, now);
                    // Who left while we were away from the server; a direct path may still have it.
                    foreach (var member in _members.Where(known => welcomed.Members.All(entry => entry.Id != known.Session.Peer)))
                    {
                        member.GivenUpAt ??= now;
                        member.Session.Ping();
                    }
                    ApplyKeepAlive();
                    break;
                case CoordinationClientEvent.MemberJoined joined:
                    Introduce(joined.Member, now);
                    break;
                case CoordinationClientEvent.MemberUpdated updated:
                    Introduce(updated.Member, now);
                    break;
                case CoordinationClientEvent.MemberLeft left:
                    HandleMemberLeft(left, now);
                    break;
                case CoordinationClientEvent.Replaced:
                    IsServerFinal = true;
                    _events.Enqueue(new NodeEvent.ServerReplaced(_number));
                    GoOnUnserved(now);
                    break;
                case CoordinationClientEvent.Refused refused:
                    IsServerFinal = true;
                    _events.Enqueue(new NodeEvent.ServerRefused(_number, refused.Code, refused.Message));
                    GoOnUnserved(now);
                    break;
                case CoordinationClientEvent.ServerSilent:
                    LoseServer(now);
                    break;
            }
        }
    }

    private void LoseServer(Timestamp now)
    {
        if (_hasJoined) _events.Enqueue(new NodeEvent.ServerLost(_number));
        _hasJoined = false;
        GoOnUnserved(now);
    }

    // Presence is the peers' own business now: each is asked for a sign of life at once.
    private void GoOnUnserved(Timestamp now)
    {
        _unservedSince = now;
        ApplyKeepAlive();
    }

    private void ApplyKeepAlive()
    {
        foreach (var member in _members) member.Session.SetKeepAlive(KeepAliveOf(member));
    }

    private TimeSpan KeepAliveOf(Member member) => member.GivenUpAt is null ? KeepAliveInterval : UnservedKeepAlive;

    private void HandleMemberLeft(CoordinationClientEvent.MemberLeft left, Timestamp now)
    {
        var member = _members.Find(known => known.Session.Peer == left.Id);
        if (member is null) return;
        // Whatever the server says, a direct path may know better (PROTOCOL §10): who really left has said so there as well.
        member.GivenUpAt = now;
        member.HasLeftServer = left.Reason == MemberLeftReason.Left;
        member.Session.SetKeepAlive(UnservedKeepAlive);
        member.Session.Ping();
    }

    // The first blob joins, every later one updates.
    private void Announce(Timestamp now)
    {
        _announceAt = Timestamp.Never;
        if (_server is not { IsOver: false }) return;
        _generation++;
        _server.ProvideBlob(_generation, CreateBlob().Seal(Keys, _services.Random), now);
    }

    private IntroductionBlob CreateBlob()
    {
        var candidates = new List<Candidate>();
        foreach (var reflexive in _services.Reflexive) candidates.Add(new Candidate(CandidateKind.ServerReflexive, reflexive));
        foreach (var host in _services.HostAddresses)
        {
            if (AddressScope.IsLoopback(host.Endpoint) && !AllowLoopback) continue;
            if (!_services.Reflexive.Contains(host.Endpoint)) candidates.Add(new Candidate(CandidateKind.Host, host.Endpoint));
        }
        return new IntroductionBlob(_services.PublicKey, _instance, _generation, _name, [.. candidates.Take(Candidate.MaxPerPeer)]);
    }
}
