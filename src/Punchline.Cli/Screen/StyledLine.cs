using System.Globalization;
using System.Text;

namespace Punchline.Cli.Screen;

/// <summary>
/// One row of the screen as it is put together from the left: text with its styles, and never more than fits. Whatever a terminal
/// would obey is replaced here, once more, whoever wrote it.
/// </summary>
/// <param name="width">Cells of the row.</param>
internal sealed class StyledLine(int width)
{
    private const char Replacement = '\ufffd';

    private readonly StringBuilder _text = new();
    private string _style = Palette.Plain;

    /// <summary>Cells that are left.</summary>
    public int Room { get; private set; } = width;

    /// <returns>False: not all of it fitted.</returns>
    public bool Add(string style, ReadOnlySpan<char> text)
    {
        SetStyle(style);
        while (!text.IsEmpty)
        {
            var cluster = CellWidth.First(text);
            if (cluster.Width > Room) return false;
            Room -= cluster.Width;
            AddSafely(text[..cluster.Length]);
            text = text[cluster.Length..];
        }
        return true;
    }

    /// <summary>Spaces to the end of the row, but for so many cells.</summary>
    public void Fill(string style, int cells = 0)
    {
        SetStyle(style);
        if (Room <= cells) return;
        _text.Append(' ', Room - cells);
        Room = cells;
    }

    /// <summary>With its escape sequences; what follows it is plain.</summary>
    public override string ToString()
    {
        SetStyle(Palette.Plain);
        return _text.ToString();
    }

    private void SetStyle(string style)
    {
        if (style == _style) return;
        _text.Append(style.Length == 0 ? "\e[m" : $"\e[0;{style}m");
        _style = style;
    }

    private void AddSafely(ReadOnlySpan<char> cluster)
    {
        foreach (var rune in cluster.EnumerateRunes())
        {
            if (rune.Value == '\t') _text.Append(' ', CellWidth.Tab);
            else if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.Control) _text.Append(Replacement);
            else _text.Append(rune.ToString());
        }
    }
}
