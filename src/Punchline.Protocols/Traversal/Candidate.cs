using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>How an address of a peer became known (RFC 8445 §5.1.1.1's terms). The numbers are on the wire.</summary>
internal enum CandidateKind : byte
{
    /// <summary>The address of one of its interfaces.</summary>
    Host = 1,

    /// <summary>What a STUN server saw.</summary>
    ServerReflexive = 2,

    /// <summary>Where a genuine packet of the peer came from. Never introduced, only observed.</summary>
    PeerReflexive = 3,

    /// <summary>What its router maps to it, by PCP, NAT-PMP or UPnP: open to whoever sends there first.</summary>
    Mapped = 4,
}

/// <summary>An address at which a peer may be reached.</summary>
internal readonly record struct Candidate(CandidateKind Kind, Endpoint Endpoint)
{
    /// <summary>Candidates of one peer, at most: more are interface noise.</summary>
    public const int MaxPerPeer = 30;

    /// <summary>What its packets travel in there.</summary>
    public Carrier Carrier { get; init; }
}

/// <summary>An address of one of our own interfaces.</summary>
/// <param name="Endpoint">The address, and the port that the punching socket has there.</param>
/// <param name="PrefixLength">Bits of the subnet's prefix: 0 to 32 for IPv4, 0 to 128 for IPv6.</param>
internal readonly record struct HostAddress(Endpoint Endpoint, int PrefixLength)
{
    /// <summary>Whether <paramref name="other"/> is the subnet's broadcast address (RFC 919 §7): all bits behind the prefix are set.</summary>
    public bool IsBroadcast(Endpoint other) =>
        other.IsIPv4 && PrefixLength < 31 && IsOnLink(other) && (other.IPv4 | (uint.MaxValue << (32 - PrefixLength))) == uint.MaxValue;

    /// <summary>Whether <paramref name="other"/> is on this interface's own link.</summary>
    public bool IsOnLink(Endpoint other)
    {
        // A prefix of no bits is a tunnel that takes everything, or a system that does not know: nobody is a neighbour by it.
        if (other.IsIPv4 != Endpoint.IsIPv4 || PrefixLength <= 0) return false;
        var prefixBits = Endpoint.IsIPv4 ? PrefixLength + 96 : PrefixLength;
        return (other.Address ^ Endpoint.Address) >> (128 - prefixBits) == 0;
    }
}
