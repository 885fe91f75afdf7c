using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// A piece of a stream (RFC 9000 §19.8).
/// <code>
///  STREAM: type 0b00001olf, Stream ID (i), [Offset (i) where o], [Length (i) where l], Data
///          f: the data ends the stream. Without l the data reaches to the packet's end.
/// </code>
/// </summary>
internal readonly ref struct StreamFrame(StreamId id, ulong offset, ReadOnlySpan<byte> data, bool isFinal)
{
    private const byte OffsetBit = 0x04;
    private const byte LengthBit = 0x02;
    private const byte FinalBit = 0x01;

    public StreamId Id { get; } = id;

    public ulong Offset { get; } = offset;

    public ReadOnlySpan<byte> Data { get; } = data;

    public bool IsFinal { get; } = isFinal;

    /// <summary>Reads what follows the type. False where the data would end beyond offset 2^62 − 1, too.</summary>
    public static bool TryRead(ref SpanReader reader, byte type, out StreamFrame frame)
    {
        frame = default;
        ulong offset = 0;
        if (!reader.TryReadVarInt(out var id)) return false;
        if ((type & OffsetBit) != 0 && !reader.TryReadVarInt(out offset)) return false;
        ReadOnlySpan<byte> data;
        if ((type & LengthBit) != 0)
        {
            if (!reader.TryReadVarIntPrefixed(out data)) return false;
        }
        else
        {
            _ = reader.TryReadBytes(reader.Remaining.Length, out data);
        }
        if (offset + (ulong)data.Length > SpanWriter.MaxVarInt) return false;
        frame = new StreamFrame(new StreamId(id), offset, data, (type & FinalBit) != 0);
        return true;
    }

    /// <summary>How many bytes of data fit into <paramref name="room"/> with the header before them; negative where not even that fits.</summary>
    public static int MaxDataLength(int room, StreamId id, ulong offset) =>
        room - HeaderLength(id, offset, Math.Max(room, 0));

    /// <summary>Writes the header; the caller then writes <paramref name="length"/> bytes of data itself.</summary>
    public static void WriteHeader(ref SpanWriter writer, StreamId id, ulong offset, int length, bool isFinal)
    {
        var type = (byte)FrameType.Stream | LengthBit | (offset > 0 ? OffsetBit : 0) | (isFinal ? FinalBit : 0);
        writer.WriteByte((byte)type);
        writer.WriteVarInt(id.Value);
        if (offset > 0) writer.WriteVarInt(offset);
        writer.WriteVarInt((ulong)length);
    }

    private static int HeaderLength(StreamId id, ulong offset, int length) =>
        1 + SpanWriter.VarIntLength(id.Value) + (offset > 0 ? SpanWriter.VarIntLength(offset) : 0) + SpanWriter.VarIntLength((ulong)length);
}
