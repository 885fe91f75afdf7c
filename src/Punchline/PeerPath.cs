using System.Net;

namespace Punchline;

/// <summary>How a peer is reached.</summary>
public enum PathKind
{
    /// <summary>On this network, or on this machine.</summary>
    Lan,

    /// <summary>Across the internet, through whatever NATs are between.</summary>
    Direct,

    /// <summary>Across the internet, by a port that a router maps: this peer's, or the other's.</summary>
    Mapped,
}

/// <summary>What carries the packets.</summary>
public enum PathTransport
{
    /// <summary>UDP.</summary>
    Udp,

    /// <summary>A TCP connection between the two, where UDP does not pass or has fallen silent.</summary>
    Tcp,
}

/// <summary>The way on which packets to a peer travel at a moment.</summary>
/// <param name="Kind">Near, or across the internet.</param>
/// <param name="Transport">What carries the packets.</param>
/// <param name="Local">This machine's address and port on the way.</param>
/// <param name="Remote">The peer's, as this machine reaches it: behind a NAT, its router's.</param>
public sealed record PeerPath(PathKind Kind, PathTransport Transport, IPEndPoint Local, IPEndPoint Remote);
