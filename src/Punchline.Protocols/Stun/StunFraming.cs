using System.Buffers.Binary;

namespace Punchline.Protocols.Stun;

/// <summary>What the bytes that came so far are.</summary>
internal enum StunFrame
{
    /// <summary>The beginning of a message, as far as it goes.</summary>
    Incomplete,

    /// <summary>A whole message, and perhaps more behind it.</summary>
    Complete,

    /// <summary>No message, nor the beginning of one; there is no finding the next.</summary>
    Invalid,
}

/// <summary>
/// Messages one behind the other on a TCP connection. RFC 8489 §6.2.2 adds no framing where STUN has the connection to
/// itself: the length in a message's header says where the next begins.
/// </summary>
internal static class StunFraming
{
    /// <summary>Looks for a message at the beginning of what came.</summary>
    /// <param name="bytes">What came and was not taken yet.</param>
    /// <param name="length">Of the whole message, where it is complete.</param>
    public static StunFrame Inspect(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 0;
        if (bytes.IsEmpty) return StunFrame.Incomplete;
        if (!StunMessage.CanBegin(bytes[0])) return StunFrame.Invalid;
        if (bytes.Length < StunMessage.HeaderLength) return StunFrame.Incomplete;
        if (!StunMessage.IsStun(bytes)) return StunFrame.Invalid;
        var whole = StunMessage.HeaderLength + BinaryPrimitives.ReadUInt16BigEndian(bytes[StunMessage.LengthOffset..]);
        if (whole > StunMessage.MaxLength) return StunFrame.Invalid;
        if (bytes.Length < whole) return StunFrame.Incomplete;
        length = whole;
        return StunFrame.Complete;
    }
}
