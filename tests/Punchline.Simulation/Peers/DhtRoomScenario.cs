using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Simulation.Dht;
using Punchline.Simulation.Nat;

namespace Punchline.Simulation.Peers;

/// <summary>A DHT of public nodes, a room, and peers in a network each, named <c>peer-0</c>, <c>peer-1</c> and so on. There is no server anywhere.</summary>
internal sealed class DhtRoomScenario : IDisposable
{
    private const ushort NodePort = 6_881;
    private const int Bootstraps = 3;

    private static readonly RoomKeys Keys = new(new byte[RoomKeys.KeyLength]);

    // A quarter past some hour: nothing begins or ends.
    private static readonly TimeSpan QuarterPast = TimeSpan.FromHours(495_000) + TimeSpan.FromMinutes(15);

    private readonly List<DhtNode> _nodes = [];
    private readonly List<Endpoint[]> _addresses = [];
    private readonly List<SimulatedPeer> _peers = [];
    private readonly List<SimulatedPhone> _phones = [];
    private readonly List<DoubtfulReflector> _doubtful = [];

    /// <param name="internet">Where it is.</param>
    /// <param name="link">Of everybody.</param>
    /// <param name="nodes">Nodes of the DHT.</param>
    /// <param name="haveIPv6">They are in both of its networks.</param>
    /// <param name="hasDoubtful">One in eight answers no pings of read-only nodes, and one in eight lies to them about their ports.</param>
    public DhtRoomScenario(VirtualInternet internet, LinkConditions link, int nodes = 40, bool haveIPv6 = false, bool hasDoubtful = false)
    {
        (Internet, Link) = (internet, link);
        for (var i = 0; i < nodes; i++)
        {
            var machine = internet.AddServer($"node-{i}", link, haveIPv6);
            var node = new DhtNode(internet.NewRandom(), FamiliesOf(machine));
            node.SetReadOnly(false, internet.Now);
            foreach (var bootstrap in Known) node.AddBootstrap(bootstrap, internet.Now);
            machine.Bind(NodePort, hasDoubtful && i % 4 == 0 ? Doubt(node, isSilent: i % 8 == 0) : new SwarmNode(node));
            _nodes.Add(node);
            _addresses.Add([.. machine.Addresses.Select(address => new Endpoint(address, NodePort))]);
        }
        // A table needs a few searches to fill.
        internet.RunFor(TimeSpan.FromMinutes(1));
    }

    public VirtualInternet Internet { get; }

    public LinkConditions Link { get; }

    public IReadOnlyList<SimulatedPeer> Peers => _peers;

    public static RoomKeys RoomKeys => Keys;

    /// <summary>Pings that doubtful nodes left without an honest answer.</summary>
    public int Doubtful => _doubtful.Sum(node => node.Doubtful);

    /// <summary>The networks of the DHT in which a machine can be.</summary>
    public static DhtFamilies FamiliesOf(Machine machine)
    {
        var families = machine.Site is { HasNat64: true } ? DhtFamilies.IPv4 : DhtFamilies.None;
        foreach (var address in machine.Addresses) families |= new Endpoint(address, 0).IsIPv4 ? DhtFamilies.IPv4 : DhtFamilies.IPv6;
        return families;
    }

    // To begin with.
    private IEnumerable<Endpoint> Known => _addresses.Take(Bootstraps).SelectMany(addresses => addresses);

    /// <param name="network">Its router.</param>
    /// <param name="allowed">Whom it connects to; null: everybody.</param>
    public SimulatedPeer AddPeer(NatBehavior network, IReadOnlySet<PeerId>? allowed = null) => AddPeer(new Network("", network), allowed);

    public SimulatedPeer AddPeer(Network network, IReadOnlySet<PeerId>? allowed = null)
    {
        var name = $"peer-{_peers.Count}";
        var site = Internet.AddSite(name, network.Nat, new SiteOptions { Link = Link, IPv6 = network.IPv6, HasIPv4 = network.HasIPv4, HasNat64 = network.HasNat64 });
        var peer = new SimulatedPeer(Internet, Internet.AddMachine(name, site), Keys, allowed: allowed);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>Somebody with no room, who has joined the DHT.</summary>
    public SimulatedPhone AddPhone(string name, NatBehavior network) => AddPhone(Internet.AddMachine(name, Internet.AddSite(name, network, new SiteOptions { Link = Link })));

    public SimulatedPhone AddPhone(Machine machine)
    {
        var phone = new SimulatedPhone(Internet, machine, server: null, TimeSpan.Zero);
        phone.JoinDht(Known, Utc);
        _phones.Add(phone);
        return phone;
    }

    /// <param name="peer">Who joins.</param>
    /// <param name="utc">What its clock shows; null: a quarter past an hour at the simulation's start.</param>
    public void Join(SimulatedPeer peer, TimeSpan? utc = null) => peer.JoinInDht(Known, utc ?? Utc);

    /// <summary>Somebody who is no member writes an address under a topic.</summary>
    public Squatter Squat(NodeId topic, Machine machine, ushort port)
    {
        var node = new DhtNode(Internet.NewRandom());
        foreach (var bootstrap in Known) node.AddBootstrap(bootstrap, Internet.Now);
        var squatter = new Squatter(node);
        machine.Bind(port, squatter);
        node.Announce(topic, port, Internet.Now);
        return squatter;
    }

    /// <summary>What the clocks show, as long as nobody says otherwise.</summary>
    public TimeSpan Utc => QuarterPast + (Internet.Now - Timestamp.Zero);

    /// <summary>The topic of the hour, by the clocks of those who joined without another.</summary>
    public NodeId Topic => Keys.DeriveTopic(Utc.Ticks / TimeSpan.TicksPerHour);

    public bool IsFullMesh() => _peers.Where(peer => peer.IsAlive).All(one => _peers.Where(peer => peer.IsAlive).All(other => one == other || one.IsConnectedTo(other)));

    private DoubtfulReflector Doubt(DhtNode node, bool isSilent)
    {
        var doubtful = new DoubtfulReflector(node, Internet.NewRandom(), isSilent);
        _doubtful.Add(doubtful);
        return doubtful;
    }

    public void Dispose()
    {
        foreach (var peer in _peers) peer.Dispose();
        foreach (var phone in _phones) phone.Dispose();
    }
}
