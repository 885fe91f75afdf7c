using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// A limit of the whole connection, granted or run into (RFC 9000 §19.9, §19.11, §19.12, §19.14).
/// <code>
///  MAX_DATA:         type 0x10, Maximum Data (i)
///  MAX_STREAMS:      type 0x12 (bidirectional) or 0x13, Maximum Streams (i)
///  DATA_BLOCKED:     type 0x14, Maximum Data (i)
///  STREAMS_BLOCKED:  type 0x16 (bidirectional) or 0x17, Maximum Streams (i)
/// </code>
/// </summary>
internal readonly record struct ConnectionLimitFrame(FrameType Type, ulong Limit)
{
    public const int MaxLength = 1 + 8;

    public static bool TryRead(ref SpanReader reader, FrameType type, out ConnectionLimitFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var limit)) return false;
        // RFC 9000 §19.11 and §19.14: a count above 2^60 "MUST be treated as a connection error of type FRAME_ENCODING_ERROR".
        var countsStreams = type is not (FrameType.MaxData or FrameType.DataBlocked);
        if (countsStreams && limit > TransportParameters.MaxStreamCount) return false;
        frame = new ConnectionLimitFrame(type, limit);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)Type);
        writer.WriteVarInt(Limit);
    }
}

/// <summary>
/// A limit of one stream, granted or run into (RFC 9000 §19.10, §19.13).
/// <code>
///  MAX_STREAM_DATA:      type 0x11, Stream ID (i), Maximum Stream Data (i)
///  STREAM_DATA_BLOCKED:  type 0x15, Stream ID (i), Maximum Stream Data (i)
/// </code>
/// </summary>
internal readonly record struct StreamLimitFrame(FrameType Type, StreamId Id, ulong Limit)
{
    public const int MaxLength = 1 + (2 * 8);

    public static bool TryRead(ref SpanReader reader, FrameType type, out StreamLimitFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var id) || !reader.TryReadVarInt(out var limit)) return false;
        frame = new StreamLimitFrame(type, new StreamId(id), limit);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)Type);
        writer.WriteVarInt(Id.Value);
        writer.WriteVarInt(Limit);
    }
}
