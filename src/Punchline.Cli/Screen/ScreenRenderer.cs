using System.Globalization;
using System.Text;

namespace Punchline.Cli.Screen;

/// <summary>
/// From what there is to show, and a size, to a terminal's bytes. The log scrolls in a region of its own above the <see cref="BottomArea"/> and
/// leaves it for the terminal's own scrollback, so no alternate screen is used, and what left is drawn no more. Of the rest, what has
/// changed is drawn. Pure: it remembers what it drew, and knows neither terminal nor time.
/// </summary>
/// <param name="palette">How things look.</param>
internal sealed class ScreenRenderer(Palette palette)
{
    /// <summary>Of the log, so that a long message does not keep keys waiting; the next frame goes on.</summary>
    public const int MaxRowsAFrame = 500;

    // DECAWM off: a row that a terminal takes for longer than we do ends at the margin. Then bracketed paste, and focus reports.
    private static ReadOnlySpan<byte> Modes => "\e[?7l\e[?2004h\e[?1004h"u8;

    // A frame appears at once where the terminal knows how (synchronized output), and without a wandering cursor anyway.
    private static ReadOnlySpan<byte> FrameBegin => "\e[?2026h\e[?25l"u8;

    private static ReadOnlySpan<byte> FrameEnd => "\e[?25h\e[?2026l"u8;

    private readonly FrameWriter _frame = new();
    private readonly List<EntryRow> _visible = [];
    private IReadOnlyList<string> _bottom = [];
    private (int Row, int Column) _cursor;
    private ScreenSize _size;
    private int _logRows;
    private bool _isOpen;

    // Where the log goes on, and where those of the rooms that were in view before do.
    private long _entry = 1;
    private int _start;
    private RoomView? _room;
    private readonly Dictionary<RoomView, (long Entry, int Start)> _left = [];

    /// <summary>There is more of the log than the last frame could draw.</summary>
    public bool IsBehind { get; private set; }

    /// <summary>What puts the terminal back as it was, with the log above the cursor.</summary>
    public byte[] Leave { get; private set; } = [];

    /// <summary>Something else was on the screen: it is moved away upwards, and the log goes on below it.</summary>
    public void Reopen() => _isOpen = false;

    /// <summary>All anew: the screen may be damaged.</summary>
    public void Invalidate() => _size = default;

    /// <summary>The room is never in view again.</summary>
    public void Forget(RoomView room) => _left.Remove(room);

    /// <returns>Valid until the next frame; empty where nothing is different.</returns>
    public ReadOnlyMemory<byte> Render(ScreenState state, ScreenSize size)
    {
        _frame.Clear();
        var bottom = BottomArea.Compose(state, size, palette);
        if (state.Room != _room) Turn(state.Room);
        if (!_isOpen) Open(size, bottom);
        else if (size != _size) Resize(state.Room.Log, size, bottom);
        else DrawBottom(bottom);
        DrawChanges(state.Room.Log);
        DrawNew(state.Room.Log);
        var cursor = (_logRows + bottom.CursorRow, bottom.CursorColumn);
        if (_frame.IsEmpty && cursor == _cursor) return default;
        _cursor = cursor;
        _frame.MoveTo(cursor.Item1, cursor.CursorColumn);
        _frame.Write(FrameEnd);
        Leave = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture, $"\e[0m\e[r\e[{Math.Min(_visible.Count, _logRows) + 1};1H\e[J\e[?7h\e[?2004l\e[?1004l\e[?25h\e[?2026l"));
        return _frame.Written;
    }

    private void Begin()
    {
        if (_frame.IsEmpty) _frame.Write(FrameBegin);
    }

    // So many line feeds bring the cursor to the last row from wherever it is, and what stands above it into the scrollback.
    private void Open(ScreenSize size, BottomArea bottom)
    {
        Begin();
        _frame.Write("\r"u8);
        _frame.Write(new string('\n', size.Rows - 1));
        _frame.Write(Modes);
        _visible.Clear();
        _isOpen = true;
        Arrange(size, bottom);
    }

    // What was in view goes up into the scrollback; of the other room the last rows are seen again.
    private void Turn(RoomView room)
    {
        if (_room is { } before) _left[before] = (_entry, _start);
        _room = room;
        (_entry, _start) = _left.GetValueOrDefault(room, (1, 0));
        if (_entry < room.Log.First) (_entry, _start) = (room.Log.First, 0);
        // Else all is drawn anew in a moment.
        if (!_isOpen || _size == default) return;
        Begin();
        if (_visible.Count > 0) _frame.Scroll(_logRows - 1, _visible.Count);
        _visible.Clear();
        foreach (var row in Rows(room.Log, TailStart(room.Log, _size.Columns, _logRows), (_entry, _start), _size.Columns)) Append(row);
    }

    /// <summary>
    /// Terminals differ in what they do to the rows that they have, so all are drawn anew: those that end the log. Where the screen became narrower, its
    /// rows may be more than fit, and the first ones leave upwards: rather twice in the scrollback than nowhere.
    /// </summary>
    private void Resize(ScreenLog log, ScreenSize size, BottomArea bottom)
    {
        Begin();
        _frame.Write("\e[r"u8);
        for (var row = 0; row < size.Rows; row++) _frame.EraseRow(row);
        var (entry, start) = TailStart(log, size.Columns, LogRows(size, bottom));
        if (size.Columns < _size.Columns && _visible.Count > 0)
        {
            // Rows that it became lower by went upwards already.
            var first = _visible[Math.Clamp(_size.Rows - size.Rows, 0, _visible.Count - 1)];
            var place = (first.Entry.Number, first.Text.Start);
            if (first.Entry.Number >= log.First && place.CompareTo((entry, start)) < 0) (entry, start) = place;
        }
        List<EntryRow> rows = [.. Rows(log, (entry, start), (_entry, _start), size.Columns)];
        _visible.Clear();
        Arrange(size, bottom);
        foreach (var row in rows) Append(row);
        // Rows break elsewhere than before, perhaps not at the place that was reached.
        if (rows is [.., var last]) (_entry, _start) = After(last);
    }

    private void Arrange(ScreenSize size, BottomArea bottom)
    {
        _size = size;
        _bottom = [];
        _logRows = LogRows(size, bottom);
        _frame.SetScrollRegion(_logRows);
        DrawBottom(bottom);
    }

    private void DrawBottom(BottomArea bottom)
    {
        var logRows = LogRows(_size, bottom);
        if (logRows != _logRows) MoveBorder(logRows);
        for (var row = 0; row < bottom.Rows.Count; row++)
        {
            if (row < _bottom.Count && _bottom[row] == bottom.Rows[row]) continue;
            Begin();
            _frame.DrawRow(_logRows + row, bottom.Rows[row]);
        }
        _bottom = bottom.Rows;
    }

    // The log gives way upwards; where it gets room, that is below, and filled by what comes next.
    private void MoveBorder(int logRows)
    {
        Begin();
        if (_visible.Count > logRows)
        {
            var tooMany = _visible.Count - logRows;
            _frame.Scroll(_logRows - 1, tooMany);
            _visible.RemoveRange(0, tooMany);
        }
        _frame.SetScrollRegion(logRows);
        for (var row = _logRows; row < logRows; row++) _frame.EraseRow(row);
        _logRows = logRows;
        _bottom = [];
    }

    // Deliveries.
    private void DrawChanges(ScreenLog log)
    {
        for (var row = 0; row < _visible.Count; row++)
        {
            var shown = _visible[row];
            if (shown.Entry.Number < log.First || ReferenceEquals(log[shown.Entry.Number], shown.Entry)) continue;
            _visible[row] = shown with { Entry = log[shown.Entry.Number] };
            // Only the last row says it.
            if (!shown.IsLast) continue;
            Begin();
            _frame.DrawRow(row, EntryRows.Draw(_visible[row], _size.Columns, palette));
        }
    }

    private void DrawNew(ScreenLog log)
    {
        if (_entry < log.First) (_entry, _start) = (log.First, 0);
        for (var drawn = 0; _entry < log.Next && drawn < MaxRowsAFrame; drawn++)
        {
            Begin();
            var row = EntryRows.At(log[_entry], _start, _size.Columns);
            Append(row);
            (_entry, _start) = After(row);
        }
        IsBehind = _entry < log.Next;
    }

    private void Append(EntryRow row)
    {
        if (_visible.Count == _logRows)
        {
            _frame.Scroll(_logRows - 1);
            _visible.RemoveAt(0);
        }
        _frame.DrawRow(_visible.Count, EntryRows.Draw(row, _size.Columns, palette));
        _visible.Add(row);
    }

    // Where the last rows of what was drawn begin, as many as there is room for.
    private (long Entry, int Start) TailStart(ScreenLog log, int columns, int count)
    {
        var end = (Entry: _entry, Start: _start);
        while (true)
        {
            var entry = end.Start > 0 ? end.Entry : end.Entry - 1;
            if (entry < log.First) return (log.First, 0);
            List<EntryRow> rows = [.. Rows(log, (entry, 0), end, columns)];
            if (rows.Count >= count) return (entry, rows[^count].Text.Start);
            count -= rows.Count;
            end = (entry, 0);
        }
    }

    private static IEnumerable<EntryRow> Rows(ScreenLog log, (long Entry, int Start) place, (long Entry, int Start) end, int columns)
    {
        while (place.CompareTo(end) < 0)
        {
            var row = EntryRows.At(log[place.Entry], place.Start, columns);
            yield return row;
            place = After(row);
        }
    }

    private static (long Entry, int Start) After(EntryRow row) => row.IsLast ? (row.Entry.Number + 1, 0) : (row.Entry.Number, row.Text.Next);

    private static int LogRows(ScreenSize size, BottomArea bottom) => Math.Max(1, size.Rows - bottom.Rows.Count);
}
