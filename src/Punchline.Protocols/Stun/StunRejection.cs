using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>What a server has heard, by ICMP, of the packets that it sent where nobody had asked for them.</summary>
internal interface IStunRejections
{
    /// <summary>Whether a router, or the client itself, said lately that something of ours to there was not let through.</summary>
    bool Has(Endpoint destination);
}

/// <summary>
/// The value of REJECTION, which is ours (comprehension-optional, so that others pass over it). In a request: the port of the client's router that the server has sent to from
/// elsewhere than it was asked. In its answer: whether that was rejected.
/// </summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Port, or 1 for rejected     |               0               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code></remarks>
internal static class StunRejection
{
    public const int Length = 4;

    public static bool TryRead(ReadOnlySpan<byte> value, out ushort number)
    {
        var reader = new SpanReader(value);
        return reader.TryReadUInt16(out number) && value.Length == Length;
    }

    public static void Write(ref StunWriter writer, ushort number)
    {
        Span<byte> value = stackalloc byte[Length];
        new SpanWriter(value).WriteUInt16(number);
        writer.WriteAttribute(StunAttributeType.Rejection, value);
    }
}
