using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>A whole, well-formed STUN message (RFC 8489 §5): a view of the datagram that it was read from.</summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |0 0|     STUN Message Type     |         Message Length        |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                   Magic Cookie = 0x2112A442                   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                                                               |
/// |                     Transaction ID (96 bits)                  |
/// |                                                               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                     Attributes (variable)                  ....
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code></remarks>
internal readonly ref struct StunMessage
{
    public const int HeaderLength = 20;
    public const int LengthOffset = 2;
    public const uint MagicCookie = 0x2112_a442;

    /// <summary>The longest message that is read: what one Ethernet packet carries over IPv4, 1,500 − 20 − 8 bytes.</summary>
    public const int MaxLength = 1_472;

    private const int CookieOffset = 4;
    private const int TransactionIdOffset = 8;

    private StunMessage(ReadOnlySpan<byte> bytes, bool hasFingerprint)
    {
        Bytes = bytes;
        HasFingerprint = hasFingerprint;
        var type = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        Class = StunMessageType.Class(type);
        Method = StunMessageType.Method(type);
        TransactionId = StunTransactionId.Read(bytes[TransactionIdOffset..]);
    }

    public ReadOnlySpan<byte> Bytes { get; }

    public StunClass Class { get; }

    public StunMethod Method { get; }

    public StunTransactionId TransactionId { get; }

    /// <summary>Whether a FINGERPRINT ends the message; it was checked.</summary>
    public bool HasFingerprint { get; }

    public StunAttributeEnumerator Attributes => new(Bytes);

    /// <summary>Whether a message can begin with this byte. RFC 7983 §7 gives STUN the bytes 0 to 3.</summary>
    public static bool CanBegin(byte first) => first <= 3;

    /// <summary>
    /// Tells STUN from whatever else arrives on a socket: the first byte is 0 to 3 and the magic cookie stands in its
    /// place. The message may still be malformed.
    /// </summary>
    public static bool IsStun(ReadOnlySpan<byte> datagram) =>
        datagram.Length >= HeaderLength && CanBegin(datagram[0])
        && BinaryPrimitives.ReadUInt32BigEndian(datagram[CookieOffset..]) == MagicCookie;

    /// <summary>Reads a message that fills the datagram; false if it is malformed, too long or its FINGERPRINT is wrong.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out StunMessage message)
    {
        message = default;
        if (!IsStun(datagram) || datagram.Length > MaxLength) return false;
        // A length that is no multiple of 4 needs no check of its own: an attribute's padding would pass the end.
        if (BinaryPrimitives.ReadUInt16BigEndian(datagram[LengthOffset..]) != datagram.Length - HeaderLength) return false;

        var reader = new SpanReader(datagram[HeaderLength..]);
        var hasFingerprint = false;
        while (!reader.IsEmpty)
        {
            // RFC 8489 §14.7: "the FINGERPRINT attribute MUST be the last attribute in the message".
            if (hasFingerprint || !StunAttribute.TryRead(ref reader, out var attribute)) return false;
            if (attribute.Type != StunAttributeType.Fingerprint) continue;
            var covered = datagram.Length - reader.Remaining.Length - attribute.Length;
            if (!StunFingerprint.Verify(datagram[..covered], attribute.Value)) return false;
            hasFingerprint = true;
        }
        message = new StunMessage(datagram, hasFingerprint);
        return true;
    }

    /// <summary>Finds the first attribute of a type: duplicates are ignored (RFC 8489 §14).</summary>
    public bool TryFind(StunAttributeType type, out ReadOnlySpan<byte> value)
    {
        foreach (var attribute in Attributes)
        {
            if (attribute.Type != type) continue;
            value = attribute.Value;
            return true;
        }
        value = default;
        return false;
    }

    /// <summary>
    /// Collects the comprehension-required attributes that the caller does not understand, each type once, until
    /// <paramref name="unknown"/> is full, and returns their number.
    /// </summary>
    public int CollectUnknown(ReadOnlySpan<StunAttributeType> understood, Span<StunAttributeType> unknown)
    {
        var count = 0;
        foreach (var attribute in Attributes)
        {
            if (count == unknown.Length) break;
            var type = attribute.Type;
            if (!StunAttribute.IsComprehensionRequired(type) || understood.Contains(type) || unknown[..count].Contains(type)) continue;
            unknown[count++] = type;
        }
        return count;
    }
}
