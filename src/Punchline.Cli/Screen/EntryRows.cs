using System.Globalization;

namespace Punchline.Cli.Screen;

/// <summary>A row of the log as it was drawn.</summary>
/// <param name="Entry">As it was then.</param>
/// <param name="Text">Which part of it.</param>
internal readonly record struct EntryRow(ScreenEntry Entry, TextRow Text)
{
    public bool IsLast => Text.Next < 0;
}

/// <summary>
/// How an entry stands in the log: time, author, text, further rows set in (so that nobody writes a line that looks like another's), and
/// behind ours how far it came.
/// </summary>
internal static class EntryRows
{
    // "12:34 ".
    private const int TimeWidth = 6;
    private const int Indent = 8;
    private const int MaxAuthorWidth = 24;
    private const int NarrowColumns = 24;

    // " 64/64", kept free behind each row of ours so that a message takes as many rows however far it came.
    private const int DeliveryWidth = 6;

    /// <summary>The row of an entry that begins at a place of its text.</summary>
    public static EntryRow At(ScreenEntry entry, int start, int columns)
    {
        var width = columns - (start == 0 ? TimeOf(columns) + AuthorWidth(entry, columns) : IndentOf(columns));
        if (entry.Kind == ScreenEntryKind.Sent) width -= DeliveryWidth;
        return new EntryRow(entry, TextRow.At(entry.Text, start, Math.Max(1, width), breaksAtSpaces: true));
    }

    /// <summary>With styles.</summary>
    public static string Draw(EntryRow row, int columns, Palette palette)
    {
        var entry = row.Entry;
        var line = new StyledLine(columns);
        if (entry.Kind == ScreenEntryKind.Divider) return DrawDivider(line, entry.Text);
        if (row.Text.Start == 0)
        {
            if (TimeOf(columns) > 0) line.Add(Palette.Faint, entry.Time.ToString("HH:mm ", CultureInfo.InvariantCulture));
            DrawAuthor(line, entry, columns, palette);
        }
        else
        {
            line.Add(Palette.Plain, new string(' ', IndentOf(columns)));
        }
        line.Add(entry.Kind == ScreenEntryKind.Happening ? Palette.Faint : Palette.Plain, entry.Text.AsSpan(row.Text.Start, row.Text.End - row.Text.Start));
        if (entry.Kind == ScreenEntryKind.Sent && row.IsLast) DrawDelivery(line, entry, palette);
        return line.ToString();
    }

    /// <summary>As much of a name as fits, and a sign where that is not all.</summary>
    public static string Clip(string text, int cells)
    {
        if (CellWidth.Of(text) <= cells) return text;
        var row = TextRow.At(text, 0, Math.Max(1, cells - 1), breaksAtSpaces: false);
        return $"{text.AsSpan(0, row.End)}…";
    }

    private static void DrawAuthor(StyledLine line, ScreenEntry entry, int columns, Palette palette)
    {
        switch (entry.Kind)
        {
            case ScreenEntryKind.Notice or ScreenEntryKind.Happening:
                line.Add(Palette.Faint, "* ");
                break;
            default:
                var style = entry.Peer is { } peer ? palette.NameOf(peer) : Palette.Bold;
                line.Add(style, Clip(entry.Author, AuthorWidth(entry, columns) - 2));
                line.Add(Palette.Plain, ": ");
                break;
        }
    }

    private static void DrawDelivery(StyledLine line, ScreenEntry entry, Palette palette)
    {
        if (entry.Recipients == 0) line.Add(Palette.Faint, " ∅");
        else if (entry.Delivered == entry.Recipients) line.Add(palette.Good, " ✓");
        else if (entry.Recipients == 1) line.Add(Palette.Faint, " …");
        else line.Add(Palette.Faint, string.Create(CultureInfo.InvariantCulture, $" {entry.Delivered}/{entry.Recipients}"));
    }

    private static string DrawDivider(StyledLine line, string text)
    {
        line.Add(Palette.Faint, $"── {text} ");
        line.Add(Palette.Faint, new string('─', Math.Max(0, line.Room)));
        return line.ToString();
    }

    private static int TimeOf(int columns) => columns < NarrowColumns ? 0 : TimeWidth;

    private static int IndentOf(int columns) => columns < NarrowColumns ? 2 : Indent;

    private static int AuthorWidth(ScreenEntry entry, int columns) => entry.Kind switch
    {
        ScreenEntryKind.Notice or ScreenEntryKind.Happening => 2,
        ScreenEntryKind.Divider => 0,
        _ => Math.Min(CellWidth.Of(entry.Author), Math.Min(MaxAuthorWidth, columns / 3)) + 2,
    };
}
