using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Simulation.Peers;

/// <summary>
/// The production node with an inbox, calls, or both, driven by the virtual internet where the engine would drive it. Its
/// connections to the server are made again when they break, as the engine makes them.
/// </summary>
internal sealed class SimulatedPhone : ISimulatedHost, IDisposable
{
    private const ushort Port = 40_000;
    private const int LanPrefixLength = 24;
    private const int IPv6PrefixLength = 64;

    // A call that goes on while its peer is not back at the server asks again and again, ever more seldom.
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    private readonly VirtualInternet _internet;
    private readonly Machine _machine;
    private readonly P256KeyPair _identity;
    private readonly NodeCore _node;
    private readonly SimulatedServer? _server;
    private readonly TimeSpan _serverDelay;
    private readonly SimulatedSocket _socket;
    private readonly Dictionary<int, Link> _links = [];
    private readonly HashSet<int> _numbers = [];
    private readonly List<NodeEvent> _events = [];
    private readonly bool _ownsIdentity;

    public SimulatedPhone(VirtualInternet internet, Machine machine, SimulatedServer? server, TimeSpan serverDelay, P256KeyPair? identity = null)
    {
        _internet = internet;
        _machine = machine;
        _server = server;
        _serverDelay = serverDelay;
        var random = internet.NewRandom();
        _ownsIdentity = identity is null;
        _identity = identity ?? P256KeyPair.Generate(random);
        _node = new NodeCore(_identity, random);
        _node.SetHostAddresses([.. machine.Addresses.Select(address => new Endpoint(address, Port)).Select(host => new HostAddress(host, host.IsIPv4 ? LanPrefixLength : IPv6PrefixLength))], internet.Now);
        _socket = machine.Bind(Port, this);
        SideSockets = new SimulatedSideSockets(_node, machine);
    }

    public PeerId Id => _node.Id;

    public string Name => _machine.Name;

    public Machine Machine => _machine;

    public NodeCore Node => _node;

    public SimulatedSideSockets SideSockets { get; }

    public Endpoint Host => _machine.At(Port);

    /// <summary>All that the node has told, in order.</summary>
    public IReadOnlyList<NodeEvent> Events => _events;

    /// <summary>Every datagram that went out.</summary>
    public List<(Endpoint To, byte[] Bytes)> Sent { get; } = [];

    /// <summary>Every text of the server's that came in.</summary>
    public List<string> Heard { get; } = [];

    public Timestamp NextTimeout => _node.NextTimeout;

    public IEnumerable<T> EventsOf<T>()
        where T : NodeEvent => _events.OfType<T>();

    public bool IsConnected(int room)
    {
        var last = _events.LastOrDefault(e => e.Room == room && e is NodeEvent.Connected or NodeEvent.Disconnected or NodeEvent.MemberLeft);
        return last is NodeEvent.Connected;
    }

    public IEnumerable<string> TextsIn(int room) => EventsOf<NodeEvent.MessageReceived>().Where(message => message.Room == room).Select(message => message.Text);

    public int OpenInbox() => Open(_node.OpenInbox(Name), TagOf(Id));

    public int Call(PeerId peer) => Open(_node.OpenCall(peer, Name), TagOf(peer));

    /// <summary>Joins the DHT, in which inboxes and calls may be then.</summary>
    public void JoinDht(IEnumerable<Endpoint> bootstraps, TimeSpan utc)
    {
        _node.StartDht([], DhtRoomScenario.FamiliesOf(_machine), _internet.Now);
        _node.SetUtc(utc, _internet.Now);
        foreach (var bootstrap in bootstraps) _node.Dht!.AddBootstrap(bootstrap, _internet.Now);
    }

    public int OpenInboxInDht() => Note(_node.OpenInboxInDht(Name, Port, _internet.Now));

    public int CallInDht(PeerId peer) => Note(_node.OpenCallInDht(peer, Name, Port, _internet.Now));

    /// <summary>Takes the latest call that rang.</summary>
    public int Accept(int inbox) => Accept(inbox, EventsOf<NodeEvent.CallRang>().Last().Call);

    public int Accept(int inbox, int call)
    {
        if (!_node.TryAcceptCall(inbox, call, _internet.Now, out var room)) throw new InvalidOperationException("The call rings no more.");
        _numbers.Add(room);
        return room;
    }

    public void Refuse(int inbox, CallRefusalCode reason) => _node.RefuseCall(inbox, EventsOf<NodeEvent.CallRang>().Last().Call, reason, _internet.Now);

    public bool Send(int room, string text) => _node.TrySend(room, Encoding.UTF8.GetBytes(text), _internet.Now, out _);

    public void Leave(int number) => _node.LeaveRoom(number, _internet.Now);

    /// <summary>The machine goes to another network, and the peer hears of its new address as the engine does from the system.</summary>
    public void Roam(Site site)
    {
        _internet.Move(_machine, site);
        _node.SetHostAddresses([new HostAddress(_machine.At(Port), LanPrefixLength)], _internet.Now);
    }

    /// <summary>As by a power cut: nobody is told.</summary>
    public void Kill()
    {
        _socket.Close();
        SideSockets.Close();
        foreach (var link in _links.Values) link.Cut();
    }

    /// <summary>The connection to the server breaks, and both ends notice.</summary>
    public void BreakLink(int number) => _links[number].Break();

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => _node.HandleDatagram(source, datagram, now);

    public void HandleTimeout(Timestamp now) => _node.HandleTimeout(now);

    public SimulatedSocket? SenderOf(in Transmit transmit, SimulatedSocket asked) => SideSockets.SenderOf(transmit, asked);

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        while (_node.TryDequeueServerMessage(out var number, out var utf8)) _links[number].Send(utf8.Span);
        while (_node.TryDequeueDhtEvent(now, out _))
        {
            // Nobody here looks for anything by hand.
        }
        foreach (var number in _numbers)
        {
            while (_node.TryDequeueEvent(number, now, out var nodeEvent)) _events.Add(nodeEvent);
        }
        while (!_node.TryDequeueTransmit(now, buffer, out transmit))
        {
            if (!SideSockets.Change(now)) return false;
        }
        Sent.Add((transmit.Destination, buffer[..transmit.Length].ToArray()));
        return true;
    }

    public void Dispose()
    {
        _node.Dispose();
        if (_ownsIdentity) _identity.Dispose();
    }

    private static byte[] TagOf(PeerId peer) => RoomKeys.OfInbox(peer).Tag;

    private int Note(int number)
    {
        _numbers.Add(number);
        return number;
    }

    private int Open(int number, byte[] tag)
    {
        foreach (var stun in _server!.StunEndpoints) _node.QueryStun(stun, _internet.Now);
        _numbers.Add(number);
        var link = new Link(this, number, tag);
        _links.Add(number, link);
        link.Connect();
        return number;
    }

    private sealed class Link(SimulatedPhone phone, int number, byte[] tag)
    {
        private ChannelEnd? _end;
        private TimeSpan _pause = FirstPause;
        private bool _isCut;

        public void Connect()
        {
            if (_isCut) return;
            var site = phone._machine.Site;
            while (site?.Behind is { } carrier) site = carrier;
            var from = site is { Nat.Behavior.Translates: true } ? site.ExternalAt(0) : phone._machine.At(0);
            _end = phone._server!.Connect(phone.Name, from, tag, phone._serverDelay, PlaceKind.Inbox);
            if (_end is null)
            {
                ConnectLater();
                return;
            }
            _end.Received = utf8 =>
            {
                phone.Heard.Add(Encoding.UTF8.GetString(utf8.Span));
                phone._node.HandleServerMessage(number, utf8.Span, phone._internet.Now);
                if (phone._node.IsServed(number)) _pause = FirstPause;
            };
            _end.Broken = HandleBroken;
            phone._node.HandleServerConnected(number, SimulatedServer.Host, [], isLoopback: false, phone._internet.Now);
        }

        public void Send(ReadOnlySpan<byte> utf8) => _end?.Send(utf8);

        public void Break() => _end?.Break();

        public void Cut()
        {
            _isCut = true;
            if (_end is null) return;
            (_end.Received, _end.Broken, _end) = (null, null, null);
        }

        private void HandleBroken()
        {
            if (phone._node.IsServerFinal(number)) return;
            phone._node.HandleServerDisconnected(number, phone._internet.Now);
            ConnectLater();
        }

        private void ConnectLater()
        {
            phone._internet.Schedule(phone._internet.Now + _pause, Connect);
            _pause = _pause * 2 < MaxPause ? _pause * 2 : MaxPause;
        }
    }
}
