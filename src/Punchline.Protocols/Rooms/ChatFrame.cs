using System.Buffers;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// What goes over a chat stream. Each member opens one stream to each other; its messages go out on it, and the answers
/// come back on the same stream.
/// <code>
/// type (varint) | length (varint) | body
///   1 message     sequence (varint), text in UTF-8      from the stream's opener
///   2 delivered   sequence (varint)                     back to it
/// </code>
/// Frames of other types are skipped: a later version's.
/// </summary>
internal static class ChatFrame
{
    /// <summary>The protocol's name at the beginning of a stream.</summary>
    public const string Protocol = "punchline/chat/1";

    public const ulong Message = 1;
    public const ulong Delivered = 2;

    /// <summary>Bytes of a message's text in UTF-8, at most: 1 MiB.</summary>
    public const int MaxTextBytes = 1 << 20;

    /// <summary>Bytes of a frame's body, at most: the longest text and its sequence.</summary>
    public const int MaxBodyBytes = MaxTextBytes + 8;

    public static byte[] WriteMessage(ulong sequence, ReadOnlySpan<byte> text)
    {
        var bodyLength = SpanWriter.VarIntLength(sequence) + text.Length;
        var frame = new byte[1 + SpanWriter.VarIntLength((ulong)bodyLength) + bodyLength];
        var writer = new SpanWriter(frame);
        writer.WriteVarInt(Message);
        writer.WriteVarInt((ulong)bodyLength);
        writer.WriteVarInt(sequence);
        writer.WriteBytes(text);
        return frame;
    }

    public static byte[] WriteDelivered(ulong sequence)
    {
        var bodyLength = SpanWriter.VarIntLength(sequence);
        var frame = new byte[2 + bodyLength];
        var writer = new SpanWriter(frame);
        writer.WriteVarInt(Delivered);
        writer.WriteVarInt((ulong)bodyLength);
        writer.WriteVarInt(sequence);
        return frame;
    }
}

/// <summary>Puts frames of type, length and body together from a stream's pieces.</summary>
/// <param name="maxBodyBytes">Bytes of a body, at most.</param>
internal sealed class ChatFrameReader(int maxBodyBytes = ChatFrame.MaxBodyBytes)
{
    private readonly ArrayBufferWriter<byte> _held = new(256);
    private int _consumed;

    /// <summary>The stream can never give a frame again: it announced a body longer than any may be.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Room for the stream's next bytes; say how many came with <see cref="Advance"/>.</summary>
    public Span<byte> GetSpan() => _held.GetSpan(4096);

    public void Advance(int count) => _held.Advance(count);

    /// <summary>The next whole frame, valid until the next call.</summary>
    public bool TryRead(out ulong type, out ReadOnlySpan<byte> body)
    {
        body = default;
        var unread = _held.WrittenSpan[_consumed..];
        var reader = new SpanReader(unread);
        if (reader.TryReadVarInt(out type) && reader.TryReadVarInt(out var length))
        {
            IsMalformed |= length > (ulong)maxBodyBytes;
            if (!IsMalformed && reader.TryReadBytes((int)length, out body))
            {
                _consumed += unread.Length - reader.Remaining.Length;
                return true;
            }
        }
        Compact(unread);
        return false;
    }

    // What is left is less than a frame; moving it to the front happens once a read, not once a frame.
    private void Compact(ReadOnlySpan<byte> unread)
    {
        if (_consumed == 0) return;
        var rest = unread.ToArray();
        _held.ResetWrittenCount();
        _consumed = 0;
        _held.Write(rest);
    }
}
