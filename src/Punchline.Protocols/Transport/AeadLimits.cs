namespace Punchline.Protocols.Transport;

/// <summary>
/// How far the keys may be used: RFC 9001 §6.6 and appendix B, for AES-GCM. Tests inject small ones. The limits of
/// confidentiality are for packets of one size: those up to 2^11 bytes (2^7 blocks, appendix B.1.1), and larger ones up to
/// 2^16; a key that sealed both has spent a share of each.
/// </summary>
internal sealed record AeadLimits
{
    /// <summary>Packets up to this many bytes are small ones.</summary>
    public const int SmallPacketSize = 1 << 11;

    public static AeadLimits Default { get; } = new();

    /// <summary>
    /// Small packets after which the key is updated: a quarter of what it may seal. With the half that the large ones may
    /// take, a quarter is left for an update that is not acknowledged.
    /// </summary>
    public ulong RekeyPackets { get; init; } = 1UL << 26;

    /// <summary>Larger packets after which the key is updated.</summary>
    public ulong RekeyLargePackets { get; init; } = 1UL << 22;

    /// <summary>Age at which a key is updated when it is used next.</summary>
    public TimeSpan RekeyInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Small packets that one key seals.</summary>
    public ulong MaxPackets { get; init; } = 1UL << 28;

    /// <summary>What a larger packet counts for: 2^28 small ones, or 2^23 large ones.</summary>
    public ulong LargePacketWeight { get; init; } = 1UL << 5;

    /// <summary>Packets whose tag may fail, over all keys, before the connection closes (appendix B.1.2).</summary>
    public ulong MaxForgeries { get; init; } = 1UL << 36;
}
