using System.Net;

namespace Punchline;

/// <summary>How a <see cref="PeerNode"/> starts.</summary>
public sealed class PeerNodeOptions
{
    /// <summary>Who the node is; stays the caller's. Without one the node takes a new identity that ends with it.</summary>
    public PeerIdentity? Identity { get; init; }

    /// <summary>Where trust in servers and the keys of rooms are kept; null keeps them in memory.</summary>
    public string? StateDirectory { get; init; }

    /// <summary>
    /// The UDP address and port to use. Null is any port, of IPv4 and IPv6 where the system has both, as [::] with a port is; 0.0.0.0 is IPv4 alone, and
    /// an address of this machine's is its family alone. A port that is named may be one that the router forwards to this machine, by the same number: peers are told of it, unless a STUN
    /// server shows that it is not.
    /// </summary>
    public IPEndPoint? LocalEndPoint { get; init; }

    /// <summary>
    /// The TCP address and port where peers can connect to this one, and from which it connects; the address means what it means for
    /// <see cref="LocalEndPoint"/>. Null takes UDP's, or another port where that is not free. Port 443 lets in peers whose network lets only browsers out.
    /// What was said of a forwarded port above holds for this one too.
    /// </summary>
    public IPEndPoint? TcpEndPoint { get; init; }

    /// <summary>Tells others no addresses of this machine's own interfaces: peers on the same network are then reached through the router, if it can.</summary>
    public bool HideHostCandidates { get; init; }

    /// <summary>
    /// Does not ask the router to map this node's port, by PCP, NAT-PMP or UPnP. A mapped port is open to everybody as long as the node runs; what comes in by it is as
    /// strange to the node as any packet. The router is asked once a server beyond this machine is.
    /// </summary>
    public bool DisablePortMapping { get; init; }

    /// <summary>
    /// Neither looks for members of rooms on this machine's own networks by multicast DNS, nor is found by it there (<see cref="RoomOptions.LocalDiscovery"/>).
    /// </summary>
    public bool DisableMulticastDns { get; init; }

    /// <summary>
    /// Nodes of the BitTorrent DHT to begin with, <c>HOST:PORT</c> each, for rooms that need no server (<see cref="RoomOptions.UseDht"/>); null: those that the network's clients
    /// have in common. Nodes met in an earlier run, in <see cref="StateDirectory"/>, are asked as well.
    /// </summary>
    public IReadOnlyCollection<string>? DhtBootstrapHosts { get; init; }

    /// <summary>
    /// A directory, made where it is missing, that gets one qlog file for each connection: what was sent and received, when, and what became of
    /// it. Addresses and ids are in it; keys and data never are. Only the owner may read the files. Null: none are written.
    /// </summary>
    public string? QlogDirectory { get; init; }
}
