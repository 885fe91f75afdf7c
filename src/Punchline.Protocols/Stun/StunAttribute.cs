using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>Attribute types (RFC 8489 §18.3, RFC 5780 §9.1). Another's number is a value that has no name here.</summary>
internal enum StunAttributeType : ushort
{
    MappedAddress = 0x0001,
    ChangeRequest = 0x0003,
    Username = 0x0006,
    MessageIntegrity = 0x0008,
    ErrorCode = 0x0009,
    UnknownAttributes = 0x000a,
    Realm = 0x0014,
    Nonce = 0x0015,
    MessageIntegritySha256 = 0x001c,
    XorMappedAddress = 0x0020,
    ResponsePort = 0x0027,
    Software = 0x8022,
    Fingerprint = 0x8028,
    ResponseOrigin = 0x802b,
    OtherAddress = 0x802c,

    /// <summary>Ours: see <see cref="StunRejection"/>.</summary>
    Rejection = 0xffe5,
}

/// <summary>One attribute of a message (RFC 8489 §14), its value a view of the message's bytes.</summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |         Type                  |            Length             |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                 Value (variable), then padding to 32 bits  ....
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code></remarks>
internal readonly ref struct StunAttribute
{
    public const int HeaderLength = 4;

    private StunAttribute(StunAttributeType type, ReadOnlySpan<byte> value)
    {
        Type = type;
        Value = value;
    }

    public StunAttributeType Type { get; }

    /// <summary>The value without its padding.</summary>
    public ReadOnlySpan<byte> Value { get; }

    /// <summary>Bytes of the whole attribute: header, value and padding.</summary>
    public int Length => HeaderLength + PaddedLength(Value.Length);

    // RFC 8489 §14: the length is that of the value before padding, which goes to the next multiple of 4.
    public static int PaddedLength(int valueLength) => (valueLength + 3) & ~3;

    // RFC 8489 §14: types 0x0000 to 0x7fff must be understood for the message to be processed, higher ones may be ignored.
    public static bool IsComprehensionRequired(StunAttributeType type) => (ushort)type < 0x8000;

    public static bool TryRead(scoped ref SpanReader reader, out StunAttribute attribute)
    {
        attribute = default;
        if (!reader.TryReadUInt16(out var type) || !reader.TryReadUInt16(out var length)
            || !reader.TryReadBytes(PaddedLength(length), out var padded)) return false;
        attribute = new StunAttribute((StunAttributeType)type, padded[..length]);
        return true;
    }
}
