using System.Buffers.Binary;

namespace Punchline.Protocols.Stun;

/// <summary>FINGERPRINT (RFC 8489 §14.7): the CRC-32 of the message before it, which tells STUN from other protocols.</summary>
internal static class StunFingerprint
{
    public const int ValueLength = 4;

    // "STUN" in ASCII, so that a packet of an application that ends with a CRC-32 of its own does not match.
    private const uint Mask = 0x5354_554e;

    private static readonly uint[] Table = CreateTable();

    /// <summary>The value for a message whose header already counts the FINGERPRINT in its length.</summary>
    public static uint Compute(ReadOnlySpan<byte> covered)
    {
        var crc = uint.MaxValue;
        foreach (var b in covered) crc = Table[(byte)(crc ^ b)] ^ (crc >> 8);
        return ~crc ^ Mask;
    }

    public static bool Verify(ReadOnlySpan<byte> covered, ReadOnlySpan<byte> value) =>
        value.Length == ValueLength && BinaryPrimitives.ReadUInt32BigEndian(value) == Compute(covered);

    // ITU-T V.42's polynomial, bits reversed (RFC 1952 §8 has the same table). .NET's own CRC-32 is a package of its own (System.IO.Hashing).
    private static uint[] CreateTable()
    {
        const uint Polynomial = 0xedb8_8320;
        var table = new uint[256];
        for (var i = 0u; i < table.Length; i++)
        {
            var entry = i;
            for (var bit = 0; bit < 8; bit++) entry = (entry & 1) != 0 ? (entry >> 1) ^ Polynomial : entry >> 1;
            table[i] = entry;
        }
        return table;
    }
}
