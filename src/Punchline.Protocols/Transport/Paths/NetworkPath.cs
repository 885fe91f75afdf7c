using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Recovery;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Transport.Paths;

/// <summary>
/// One way to the peer: its two ends, whether the peer has answered from there (RFC 9000 §8.2), and what recovery knows of it.
/// </summary>
/// <param name="address">Its two ends.</param>
/// <param name="largestDatagram">The largest packet that may be sent, if the path carries it.</param>
/// <param name="algorithm">Of the window.</param>
internal sealed class NetworkPath(PathAddress address, int largestDatagram, CongestionAlgorithm algorithm)
{
    // RFC 9000 §8.1: bytes sent to an address that is not validated, for each one received from it.
    private const int AmplificationFactor = 3;

    private PathRecovery? _recovery;

    public PathAddress Address { get; } = address;

    /// <summary>The peer has answered a challenge from there, or the handshake was completed there.</summary>
    public bool IsValidated { get; set; }

    /// <summary>The peer named the address; else its packets came from there, as anybody's might seem to who sees them (PROTOCOL §7).</summary>
    public bool IsIntroduced { get; set; }

    /// <summary>It does not leave the neighbourhood: private, or on a link of ours.</summary>
    public bool IsNear { get; set; } = AddressScope.IsPrivate(address.Remote) || AddressScope.IsLoopback(address.Remote);

    /// <summary>Round trip, window and packet size of this path.</summary>
    // Most addresses that are asked never answer, and need none.
    public PathRecovery Recovery => _recovery ??= IsTcp ? new PathRecovery(PacketFraming.MaxPacket, algorithm, isReliable: true) : new PathRecovery(largestDatagram, algorithm);

    /// <summary>It is a TCP connection, of which the peer's address is proven by its SYN, and which loses nothing.</summary>
    public bool IsTcp => Address.Local.Carrier == Carrier.Tcp;

    /// <summary>What is asked of the peer at this address.</summary>
    public PathChallenges Challenges { get; } = new();

    /// <summary>When it was last added, asked or answered: the one that has been quiet for longest gives way.</summary>
    public Timestamp LastUsed { get; set; }

    /// <summary>Bytes of authentic packets that came from there before it was validated.</summary>
    public long BytesReceived { get; set; }

    /// <summary>Bytes that went there before it was validated.</summary>
    public long BytesSent { get; set; }

    public PathRank Rank => new(!IsTcp, IsNear, IsIntroduced, Recovery.Rtt.Smoothed);

    /// <summary>Bytes that a packet to it may have, at most as many as said.</summary>
    public int Allow(int size) => IsValidated || IsTcp ? size : (int)Math.Clamp((BytesReceived * AmplificationFactor) - BytesSent, 0, size);
}
