using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>The 96 bits that tie a response to its request (RFC 8489 §5), in network order.</summary>
internal readonly record struct StunTransactionId(uint High, ulong Low)
{
    public const int ByteLength = 12;

    /// <summary>From the first 12 bytes.</summary>
    public static StunTransactionId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[4..]));

    // RFC 8489 §5: "the transaction ID MUST be uniformly and randomly chosen from the interval 0 .. 2**96-1". It is also
    // all that keeps somebody who cannot see the request from forging its response.
    public static StunTransactionId Generate(IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        random.Fill(bytes);
        return Read(bytes);
    }

    public override string ToString() => $"{High:x8}{Low:x16}";
}
