using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Mdns;
using Punchline.Protocols.Noise;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Stun;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// One whole peer without its sockets and clock: STUN, punching, handshakes, connections and rooms, over one UDP
/// port, and others where that one does not do. The engine and the simulation both drive it. Feed one input, drain all outputs, re-arm one timer.
/// </summary>
internal sealed partial class NodeCore : IDisposable
{
    /// <summary>Rooms of a node, at most, those of calls among them; and as many connections to servers.</summary>
    public const int MaxRooms = 256;

    /// <summary>
    /// How often STUN servers are asked again: it keeps the socket's mapping, which members who come later will be told,
    /// and notices when it moved. Within RFC 4787 REQ-5's two minutes even for routers that know 30 s only.
    /// </summary>
    public static readonly TimeSpan StunRefreshInterval = TimeSpan.FromSeconds(20);

    /// <summary>Between two times that STUN servers are asked because something may have changed.</summary>
    private static readonly TimeSpan MinLookInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>Between two announcements of what peers say that they see of us: they may say something else all the time.</summary>
    private static readonly TimeSpan MinNewsInterval = TimeSpan.FromSeconds(1);

    private readonly NodeServices _services;
    private readonly StunClient _stun;
    private readonly List<Endpoint> _stunServers = [];
    private readonly Dictionary<Endpoint, Endpoint> _reflexiveByServer = [];
    // In the order of opening, so that a run replays.
    private readonly OrderedDictionary<int, RoomSession> _rooms = [];
    private readonly OrderedDictionary<int, IServerEnd> _serverEnds = [];
    private readonly NetworkProfiler _profiler;
    private readonly PortForward _forward;
    private int _lastRoom;
    private Timestamp _nextStunRefresh = Timestamp.Never;
    private Timestamp _nextLook;
    private Timestamp _nextObservedNews;

    /// <param name="identity">Stays the caller's.</param>
    /// <param name="random">All of the node's randomness.</param>
    /// <param name="observer">Sees what happens with each peer; null for nobody.</param>
    public NodeCore(P256KeyPair identity, IRandomSource random, INodeObserver? observer = null)
    {
        _services = new NodeServices(identity, random, observer);
        _stun = new StunClient(random);
        _profiler = new NetworkProfiler(_services);
        _forward = new PortForward(_services);
        _portMapper = new PortMapper(random);
        _mdns = new MdnsNode(random);
    }

    public PeerId Id => _services.Id;

    /// <summary>What STUN servers and the DHT's nodes saw of our socket.</summary>
    public IReadOnlyList<Endpoint> Reflexive => _services.Reflexive;

    /// <summary>What is known of our network.</summary>
    public NetworkProfile Profile => _services.Profile;

    /// <summary>Hints and connection ids that lead to a session; none once every room is closed.</summary>
    public int RouteCount => _services.Routes.Count;

    /// <summary>Paths on which a connection stands; none once every room is closed.</summary>
    public int OpenPathCount => _services.OpenPaths.Count;

    /// <summary>Goes through all connections: for whoever asks now and then.</summary>
    public NodeStatistics Statistics
    {
        get
        {
            var statistics = _services.Counted with
            {
                Rooms = _rooms.Count,
                ExternalPorts = _services.Reflexive.DistinctBy(reflexive => reflexive.Port).Count(),
                FiveTuples = _services.ProbeBudget.FiveTuples + _services.Search.Mappings + _services.Search.Probes + (ulong)_stunServers.Count + _services.SideSockets.FiveTuples + (_dht?.Statistics.FiveTuples ?? 0),
                SearchMappings = _services.Search.Mappings,
                SearchSessions = _services.Search.Probes,
            };
            foreach (var room in _rooms.Values) room.AddTo(ref statistics);
            return statistics;
        }
    }

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Min(
                Timestamp.Min(Timestamp.Min(_stun.NextTimeout, _nextStunRefresh), _portMapper.NextTimeout),
                Timestamp.Min(_services.SideSockets.NextTimeout, Timestamp.Min(_profiler.NextTimeout, _forward.NextTimeout)));
            next = Timestamp.Min(next, Timestamp.Min(Timestamp.Min(_services.Keeper.NextTimeout, _services.IPv6Keeper.NextTimeout), Timestamp.Min(_services.Tcp.NextTimeout, _services.TcpReflexive.NextTimeout)));
            if (_services.IsLookWanted) next = Timestamp.Min(next, _nextLook);
            if (_services.IsObservedNews) next = Timestamp.Min(next, _nextObservedNews);
            if (_tcpMapping is not null) next = Timestamp.Min(next, _tcpMapping.NextTimeout);
            if (_tcpOverIPv6 is not null) next = Timestamp.Min(next, _tcpOverIPv6.NextTimeout);
            if (_examiner is not null) next = Timestamp.Min(next, _examiner.NextTimeout);
            next = Timestamp.Min(next, Timestamp.Min(DhtTimeout, LinksTimeout));
            foreach (var end in _serverEnds.Values) next = Timestamp.Min(next, end.NextTimeout);
            foreach (var room in _rooms.Values) next = Timestamp.Min(next, room.NextTimeout);
            return next;
        }
    }

    /// <summary>The addresses of our interfaces, with the punching socket's port.</summary>
    public void SetHostAddresses(IReadOnlyList<HostAddress> addresses, Timestamp now)
    {
        var hasMoved = _services.HostAddresses.Count > 0 && !addresses.SequenceEqual(_services.HostAddresses);
        _services.HostAddresses = addresses;
        if (hasMoved)
        {
            _profiler.Restart();
            _routers = [];
            (_services.UdpRejectedBy, _hearsRejections) = (null, false);
            CountLayers();
            _services.Keeper.Restart();
            _services.IPv6Keeper.Restart();
            _forward.Restart();
            ForgetTcpMapping();
            RenewTcpOverIPv6(now);
            HurryTopics(now);
            foreach (var room in _rooms.Values) room.ChangeConnectionIds();
            Doubt(now);
        }
        HandleCandidatesChanged(now);
    }

    /// <summary>
    /// Whether a translator takes our packets to IPv4 addresses, although no interface has one (RFC 6146): its driver addresses them to it.
    /// </summary>
    public void SetNat64(bool hasNat64, Timestamp now)
    {
        if (_services.HasNat64 == hasNat64) return;
        _services.HasNat64 = hasNat64;
        HandleCandidatesChanged(now);
    }

    /// <summary>
    /// Something has happened that may have changed the network unseen, such as the machine's sleep: paths, STUN servers and
    /// coordination servers are asked at once whether all is as it was.
    /// </summary>
    public void Doubt(Timestamp now)
    {
        foreach (var room in _rooms.Values) room.DoubtPaths();
        Look(now);
    }

    /// <summary>Asks a STUN server where it sees us, now and from time to time.</summary>
    public void QueryStun(Endpoint server, Timestamp now)
    {
        if (_stunServers.Contains(server) || _stunServers.Count == StunClient.MaxQueries) return;
        NoteAsked(server);
        _stunServers.Add(server);
        _services.AsksStun = true;
        _stun.Query(server, now);
        _nextStunRefresh = Timestamp.Min(_nextStunRefresh, now + StunRefreshInterval);
    }

    /// <summary>Opens a room and returns its number. It lives by <see cref="HandleServerConnected"/>.</summary>
    /// <param name="keys">The room's.</param>
    /// <param name="name">What the others see.</param>
    /// <param name="allowed">Who may be connected to; null: everybody in the room.</param>
    /// <param name="use">What its connections carry; null: chat alone.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/> rooms already.</exception>
    public int OpenRoom(RoomKeys keys, string name, IReadOnlySet<PeerId>? allowed = null, RoomUse? use = null)
    {
        var number = TakeNumber();
        var self = new OwnIntroduction(_services, InstanceId.Generate(_services.Random), name);
        _rooms.Add(number, new RoomSession(_services, number, keys, self, room =>
        {
            var atServer = new RoomAtServer(_services, room, self);
            _serverEnds.Add(number, atServer);
            return atServer;
        })
        {
            Allowed = allowed,
            Use = use ?? RoomUse.Chat,
        });
        return number;
    }

    /// <summary>Calls a peer at its inbox, and returns the call's number, which its room has too once the peer takes it.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/> rooms already.</exception>
    public int OpenCall(PeerId peer, string name, RoomUse? use = null)
    {
        var number = TakeNumber();
        _serverEnds.Add(number, new OutgoingCall(_services, number, peer, name, use ?? RoomUse.Chat));
        return number;
    }

    /// <summary>Opens our inbox and returns its number.</summary>
    /// <param name="name">What those see whose calls are taken.</param>
    /// <param name="allowed">Who may ring; null: anyone.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/> rooms already.</exception>
    public int OpenInbox(string name, IReadOnlySet<PeerId>? allowed = null)
    {
        var number = TakeNumber();
        _serverEnds.Add(number, new InboxSession(_services, number, name, allowed));
        return number;
    }

    /// <summary>Takes a call that rings in an inbox; it goes on in the room whose number comes out. False: it rings no more.</summary>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/> rooms already.</exception>
    public bool TryAcceptCall(int inbox, int call, Timestamp now, out int room, RoomUse? use = null)
    {
        room = TakeNumber();
        if (!_serverEnds.TryGetValue(inbox, out var end) || (end as InboxSession)?.Accept(call, room, use ?? RoomUse.Chat, now) is not { } session) return false;
        _rooms.Add(room, session);
        return true;
    }

    /// <summary>Callers that an inbox remembers.</summary>
    public int CountCallers(int inbox) => _serverEnds.TryGetValue(inbox, out var end) && end is InboxSession session ? session.CallerCount : 0;

    /// <summary>Does not take a call that rings in an inbox.</summary>
    public void RefuseCall(int inbox, int call, CallRefusalCode reason, Timestamp now)
    {
        if (_serverEnds.TryGetValue(inbox, out var end) && end is InboxSession session) session.Refuse(call, reason, now);
    }

    /// <summary>Says goodbye in a room, withdraws a call, or closes an inbox; <see cref="CloseRoom"/> when that is out.</summary>
    public void LeaveRoom(int room, Timestamp now)
    {
        LeaveLinks(room);
        if (_rooms.TryGetValue(room, out var session)) session.Leave(now);
        else if (_serverEnds.TryGetValue(room, out var end)) end.Leave(now);
    }

    /// <summary>Whether goodbyes may still have to be repeated in a room that was left.</summary>
    public bool IsClosing(int room) => _rooms.TryGetValue(room, out var session) && session.IsClosing;

    /// <summary>Another process took our place, the server never let us in, or we left: there is no coming back.</summary>
    public bool IsServerFinal(int room) => !_serverEnds.TryGetValue(room, out var end) || end.Server.IsFinal;

    /// <summary>Whether the server that there is a connection to has us.</summary>
    public bool IsServed(int room) => _serverEnds.TryGetValue(room, out var end) && end.Server.IsServed;

    /// <summary>Forgets a room, call or inbox and everything in it.</summary>
    public void CloseRoom(int room)
    {
        LeaveLinks(room);
        _serverEnds.Remove(room);
        CloseTopic(room);
        if (_rooms.Remove(room, out var session)) session.Dispose();
    }

    /// <summary>A message to all members; false where one of them has too much unacknowledged already.</summary>
    public bool TrySend(int room, ReadOnlySpan<byte> text, Timestamp now, out ulong sequence)
    {
        sequence = 0;
        return _rooms.TryGetValue(room, out var session) && session.TrySend(text, now, out sequence);
    }

    /// <summary>Messages in a room that some member has not acknowledged.</summary>
    public int CountUndelivered(int room) => _rooms.TryGetValue(room, out var session) ? session.Undelivered : 0;

    /// <summary>
    /// Somebody waits for a connection to a member: where there is none and none is being made, another attempt begins. Says how
    /// things stand with it.
    /// </summary>
    /// <param name="room">The room.</param>
    /// <param name="peer">The member.</param>
    /// <param name="now">The time.</param>
    /// <param name="failure">Where no way was found.</param>
    public MemberStanding Connect(int room, PeerId peer, Timestamp now, out PunchFailure? failure)
    {
        failure = null;
        if (!_rooms.TryGetValue(room, out var session)) return MemberStanding.Absent;
        session.Connect(peer, now);
        return session.StandingOf(peer, out failure);
    }

    /// <summary>How things stand with a member of a room.</summary>
    public MemberStanding StandingOf(int room, PeerId peer, out PunchFailure? failure)
    {
        failure = null;
        return _rooms.TryGetValue(room, out var session) ? session.StandingOf(peer, out failure) : MemberStanding.Absent;
    }

    /// <summary>Ends a connection with the application's code, and does what its room makes of that.</summary>
    public void CloseConnection(ApplicationConnection connection, ulong code, string reason, Timestamp now)
    {
        connection.Close(code, reason, now);
        if (_rooms.TryGetValue(connection.Room, out var room)) room.HandleProgress(connection, now);
    }

    /// <summary>A datagram on one of our sockets. What is nobody's is dropped without a trace.</summary>
    public void HandleDatagram(PathAddress source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (datagram.IsEmpty) return;
        if (datagram[0] > 3) HandlePacket(source, datagram, now);
        else if (!StunMessage.IsStun(datagram)) return;
        else if (source.Local != SocketId.Main) HandleSideStun(source, datagram, now);
        else if (_stun.HandleDatagram(source.Remote, datagram, now)) DrainStun(now);
        else if (_forward.IsTesting && StunMessage.TryRead(datagram, out var message) && _forward.HandleDatagram(source.Remote, message, now)) HandleForwardNews(now);
        ProceedExamination(now);
    }

    private void HandleSideStun(PathAddress source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (_examiner?.HandleDatagram(source, datagram, now) is true) return;
        _services.SideSockets.HandleStun(source, datagram, now);
        HandleForwardNews(now);
    }

    private void HandlePacket(PathAddress source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        switch (datagram[0])
        {
            case (byte)'d' when source.Local == SocketId.Main:
                HandleDhtDatagram(source.Remote, datagram, now);
                break;
            case (byte)'d':
                _services.SideSockets.HandleKrpc(source, datagram, now);
                break;
            case PacketTypes.KeepAlive:
                _services.Routes.HandleKeepAlive(source, now);
                break;
            case >= HandshakePacket.FirstType and <= HandshakePacket.LastType:
                HandleHandshake(source, datagram, now);
                break;
            case >= PacketTypes.FirstData and <= PacketTypes.LastData:
                if (PacketHeader.TryRead(datagram, out var header)) HandleData(source, header.ConnectionId, datagram, now);
                break;
        }
    }

    public void HandleTimeout(Timestamp now)
    {
        _stun.HandleTimeout(now);
        DrainStun(now);
        _services.Tcp.HandleTimeout(now);
        _services.TcpReflexive.HandleTimeout(now);
        HandleTcpReflexiveNews(now);
        _tcpMapping?.HandleTimeout(now);
        _tcpOverIPv6?.HandleTimeout(now);
        _portMapper.HandleTimeout(now);
        DrainPortMapper(now);
        _services.SideSockets.HandleTimeout(now);
        if (_profiler.HandleTimeout(now)) HandleCandidatesChanged(now);
        _forward.HandleTimeout(now);
        HandleForwardNews(now);
        _services.Keeper.HandleTimeout(now);
        _services.IPv6Keeper.HandleTimeout(now);
        if (now >= _nextStunRefresh)
        {
            _nextStunRefresh = now + StunRefreshInterval;
            foreach (var server in _stunServers) _stun.Query(server, now);
        }
        HandleDhtTimeout(now);
        HandleLinksTimeout(now);
        foreach (var end in _serverEnds.Values) end.HandleTimeout(now);
        foreach (var room in _rooms.Values) room.HandleTimeout(now);
        if (_services.IsLookWanted && now >= _nextLook) Look(now);
        if (_services.IsObservedNews && now >= _nextObservedNews) HandleCandidatesChanged(now);
        ProceedExamination(now);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        while (TryDequeuePacket(now, buffer, out transmit))
        {
            if (transmit.Via.Carrier == Carrier.Udp || TryFrame(buffer, ref transmit)) return true;
        }
        return false;
    }

    private bool TryDequeuePacket(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (_stun.TryDequeueTransmit(now, buffer, out transmit) || _services.SideSockets.TryDequeueTransmit(now, buffer, out transmit)
            || _services.Keeper.TryDequeueTransmit(now, buffer, out transmit) || _services.IPv6Keeper.TryDequeueTransmit(now, buffer, out transmit) || _services.TcpReflexive.TryDequeueTransmit(buffer, out transmit)
            || _forward.TryDequeueTransmit(now, buffer, out transmit) || _tcpMapping?.TryDequeueTransmit(buffer, out transmit) is true || _tcpOverIPv6?.TryDequeueTransmit(buffer, out transmit) is true
            || _examiner?.TryDequeueTransmit(now, buffer, out transmit) is true
            || _services.Resets.TryDequeueTransmit(buffer, out transmit)) return true;
        foreach (var room in _rooms.Values)
        {
            if (room.TryDequeueTransmit(now, buffer, out transmit)) return true;
        }
        return TryDequeueLinksTransmit(buffer, out transmit) || TryDequeueDhtTransmit(now, buffer, out transmit);
    }

    /// <summary>The next event of a room, call or inbox. Who stops asking stops the members' messages before they fill the memory.</summary>
    public bool TryDequeueEvent(int room, Timestamp now, [NotNullWhen(true)] out NodeEvent? nodeEvent)
    {
        if (_serverEnds.TryGetValue(room, out var end) && end.TryDequeueEvent(out nodeEvent)) return true;
        nodeEvent = null;
        return _rooms.TryGetValue(room, out var session) && session.TryDequeueEvent(now, out nodeEvent);
    }

    /// <summary>A connection that is new to the application, has events for it, or has ended.</summary>
    public bool TryDequeueConnection([NotNullWhen(true)] out ApplicationConnection? connection)
    {
        if (!_services.ConnectionsWithNews.TryDequeue(out connection)) return false;
        connection.OnDequeued();
        return true;
    }

    public void Dispose()
    {
        foreach (var room in _rooms.Values) room.Dispose();
        _rooms.Clear();
        _serverEnds.Clear();
    }

    private void HandleCandidatesChanged(Timestamp now)
    {
        _services.IsObservedNews = false;
        _nextObservedNews = now + MinNewsInterval;
        foreach (var end in _serverEnds.Values) end.HandleCandidatesChanged(now);
        foreach (var room in _rooms.Values) room.HandleCandidatesChanged(now);
    }

    private int TakeNumber() => Math.Max(_rooms.Count, _serverEnds.Count) < MaxRooms
        ? ++_lastRoom
        : throw new InvalidOperationException($"A node has at most {MaxRooms} rooms.");
}
