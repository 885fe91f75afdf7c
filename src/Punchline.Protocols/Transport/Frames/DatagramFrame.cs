using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// A message that is sent once, whole, and never again (RFC 9221 §4).
/// <code>
///  DATAGRAM: type 0x30, Data          to the packet's end
///            type 0x31, Length (i), Data
/// </code>
/// </summary>
internal readonly ref struct DatagramFrame(ReadOnlySpan<byte> data)
{
    public ReadOnlySpan<byte> Data { get; } = data;

    public static bool TryRead(ref SpanReader reader, FrameType type, out DatagramFrame frame)
    {
        frame = default;
        ReadOnlySpan<byte> data;
        if (type == FrameType.DatagramWithLength)
        {
            if (!reader.TryReadVarIntPrefixed(out data)) return false;
        }
        else
        {
            _ = reader.TryReadBytes(reader.Remaining.Length, out data);
        }
        frame = new DatagramFrame(data);
        return true;
    }

    /// <summary>Bytes of a whole frame of type 0x31.</summary>
    public static int EncodedLength(int dataLength) => 1 + SpanWriter.VarIntLength((ulong)dataLength) + dataLength;

    /// <summary>The most data that a frame of type 0x31 with so many bytes holds; 0 where there is no room for any.</summary>
    public static int MaxDataLength(int frameLength)
    {
        // A length that takes more bytes than the room's own length does not occur.
        var overhead = 1 + SpanWriter.VarIntLength((ulong)Math.Max(frameLength, 0));
        return Math.Max(0, frameLength - overhead);
    }

    /// <summary>Writes type and length; the caller then writes <paramref name="length"/> bytes of data itself.</summary>
    public static void WriteHeader(ref SpanWriter writer, int length)
    {
        writer.WriteByte((byte)FrameType.DatagramWithLength);
        writer.WriteVarInt((ulong)length);
    }
}
