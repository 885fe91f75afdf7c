using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// Asks whether an address is reachable, or answers with the same data (RFC 9000 §19.17, §19.18).
/// <code>
///  PATH_CHALLENGE: type 0x1a, Data (8 bytes)
///  PATH_RESPONSE:  type 0x1b, Data (8 bytes)
/// </code>
/// </summary>
internal readonly record struct PathFrame(FrameType Type, ulong Data)
{
    public const int Length = 1 + 8;

    public static bool TryRead(ref SpanReader reader, FrameType type, out PathFrame frame)
    {
        frame = default;
        if (!reader.TryReadUInt64(out var data)) return false;
        frame = new PathFrame(type, data);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)Type);
        writer.WriteUInt64(Data);
    }
}
