namespace Punchline.Cli.Screen;

/// <summary>A row of a text that is broken to fit.</summary>
/// <param name="Start">Where it begins, in UTF-16 units.</param>
/// <param name="End">Behind its last character.</param>
/// <param name="Next">Where the next row begins; negative: this is the last.</param>
/// <param name="Width">In cells.</param>
internal readonly record struct TextRow(int Start, int End, int Next, int Width)
{
    /// <summary>
    /// The row of at most so many cells that begins at a place. What takes no cells is counted as well, so that no row is without end;
    /// where not even one character fits, it has that one.
    /// </summary>
    public static TextRow At(ReadOnlySpan<char> text, int start, int cells, bool breaksAtSpaces)
    {
        var maxUnits = (4 * cells) + CellWidth.MaxClusterLength;
        var (index, width) = (start, 0);
        var (space, widthBeforeSpace) = (-1, 0);
        while (index < text.Length)
        {
            if (text[index] == '\n') return new TextRow(start, index, index + 1, width);
            var cluster = CellWidth.First(text[index..]);
            if (index > start && (width + cluster.Width > cells || index + cluster.Length - start > maxUnits))
            {
                if (breaksAtSpaces && text[index] == ' ') return new TextRow(start, index, index + 1, width);
                return breaksAtSpaces && space > start ? new TextRow(start, space, space + 1, widthBeforeSpace) : new TextRow(start, index, index, width);
            }
            if (text[index] == ' ') (space, widthBeforeSpace) = (index, width);
            width += cluster.Width;
            index += cluster.Length;
        }
        return new TextRow(start, index, -1, width);
    }
}
