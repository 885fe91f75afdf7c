using System.Buffers.Binary;

namespace Punchline.Protocols.Primitives;

/// <summary>
/// The only source of randomness of the protocol cores. In production it is the operating system's generator; in a
/// simulation a seeded one, so that a run replays to the byte.
/// </summary>
internal interface IRandomSource
{
    /// <summary>Fills all of <paramref name="destination"/> with random bytes.</summary>
    void Fill(Span<byte> destination);
}

/// <summary>Values drawn from an <see cref="IRandomSource"/>.</summary>
internal static class RandomSourceExtensions
{
    public static byte[] NextBytes(this IRandomSource random, int count)
    {
        var bytes = new byte[count];
        random.Fill(bytes);
        return bytes;
    }

    public static ulong NextUInt64(this IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[8];
        random.Fill(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    /// <summary>An integer from 0 up to, not including, <paramref name="exclusiveMax"/>, which must be positive.</summary>
    // The modulo's bias is below 2^-32 for every range that the cores use.
    public static int NextInt32(this IRandomSource random, int exclusiveMax) =>
        (int)(random.NextUInt64() % (ulong)exclusiveMax);

    /// <summary>A number from 0 up to, not including, 1.</summary>
    public static double NextDouble(this IRandomSource random) => (random.NextUInt64() >> 11) * (1.0 / (1UL << 53));
}
