using System.Buffers;
using System.Text;

namespace Punchline.Cli.Chat;

/// <summary>A line of the input.</summary>
/// <param name="Text">Without its end; null where it was longer than a message may be.</param>
/// <param name="Bytes">How long it is.</param>
internal readonly record struct InputLine(string? Text, long Bytes);

/// <summary>
/// Cuts a stream of UTF-8 into lines that end with a line feed, a carriage return and a line feed, or the stream. A line
/// that is too long is counted and skipped, and what comes behind it is read as if nothing had been.
/// </summary>
internal sealed class LineReader(Stream input, int maxBytes)
{
    private const int ChunkBytes = 16 << 10;

    private readonly byte[] _chunk = new byte[ChunkBytes];
    private readonly ArrayBufferWriter<byte> _line = new();
    private int _next;
    private int _end;
    private long _lineBytes;

    /// <summary>Blocks until there is a line; false at the end.</summary>
    public bool TryRead(out InputLine line)
    {
        while (true)
        {
            if (_next == _end)
            {
                (_next, _end) = (0, input.Read(_chunk));
                if (_end == 0)
                {
                    line = Take();
                    return line.Bytes > 0;
                }
            }
            var rest = _chunk.AsSpan(_next, _end - _next);
            var feed = rest.IndexOf((byte)'\n');
            Keep(feed < 0 ? rest : rest[..feed]);
            _next += feed < 0 ? rest.Length : feed + 1;
            if (feed < 0) continue;
            line = Take();
            return true;
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        _lineBytes += bytes.Length;
        // One more than allowed: it may be the carriage return.
        if (_lineBytes <= maxBytes + 1) _line.Write(bytes);
    }

    private InputLine Take()
    {
        var bytes = _lineBytes;
        var text = _line.WrittenSpan;
        if (bytes == text.Length && bytes > 0 && text[^1] == '\r')
        {
            text = text[..^1];
            bytes--;
        }
        var line = new InputLine(bytes <= maxBytes ? Encoding.UTF8.GetString(text) : null, bytes);
        _line.ResetWrittenCount();
        _lineBytes = 0;
        return line;
    }
}
