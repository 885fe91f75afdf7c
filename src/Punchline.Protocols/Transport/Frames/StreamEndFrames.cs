using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// The sender abandons its part of a stream (RFC 9000 §19.4).
/// <code>
///  RESET_STREAM: type 0x04, Stream ID (i), Application Error Code (i), Final Size (i)
/// </code>
/// </summary>
internal readonly record struct ResetStreamFrame(StreamId Id, ulong Code, ulong FinalSize)
{
    public const int MaxLength = 1 + (3 * 8);

    public static bool TryRead(ref SpanReader reader, out ResetStreamFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var id) || !reader.TryReadVarInt(out var code) || !reader.TryReadVarInt(out var finalSize)) return false;
        frame = new ResetStreamFrame(new StreamId(id), code, finalSize);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)FrameType.ResetStream);
        writer.WriteVarInt(Id.Value);
        writer.WriteVarInt(Code);
        writer.WriteVarInt(FinalSize);
    }
}

/// <summary>
/// The receiver no longer reads a stream (RFC 9000 §19.5).
/// <code>
///  STOP_SENDING: type 0x05, Stream ID (i), Application Error Code (i)
/// </code>
/// </summary>
internal readonly record struct StopSendingFrame(StreamId Id, ulong Code)
{
    public const int MaxLength = 1 + (2 * 8);

    public static bool TryRead(ref SpanReader reader, out StopSendingFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var id) || !reader.TryReadVarInt(out var code)) return false;
        frame = new StopSendingFrame(new StreamId(id), code);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)FrameType.StopSending);
        writer.WriteVarInt(Id.Value);
        writer.WriteVarInt(Code);
    }
}
