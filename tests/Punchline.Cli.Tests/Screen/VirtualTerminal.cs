using System.Globalization;
using System.Text;
using Punchline.Cli.Screen;

namespace Punchline.Cli.Tests.Screen;

/// <summary>
/// A terminal as ECMA-48 and xterm have it, as far as our frames go: a grid of cells, a scroll region, a scrollback that gets the rows that
/// leave a region at the top of the screen. Whatever it does not know fails the test.
/// </summary>
internal sealed class VirtualTerminal
{
    private const string Blank = " ";

    // The second half of a wide character.
    private const string Rest = "";

    private readonly List<string[]> _rows = [];
    private readonly HashSet<string> _modes = ["?7", "?25"];
    private int _bottom;
    private bool _wrapIsPending;
    private string _style = "";

    public VirtualTerminal(int columns, int rows)
    {
        Size = new ScreenSize(columns, rows);
        _bottom = rows - 1;
        for (var row = 0; row < rows; row++) _rows.Add(NewRow());
    }

    public ScreenSize Size { get; private set; }

    public int Row { get; private set; }

    public int Column { get; private set; }

    public List<string> Scrollback { get; } = [];

    /// <summary>Private modes that are on.</summary>
    public IReadOnlySet<string> Modes => _modes;

    /// <summary>All styles that anything was written in.</summary>
    public HashSet<string> Styles { get; } = new(StringComparer.Ordinal);

    /// <summary>The rows of the region, from the top.</summary>
    public int RegionRows => _bottom + 1;

    public IReadOnlyList<string> Screen => [.. _rows.Select(Text)];

    /// <summary>Scrollback and screen.</summary>
    public IEnumerable<string> All => Scrollback.Concat(Screen);

    public void Write(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes);
        for (var index = 0; index < text.Length;)
        {
            if (text[index] == '\e')
            {
                index = Escape(text, index + 1);
                continue;
            }
            if (char.IsControl(text[index]))
            {
                Control(text[index++]);
                continue;
            }
            // As far as the next character that is none, for clusters have no regard for frames.
            var end = index;
            while (end < text.Length && !char.IsControl(text[end])) end++;
            foreach (var cluster in Clusters(text[index..end])) Put(cluster);
            index = end;
        }
    }

    /// <summary>As xterm does: what does not fit above the cursor goes into the scrollback, and rows are cut off at the right.</summary>
    public void Resize(int columns, int rows)
    {
        while (_rows.Count > rows)
        {
            if (Row < _rows.Count - 1)
            {
                _rows.RemoveAt(_rows.Count - 1);
                continue;
            }
            Scrollback.Add(Text(_rows[0]));
            _rows.RemoveAt(0);
            Row--;
        }
        Size = new ScreenSize(columns, rows);
        while (_rows.Count < rows) _rows.Add(NewRow());
        for (var row = 0; row < rows; row++) _rows[row] = [.. _rows[row].Concat(NewRow()).Take(columns)];
        (_bottom, Row, Column, _wrapIsPending) = (rows - 1, Math.Min(Row, rows - 1), Math.Min(Column, columns - 1), false);
    }

    private static IEnumerable<string> Clusters(string text)
    {
        var all = StringInfo.GetTextElementEnumerator(text);
        while (all.MoveNext()) yield return all.GetTextElement();
    }

    private static string Text(string[] cells) => string.Concat(cells).TrimEnd();

    private string[] NewRow() => [.. Enumerable.Repeat(Blank, Size.Columns)];

    private void Control(char control)
    {
        switch (control)
        {
            case '\r':
                Column = 0;
                break;
            case '\n':
                // The terminal driver (ONLCR) returns as well.
                Column = 0;
                LineFeed();
                break;
            default:
                Assert.Fail($"A control character reached the terminal: U+{(int)control:x4}.");
                break;
        }
        _wrapIsPending = false;
    }

    private void LineFeed()
    {
        if (Row != _bottom)
        {
            Row = Math.Min(Row + 1, Size.Rows - 1);
            return;
        }
        Scrollback.Add(Text(_rows[0]));
        _rows.RemoveAt(0);
        _rows.Insert(_bottom, NewRow());
    }

    private void Put(string cluster)
    {
        var width = Math.Min(2, CellWidth.Of(cluster));
        if (width == 0) return;
        if (_wrapIsPending || Column + width > Size.Columns)
        {
            Assert.False(_modes.Contains("?7"), "A row was too long, and the terminal would have wrapped it.");
            Assert.Fail($"A row was too long: '{cluster}' fell off its end.");
        }
        Styles.Add(_style);
        _rows[Row][Column] = cluster;
        if (width == 2) _rows[Row][Column + 1] = Rest;
        _wrapIsPending = Column + width == Size.Columns;
        Column = Math.Min(Column + width, Size.Columns - 1);
    }

    private int Escape(string text, int index)
    {
        Assert.Equal('[', text[index]);
        var end = index + 1;
        while (text[end] is < '@' or > '~') end++;
        ControlSequence(text[(index + 1)..end], text[end]);
        return end + 1;
    }

    private void ControlSequence(string parameters, char final)
    {
        if (final is not 'm') _wrapIsPending = false;
        switch (final)
        {
            case 'H':
                Row = Number(parameters, 0, 1) - 1;
                Column = Number(parameters, 1, 1) - 1;
                Assert.InRange(Row, 0, Size.Rows - 1);
                Assert.InRange(Column, 0, Size.Columns - 1);
                break;
            case 'K':
                Assert.Equal("2", parameters);
                _rows[Row] = NewRow();
                break;
            case 'J':
                Assert.Equal("", parameters);
                for (var row = Row; row < Size.Rows; row++) _rows[row] = NewRow();
                break;
            case 'r':
                Assert.Equal(1, Number(parameters, 0, 1));
                _bottom = Number(parameters, 1, Size.Rows) - 1;
                Assert.InRange(_bottom, 0, Size.Rows - 1);
                (Row, Column) = (0, 0);
                break;
            case 'h':
                _modes.Add(parameters);
                break;
            case 'l':
                _modes.Remove(parameters);
                break;
            case 'm':
                _style = parameters;
                break;
            default:
                Assert.Fail($"Not a sequence that a frame has: CSI {parameters} {final}");
                break;
        }
    }

    private static int Number(string parameters, int index, int otherwise) =>
        parameters.Split(';') is var all && index < all.Length && all[index].Length > 0 ? int.Parse(all[index], CultureInfo.InvariantCulture) : otherwise;
}
