using System.Buffers;
using System.Globalization;
using System.Text;

namespace Punchline.Cli.Screen;

/// <summary>The bytes of a frame: UTF-8 and the few control sequences (ECMA-48, xterm's private modes) that a frame is made of.</summary>
internal sealed class FrameWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(4096);

    public ReadOnlyMemory<byte> Written => _bytes.WrittenMemory;

    public bool IsEmpty => _bytes.WrittenCount == 0;

    public void Clear() => _bytes.ResetWrittenCount();

    public void Write(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    public void Write(string text) => Encoding.UTF8.GetBytes(text, _bytes);

    /// <summary>CUP; both from 0.</summary>
    public void MoveTo(int row, int column = 0) => Write(string.Create(CultureInfo.InvariantCulture, $"\e[{row + 1};{column + 1}H"));

    /// <summary>A row anew, and nothing behind it.</summary>
    public void DrawRow(int row, string text)
    {
        // Before and not after: behind the last cell the cursor would stand on that cell.
        EraseRow(row);
        Write(text);
    }

    /// <summary>EL: all of a row.</summary>
    public void EraseRow(int row)
    {
        MoveTo(row);
        Write("\e[2K"u8);
    }

    /// <summary>DECSTBM: the first so many rows scroll, and what leaves them at the top is the terminal's to keep. Moves the cursor.</summary>
    public void SetScrollRegion(int rows) => Write(string.Create(CultureInfo.InvariantCulture, $"\e[1;{rows}r"));

    /// <summary>A row into the scrollback, from the last of the region.</summary>
    public void Scroll(int lastRow, int times = 1)
    {
        MoveTo(lastRow);
        for (var time = 0; time < times; time++) Write("\n"u8);
    }
}
