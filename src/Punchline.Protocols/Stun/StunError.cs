using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>The value of ERROR-CODE (RFC 8489 §14.8).</summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           Reserved, should be 0         |Class|     Number    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |      Reason Phrase (variable)                              ....
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code></remarks>
internal static class StunError
{
    public const int BadRequest = 400;
    public const int Unauthenticated = 401;
    public const int UnknownAttribute = 420;
    public const int ServerError = 500;

    private const int PrefixLength = 4;

    /// <summary>Reads the code, 300 to 699, and the reason: UTF-8 in the sender's words, not checked.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out int code, out ReadOnlySpan<byte> reason)
    {
        code = 0;
        reason = default;
        if (value.Length < PrefixLength) return false;
        // RFC 8489 §14.8: the class must be 3 to 6 and the number 0 to 99; the reserved bits are ignored.
        var (hundreds, number) = (value[2] & 7, value[3]);
        if (hundreds is < 3 or > 6 || number > 99) return false;
        code = (hundreds * 100) + number;
        reason = value[PrefixLength..];
        return true;
    }

    /// <summary>Writes a code, 300 to 699, without a reason, and returns the value's length.</summary>
    public static int Write(Span<byte> destination, int code)
    {
        var writer = new SpanWriter(destination);
        writer.WriteUInt16(0);
        writer.WriteByte((byte)(code / 100));
        writer.WriteByte((byte)(code % 100));
        return writer.Length;
    }
}
