namespace Punchline.Protocols.Traversal;

/// <summary>What becomes of packets that a network does not let through. Unknown is neither.</summary>
internal enum Refusal : byte
{
    Unknown,

    /// <summary>Nothing is said of them.</summary>
    Drops,

    /// <summary>Whoever sent them is told: by ICMP, or by RST.</summary>
    Rejects,
}
