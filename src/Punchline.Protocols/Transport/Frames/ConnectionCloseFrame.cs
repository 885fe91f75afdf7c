using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// The connection ends, and why (RFC 9000 §19.19).
/// <code>
///  CONNECTION_CLOSE: type 0x1c (by the transport), Error Code (i), Frame Type (i), Reason Length (i), Reason
///                    type 0x1d (by the application), Error Code (i), Reason Length (i), Reason
/// </code>
/// </summary>
internal readonly ref struct ConnectionCloseFrame(bool isApplication, ulong code, ulong frameType, ReadOnlySpan<byte> reason)
{
    public bool IsApplication { get; } = isApplication;

    public ulong Code { get; } = code;

    /// <summary>The type of the frame that offended, 0 where unknown; only the transport's close says it.</summary>
    public ulong OffendingType { get; } = frameType;

    /// <summary>UTF-8, unless the peer wrote something else.</summary>
    public ReadOnlySpan<byte> Reason { get; } = reason;

    public static bool TryRead(ref SpanReader reader, bool isApplication, out ConnectionCloseFrame frame)
    {
        frame = default;
        ulong frameType = 0;
        if (!reader.TryReadVarInt(out var code)) return false;
        if (!isApplication && !reader.TryReadVarInt(out frameType)) return false;
        if (!reader.TryReadVarIntPrefixed(out var reason)) return false;
        frame = new ConnectionCloseFrame(isApplication, code, frameType, reason);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)(IsApplication ? FrameType.ConnectionCloseApplication : FrameType.ConnectionClose));
        writer.WriteVarInt(Code);
        if (!IsApplication) writer.WriteVarInt(OffendingType);
        writer.WriteVarInt((ulong)Reason.Length);
        writer.WriteBytes(Reason);
    }
}
