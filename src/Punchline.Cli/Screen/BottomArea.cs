using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>What stands below the log: a bar, the members, and the input with its cursor.</summary>
/// <param name="Rows">With styles, from the top.</param>
/// <param name="CursorRow">In these rows.</param>
/// <param name="CursorColumn">In cells.</param>
internal sealed record BottomArea(IReadOnlyList<string> Rows, int CursorRow, int CursorColumn)
{
    // So that the log has most of the screen: of 24 rows members have 3 at most, the input 8.
    private const int RowsOfMembers = 8;
    private const int RowsOfInput = 3;
    private const string Prompt = "> ";
    private const string FurtherRow = "  ";
    private const string Sign = "● ";
    private const string Gap = "   ";

    // Fewer rows leave the log nothing beside these.
    private const int MinRowsForBar = 4;
    private const int MinRowsForMembers = 6;

    public static BottomArea Compose(ScreenState state, ScreenSize size, Palette palette)
    {
        var rows = new List<string>();
        if (size.Rows >= MinRowsForBar) rows.Add(Bar(state, size.Columns));
        if (size.Rows >= MinRowsForMembers) AddMembers(rows, state.Room, size.Columns, Math.Max(1, size.Rows / RowsOfMembers), palette);
        var (row, column) = AddInput(rows, state.Editor, size.Columns, Math.Max(1, size.Rows / RowsOfInput));
        return new BottomArea(rows, row, column);
    }

    private static string Bar(ScreenState state, int columns)
    {
        var room = state.Room;
        var others = room.Members.Count == 1 ? "1 other" : $"{room.Members.Count} others";
        // Null may also be a room that has none.
        var server = room.Server is null or ServerState.Connected ? "" : " · server away";
        var line = new StyledLine(columns);
        line.Add(Palette.Bar, $" {EntryRows.Clip(room.Name, columns / 2)} {(room.Unread > 0 ? $"· {room.Unread} new " : "")}· {others}{server} ");
        foreach (var other in state.Others.Where(other => other.Unread > 0)) line.Add(Palette.Bar, $"· {EntryRows.Clip(other.Name, columns / 4)}: {other.Unread} new ");
        if (state.Hint.Length > 0) line.Add($"{Palette.Bar};{Palette.Bold}", $" {state.Hint}");
        line.Fill(Palette.Bar);
        return line.ToString();
    }

    private static void AddMembers(List<string> rows, RoomView room, int columns, int maxRows, Palette palette)
    {
        var members = room.Members;
        var line = new StyledLine(columns);
        var full = 0;
        for (var shown = 0; shown < members.Count; shown++)
        {
            var member = members[shown];
            var name = EntryRows.Clip(MemberText.Name(member), Math.Max(1, columns / 3));
            var facts = $" {MemberText.Short(member, room.QualityOf(member.Peer))}";
            var width = Sign.Length + CellWidth.Of(name) + MarkOf(member).Length + CellWidth.Of(facts) + Gap.Length;
            // On the last row there has to be room to say who is not on it.
            var rest = full == maxRows - 1 && shown < members.Count - 1 ? $"and {members.Count - shown} more: /who" : "";
            if (width + rest.Length > line.Room && line.Room < columns)
            {
                if (full == maxRows - 1)
                {
                    line.Add(Palette.Faint, $"and {members.Count - shown} more: /who");
                    break;
                }
                full++;
                rows.Add(line.ToString());
                line = new StyledLine(columns);
            }
            line.Add(member.State == MemberState.Connected ? palette.Good : Palette.Faint, member.State == MemberState.Connected ? Sign : "○ ");
            line.Add(palette.NameOf(member.Peer), name);
            line.Add(member.Trust == TrustMark.Changed ? palette.Bad : palette.Good, MarkOf(member));
            line.Add(Palette.Faint, facts + Gap);
        }
        if (members.Count == 0) line.Add(Palette.Faint, "Nobody else is here yet.");
        rows.Add(line.ToString());
    }

    private static string MarkOf(MemberSnapshot member) => member switch
    {
        { IsBlocked: true } => " blocked",
        { Trust: TrustMark.Verified } => " ✓",
        { Trust: TrustMark.Changed } => " ANOTHER KEY",
        { Trust: TrustMark.New } => " new",
        _ => "",
    };

    private static (int Row, int Column) AddInput(List<string> rows, LineEditor editor, int columns, int maxRows)
    {
        var text = editor.Text.AsSpan();
        // A cell is kept free for the cursor behind the last character.
        var cells = Math.Max(1, columns - Prompt.Length - 1);
        var window = new Queue<TextRow>();
        TextRow? cursorRow = null;
        var (next, below) = (0, 0);
        while (next >= 0 && (cursorRow is null || window.Count < maxRows || below < maxRows / 2))
        {
            var row = TextRow.At(text, next, cells, breaksAtSpaces: false);
            if (cursorRow is not null) below++;
            else if (editor.Cursor < row.Next || row.Next < 0) cursorRow = row;
            window.Enqueue(row);
            if (window.Count > maxRows) window.Dequeue();
            next = row.Next;
        }
        var (foundRow, foundColumn) = (0, 0);
        foreach (var row in window)
        {
            if (row == cursorRow)
            {
                foundRow = rows.Count;
                foundColumn = Prompt.Length + CellWidth.Of(text[row.Start..Math.Clamp(editor.Cursor, row.Start, row.End)]);
            }
            var line = new StyledLine(columns);
            line.Add(Palette.Bold, row.Start == 0 ? Prompt : FurtherRow);
            line.Add(Palette.Plain, text[row.Start..row.End]);
            rows.Add(line.ToString());
        }
        return (foundRow, Math.Min(foundColumn, columns - 1));
    }
}
