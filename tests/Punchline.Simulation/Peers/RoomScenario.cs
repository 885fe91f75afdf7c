using Punchline.Protocols.Noise;
using Punchline.Protocols.Rooms;
using Punchline.Simulation.Nat;

namespace Punchline.Simulation.Peers;

/// <summary>A server, a room, and peers in a network each, named <c>peer-0</c>, <c>peer-1</c> and so on.</summary>
internal sealed class RoomScenario : IDisposable
{
    // Derived once for all runs: 600,000 rounds each time would be most of a simulation's time.
    private static readonly RoomKeys Keys = new(new byte[RoomKeys.KeyLength]);

    private readonly List<SimulatedPeer> _peers = [];
    private readonly List<Site> _sites = [];

    public RoomScenario(VirtualInternet internet, LinkConditions link, params IEnumerable<NatBehavior> networks)
    {
        Internet = internet;
        Link = link;
        Server = new SimulatedServer(internet, LinkConditions.Of(delayMilliseconds: 0));
        foreach (var network in networks) AddPeer(network);
    }

    public VirtualInternet Internet { get; }

    public LinkConditions Link { get; }

    public SimulatedServer Server { get; }

    public IReadOnlyList<SimulatedPeer> Peers => _peers;

    /// <summary>The network of the peer with the same index.</summary>
    public IReadOnlyList<Site> Sites => _sites;

    /// <param name="network">Its router.</param>
    /// <param name="identity">Null: one of its own.</param>
    /// <param name="allowed">Whom it connects to; null: everybody.</param>
    public SimulatedPeer AddPeer(NatBehavior network, P256KeyPair? identity = null, IReadOnlySet<PeerId>? allowed = null)
    {
        var name = $"peer-{_peers.Count}";
        var site = Internet.AddSite(name, network, new SiteOptions { Link = Link });
        var peer = new SimulatedPeer(Internet, Internet.AddMachine(name, site), Keys, identity, allowed);
        _sites.Add(site);
        _peers.Add(peer);
        return peer;
    }

    /// <summary>A new process on the machine of one that was killed, with its identity and port; the caller's to dispose.</summary>
    public SimulatedPeer Restart(SimulatedPeer killed) => new(Internet, killed.Machine, Keys, killed.Identity);

    public void Join(SimulatedPeer peer) => peer.Join(Server, Link.Delay);

    /// <summary>All join, a tenth of a second apart.</summary>
    public void JoinAll()
    {
        foreach (var peer in _peers)
        {
            Join(peer);
            Internet.RunFor(TimeSpan.FromMilliseconds(100));
        }
    }

    /// <summary>Joins all, and answers whether everybody had a connection to everybody in time.</summary>
    public bool JoinAllAndConnect(TimeSpan within)
    {
        JoinAll();
        return Internet.RunUntil(IsFullMesh, within);
    }

    public bool IsFullMesh() => _peers.All(one => _peers.All(other => one == other || one.IsConnectedTo(other)));

    public void Dispose()
    {
        foreach (var peer in _peers) peer.Dispose();
        Server.Dispose();
    }
}
