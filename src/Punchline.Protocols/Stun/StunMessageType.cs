namespace Punchline.Protocols.Stun;

/// <summary>What a message is to its transaction (RFC 8489 §5).</summary>
internal enum StunClass
{
    Request = 0b00,
    Indication = 0b01,
    SuccessResponse = 0b10,
    ErrorResponse = 0b11,
}

/// <summary>Methods (RFC 8489 §18.2). Another's number is a value that has no name here.</summary>
internal enum StunMethod
{
    Binding = 0x001,
}

/// <summary>The 14 bits in which class and method are interleaved, as they were in RFC 3489's numbers (RFC 8489 §5).</summary>
/// <remarks><code>
///  13 12 11 10  9  8  7  6  5  4  3  2  1  0
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// |M |M |M |M |M |C |M |M |M |C |M |M |M |M |
/// |11|10|9 |8 |7 |1 |6 |5 |4 |0 |3 |2 |1 |0 |
/// +--+--+--+--+--+--+--+--+--+--+--+--+--+--+
/// </code></remarks>
internal static class StunMessageType
{
    public static ushort Encode(StunClass messageClass, StunMethod method)
    {
        var m = (int)method;
        var c = (int)messageClass;
        return (ushort)((m & 0x000f) | ((m & 0x0070) << 1) | ((m & 0x0f80) << 2) | ((c & 1) << 4) | ((c & 2) << 7));
    }

    public static StunClass Class(ushort type) => (StunClass)(((type >> 4) & 1) | ((type >> 7) & 2));

    public static StunMethod Method(ushort type) => (StunMethod)((type & 0x000f) | ((type >> 1) & 0x0070) | ((type >> 2) & 0x0f80));
}
