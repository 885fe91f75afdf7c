using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Mdns;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Gateways;

namespace Punchline.Simulation.Peers;

/// <summary>The production node, driven by the virtual internet where the engine would drive it: one machine, one socket, one room.</summary>
internal sealed partial class SimulatedPeer : ISimulatedHost, IDisposable
{
    public const ushort Port = 40_000;

    private static readonly Endpoint InternetRouter = Endpoint.Parse("198.51.100.1:0");

    private const int LanPrefixLength = 24;
    private const int IPv6PrefixLength = 64;

    // For PCP, NAT-PMP and SSDP.
    private const ushort GatewayPort = 40_001;

    // As the engine's link to the server has them.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    private static readonly RoomUse Use = new(HasChat: true, new HashSet<string>(StringComparer.Ordinal) { SimulatedApplication.Protocol });

    private readonly VirtualInternet _internet;
    private readonly Machine _machine;
    private readonly P256KeyPair _identity;
    private readonly NodeCore _node;
    private readonly RoomKeys _keys;
    private readonly SimulatedSocket _socket;
    private readonly bool _ownsIdentity;
    private readonly IReadOnlySet<PeerId>? _allowed;
    private readonly IRandomSource _random;
    private readonly Nat64Prefix? _nat64;
    private List<NodeEvent> _events = [];
    private int _room;
    private ChannelEnd? _server;
    private Action? _connectAgain;
    private TimeSpan _pause = FirstPause;
    private Timestamp _serverSince;

    /// <param name="internet">Where it lives.</param>
    /// <param name="machine">What it runs on; its port must be free there.</param>
    /// <param name="keys">The room's.</param>
    /// <param name="identity">Stays the caller's; null: one of its own.</param>
    /// <param name="allowed">Whom it connects to; null: everybody.</param>
    /// <param name="tcpPort">Where it listens, and connects from; 0: it has no TCP.</param>
    public SimulatedPeer(
        VirtualInternet internet, Machine machine, RoomKeys keys, P256KeyPair? identity = null, IReadOnlySet<PeerId>? allowed = null, ushort tcpPort = 0)
    {
        _internet = internet;
        _machine = machine;
        _keys = keys;
        _allowed = allowed;
        _random = internet.NewRandom();
        _ownsIdentity = identity is null;
        _identity = identity ?? P256KeyPair.Generate(_random);
        _node = new NodeCore(_identity, _random);
        OpenTcp(tcpPort);
        ShowHostAddress();
        // As the engine's socket has it.
        _nat64 = machine.Site is { HasNat64: true, HasIPv4: false } ? VirtualInternet.Nat64Prefix : null;
        if (_nat64 is not null) _node.SetNat64(true, internet.Now);
        _room = _node.OpenRoom(keys, machine.Name, allowed, Use);
        _socket = machine.Bind(Port, this);
        SideSockets = new SimulatedSideSockets(_node, machine, _nat64);
    }

    public string Name => _machine.Name;

    public Machine Machine => _machine;

    public PeerId Id => _node.Id;

    /// <summary>All that the node has told of the room, in order.</summary>
    public IReadOnlyList<NodeEvent> Events => _events;

    /// <summary>Comes back to the server with growing pauses, as the engine does, until that is final.</summary>
    public bool ComesBack { get; set; }

    /// <summary>The routers on the way out say that packets end at them, and the system tells us.</summary>
    public bool SeesRouters { get; set; } = true;

    /// <summary>False: what the node has to tell waits there, as where an application is busy.</summary>
    public bool TakesEvents { get; set; } = true;

    /// <summary>What uses the connections, beside the room's messages.</summary>
    public SimulatedApplication Application { get; } = new();

    /// <summary>False after <see cref="Kill"/>.</summary>
    public bool IsAlive { get; private set; } = true;

    public NodeCore Node => _node;

    public SimulatedSideSockets SideSockets { get; }

    /// <summary>Addresses of other interfaces, which lead to no one.</summary>
    public IReadOnlyList<HostAddress> Noise { get; set; } = [];

    public P256KeyPair Identity => _identity;

    /// <summary>When it last sent a message to the server, or a packet of a connection to a peer: its last sign of life once it is dead.</summary>
    public Timestamp LastSent { get; private set; }

    /// <summary>When it last got a packet of a connection.</summary>
    public Timestamp LastData { get; private set; }

    public int Undelivered => _node.CountUndelivered(_room);

    public Timestamp NextTimeout => _node.NextTimeout;

    /// <summary>How much later than they come the server's messages are acted on: a busy machine's.</summary>
    public TimeSpan Lag { get; set; }

    /// <summary>What it understands of what members say of themselves by the server: an older version passes over what it does not know.</summary>
    public Func<IntroductionBlob, IntroductionBlob>? Understands { get; set; }

    /// <summary>Called with every datagram that arrives, before the node has it.</summary>
    public Action<Endpoint, ReadOnlySpan<byte>>? Overheard { get; set; }

    /// <summary>Called with the destination of every datagram that leaves.</summary>
    public Action<Endpoint>? Sending { get; set; }

    public IEnumerable<T> EventsOf<T>()
        where T : NodeEvent => _events.OfType<T>();

    public bool IsConnectedTo(SimulatedPeer other)
    {
        var last = _events.LastOrDefault(e => e is NodeEvent.Connected c && c.Peer == other.Id || e is NodeEvent.Disconnected d && d.Peer == other.Id);
        return last is NodeEvent.Connected;
    }

    public IEnumerable<string> TextsFrom(SimulatedPeer other) =>
        EventsOf<NodeEvent.MessageReceived>().Where(message => message.Peer == other.Id).Select(message => message.Text);

    /// <summary>Has its port mapped by the site's gateway, as the engine does once it joins.</summary>
    public void UseGateway(SimulatedGateway gateway)
    {
        _machine.Bind(GatewayPort, new GatewayEnd(_internet, _node, gateway, _machine));
        _node.MapPort(Port, _internet.Now);
    }

    /// <summary>Looks for members on the site's LAN by multicast DNS, as the engine does once a room is opened.</summary>
    /// <param name="hasServer">The room has a server as well.</param>
    public void UseLinks(bool hasServer = false)
    {
        if (_machine.FindSocket(MdnsService.Port) is null) _machine.Bind(MdnsService.Port, new LinkEnd(_node));
        ShowHostAddress();
        _node.ShowOnLinks(_room, hasServer, _internet.Now);
    }

    /// <summary>Opens the connection to the server and joins, STUN beside it, as the engine does.</summary>
    public void Join(SimulatedServer server, TimeSpan serverDelay)
    {
        _connectAgain = () => Join(server, serverDelay);
        if (SeesRouters) _node.SetRouters([.. RoutersOnTheWay()], hearsRejections: false, _internet.Now);
        foreach (var stun in server.StunEndpoints.Where(stun => stun.Port == SimulatedServer.Port).DistinctBy(stun => stun.IsIPv4)) _node.QueryStunOverTcp(stun, _internet.Now);
        foreach (var stun in server.StunEndpoints) _node.QueryStun(stun, _internet.Now);
        // What the server sees is the router's address; its port is of no use to anybody.
        var outermost = _machine.Site;
        while (outermost?.Behind is { } carrier) outermost = carrier;
        var from = outermost is { Nat.Behavior.Translates: true, HasIPv4: true } ? outermost.ExternalAt(0) : _machine.At(0);
        _server = server.Connect(Name, from, _keys.Tag, serverDelay);
        if (_server is null)
        {
            ConnectLater();
            return;
        }
        _serverSince = _internet.Now;
        _server.Received = utf8 =>
        {
            if (Understands is { } understands) utf8 = Understood(utf8, understands);
            if (Lag == TimeSpan.Zero) _node.HandleServerMessage(_room, utf8.Span, _internet.Now);
            else _internet.ScheduleAt(Name, _internet.Now + Lag, () => _node.HandleServerMessage(_room, utf8.Span, _internet.Now));
        };
        _server.Broken = LoseServer;
        _node.HandleServerConnected(_room, SimulatedServer.Host, [], isLoopback: false, _internet.Now);
    }

    /// <summary>Instead of <see cref="Join"/>: looks for the members in the DHT.</summary>
    /// <param name="bootstraps">Nodes to begin with.</param>
    /// <param name="utc">What this machine's wall clock shows, from 1970 on.</param>
    public void JoinInDht(IEnumerable<Endpoint> bootstraps, TimeSpan utc)
    {
        var now = _internet.Now;
        _node.CloseRoom(_room);
        if (SeesRouters) _node.SetRouters([.. RoutersOnTheWay()], hearsRejections: false, now);
        _node.StartDht([], DhtRoomScenario.FamiliesOf(_machine), now);
        _node.SetUtc(utc, now);
        foreach (var bootstrap in bootstraps) _node.Dht!.AddBootstrap(bootstrap, now);
        _room = _node.OpenRoomInDht(_keys, Name, Port, now, _allowed, Use);
    }

    // As the engine finds them on Linux: by their inner addresses, and one of the internet's.
    private IEnumerable<Endpoint?> RoutersOnTheWay()
    {
        for (var site = _machine.Site; site is not null; site = site.Behind) yield return new Endpoint(site.Lan + 1, 0);
        yield return InternetRouter;
    }

    /// <summary>The machine goes to another network, and the peer hears of its new address as the engine does from the system.</summary>
    public void Roam(Site site)
    {
        _internet.Move(_machine, site);
        ShowHostAddress();
    }

    /// <summary>What the system says of the machine's interfaces now.</summary>
    public void ShowHostAddress()
    {
        HostAddress[] addresses = [.. Noise, .. _machine.Addresses.Select(address => new Endpoint(address, Port)).Select(at => new HostAddress(at, at.IsIPv4 ? LanPrefixLength : IPv6PrefixLength))];
        _node.SetHostAddresses(addresses, _internet.Now);
        // An interface of the engine's keeps its number in another network, and has another address.
        if (_machine.FindSocket(MdnsService.Port) is not null) _node.SetLinks([new MdnsNetwork(LinkEnd.Network, addresses[Noise.Count..])], _internet.Now);
    }

    public bool Send(string text) => _node.TrySend(_room, Encoding.UTF8.GetBytes(text), _internet.Now, out _);

    public void Leave() => _node.LeaveRoom(_room, _internet.Now);

    /// <summary>Forgets the room, as the engine does behind the last goodbye.</summary>
    public void CloseRoom()
    {
        CutServer();
        _node.CloseRoom(_room);
    }

    /// <summary>The same process enters the room again, which it had left; its events begin anew.</summary>
    public void OpenRoomAgain()
    {
        _events = [];
        _pause = FirstPause;
        _room = _node.OpenRoom(_keys, Name, use: Use);
    }

    public bool IsClosing => _node.IsClosing(_room);

    /// <summary>As by a power cut: nobody is told, and the server's TCP connection just falls silent.</summary>
    public void Kill()
    {
        IsAlive = false;
        _socket.Close();
        if (_tcpPort != 0) _machine.Tcp.Kill();
        SideSockets.Close();
        CutServer();
    }

    /// <summary>Nothing comes from the server or gets to it any more, and nobody is told.</summary>
    public void CutServer()
    {
        if (_server is null) return;
        _server.Received = null;
        _server.Broken = null;
        _server = null;
    }

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (_nat64 is not null && _nat64.TryExtract(source, out var ipv4)) source = ipv4;
        Overheard?.Invoke(source, datagram);
        if (datagram[0] is >= PacketTypes.FirstData and <= PacketTypes.LastData) LastData = now;
        _node.HandleDatagram(source, datagram, now);
    }

    public void HandleTimeout(Timestamp now) => _node.HandleTimeout(now);

    public SimulatedSocket? SenderOf(in Transmit transmit, SimulatedSocket asked) => SideSockets.SenderOf(transmit, asked);

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        while (_node.TryDequeueServerMessage(out _, out var utf8))
        {
            _server?.Send(utf8.Span);
            LastSent = now;
        }
        // Behind what was just sent, which may be why.
        if (_node.TryDequeueServerClose(out _)) _internet.Schedule(now, LoseServer);
        while (_node.TryDequeueDhtEvent(now, out _))
        {
            // What concerns the room the node itself takes.
        }
        while (_node.TryDequeueConnection(out var connection)) Application.Handle(connection);
        while (TakesEvents && _node.TryDequeueEvent(_room, now, out var nodeEvent)) _events.Add(nodeEvent);
        do
        {
            while (_node.TryDequeueTransmit(now, buffer, out transmit))
            {
                if (buffer[0] is >= PacketTypes.FirstData and <= PacketTypes.LastData) LastSent = now;
                if (transmit.Via.Carrier == Carrier.Udp)
                {
                    Sending?.Invoke(transmit.Destination);
                    if (_nat64 is not null && transmit.Destination.IsIPv4) transmit = transmit with { Destination = _nat64.Embed(transmit.Destination) };
                    return true;
                }
                SendOverTcp(transmit.Via, buffer[..transmit.Length]);
            }
        }
        while (SideSockets.Change(now));
        while (_node.TryDequeueTcpCommand(out var command)) Execute(command);
        return false;
    }

    public void Dispose()
    {
        _node.Dispose();
        if (_ownsIdentity) _identity.Dispose();
    }

    private ReadOnlyMemory<byte> Understood(ReadOnlyMemory<byte> utf8, Func<IntroductionBlob, IntroductionBlob> understands)
    {
        MemberEntry Of(MemberEntry entry) => IntroductionBlob.TryOpen(entry.Blob, _keys, out var introduction) ? entry with { Blob = understands(introduction).Seal(_keys, _random) } : entry;
        return !CoordinationJson.TryRead(utf8.Span, out ServerMessage? message) ? utf8 : message switch
        {
            WelcomeMessage welcome => CoordinationJson.Write(welcome with { Members = [.. welcome.Members.Select(Of)] }),
            JoinedMessage joined => CoordinationJson.Write(joined with { Member = Of(joined.Member) }),
            UpdatedMessage updated => CoordinationJson.Write(updated with { Member = Of(updated.Member) }),
            _ => utf8,
        };
    }

    private void LoseServer()
    {
        CutServer();
        if (_internet.Now - _serverSince >= MaxPause) _pause = FirstPause;
        var isFinal = _node.IsServerFinal(_room);
        _node.HandleServerDisconnected(_room, _internet.Now);
        if (!isFinal) ConnectLater();
    }

    private void ConnectLater()
    {
        if (!ComesBack) return;
        var room = _room;
        _internet.Schedule(_internet.Now + (_pause * (1 + (_random.NextDouble() / 2))), () =>
        {
            if (!IsAlive || room != _room || _server is not null || _node.IsServerFinal(room)) return;
            // The channel passes no router; a new one would.
            if (_machine.Site is { Uplink.Up.IsUp: false }) ConnectLater();
            else _connectAgain?.Invoke();
        });
        _pause = _pause * 2 < MaxPause ? _pause * 2 : MaxPause;
    }
}
