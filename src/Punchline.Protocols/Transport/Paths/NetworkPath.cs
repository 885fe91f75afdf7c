using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport.Paths;

/// <summary>
/// One way to the peer: its two ends, whether the peer has answered from there (RFC 9000 §8.2), and what recovery knows of it.
/// </summary>
internal sealed class NetworkPath(PathAddress address)
{
    // RFC 9000 §8.1: bytes sent to an address that is not validated, for each one received from it.
    private const int AmplificationFactor = 3;

    public PathAddress Address { get; } = address;

    /// <summary>The peer has answered a challenge from there, or the handshake was completed there.</summary>
    public bool IsValidated { get; set; }

    /// <summary>Round trip, window and packet size of this path.</summary>
    public required PathRecovery Recovery { get; init; }

    /// <summary>What is asked of the peer at this address.</summary>
    public PathChallenges Challenges { get; } = new();

    /// <summary>Bytes of authentic packets that came from there before it was validated.</summary>
    public long BytesReceived { get; set; }

    /// <summary>Bytes that went there before it was validated.</summary>
    public long BytesSent { get; set; }

    /// <summary>Bytes that a packet to it may have, at most as many as said.</summary>
    public int Allow(int size) => IsValidated ? size : (int)Math.Clamp((BytesReceived * AmplificationFactor) - BytesSent, 0, size);
}
