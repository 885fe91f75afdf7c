using System.Globalization;
using System.Text;

namespace Punchline.Cli.Screen;

/// <summary>What a key led to, beyond the text.</summary>
internal enum EditOutcome
{
    None,

    /// <summary>The text is to be taken (<see cref="LineEditor.Take"/>).</summary>
    Submitted,

    /// <summary>End of input: Ctrl+D where there is no text.</summary>
    Ended,

    /// <summary>More than a message may have: nothing was changed.</summary>
    TooLong,
}

/// <summary>The text that is being written, edited as Emacs and shells do. It knows neither terminal nor time.</summary>
/// <param name="names">The members' names of the moment, to complete.</param>
internal sealed class LineEditor(Func<IEnumerable<string>> names)
{
    private readonly InputHistory _history = new();
    private string _killed = "";
    private Completion? _completion;
    private int _candidate;

    public string Text { get; private set; } = "";

    /// <summary>In UTF-16 units; between characters as a reader takes them.</summary>
    public int Cursor { get; private set; }

    /// <summary>The text, of which the editor is rid then.</summary>
    public string Take()
    {
        var text = Text;
        if (text.Length > 0) _history.Add(text);
        Set("");
        return text;
    }

    /// <summary>Back again, since it was not taken after all.</summary>
    public void Set(string text) => (Text, Cursor) = (text, text.Length);

    public EditOutcome Apply(Key key)
    {
        if (key.Meaning == KeyMeaning.Complete)
        {
            Complete();
            return EditOutcome.None;
        }
        _completion = null;
        switch (key.Meaning)
        {
            case KeyMeaning.Text: return Insert(key.Text);
            case KeyMeaning.Paste: return Insert(CleanPaste(key.Text));
            case KeyMeaning.LineFeed: return Insert("\n");
            case KeyMeaning.Yank: return Insert(_killed);
            case KeyMeaning.Submit: return EditOutcome.Submitted;
            case KeyMeaning.DeleteOrEnd when Text.Length == 0: return EditOutcome.Ended;
            case KeyMeaning.DeleteBefore: Delete(Left(), Cursor); break;
            case KeyMeaning.DeleteAfter or KeyMeaning.DeleteOrEnd: Delete(Cursor, Right()); break;
            case KeyMeaning.Left: Cursor = Left(); break;
            case KeyMeaning.Right: Cursor = Right(); break;
            case KeyMeaning.WordLeft: Cursor = WordLeft(); break;
            case KeyMeaning.WordRight: Cursor = WordRight(); break;
            case KeyMeaning.Home: Cursor = LineStart(); break;
            case KeyMeaning.End: Cursor = LineEnd(); break;
            case KeyMeaning.KillToEnd: Kill(Cursor, LineEnd() > Cursor ? LineEnd() : Right()); break;
            case KeyMeaning.KillToStart: Kill(LineStart(), Cursor); break;
            case KeyMeaning.KillWordBefore: Kill(WordLeft(), Cursor); break;
            case KeyMeaning.KillWordAfter: Kill(Cursor, WordRight()); break;
            case KeyMeaning.Transpose: Transpose(); break;
            case KeyMeaning.Up when LineStart() > 0: MoveLine(LineStart() - 1); break;
            case KeyMeaning.Up: Show(_history.Up(Text)); break;
            case KeyMeaning.Down when LineEnd() < Text.Length: MoveLine(LineEnd() + 1); break;
            case KeyMeaning.Down: Show(_history.Down()); break;
        }
        return EditOutcome.None;
    }

    private EditOutcome Insert(string text)
    {
        if (Encoding.UTF8.GetByteCount(Text) + Encoding.UTF8.GetByteCount(text) > Room.MaxMessageBytes) return EditOutcome.TooLong;
        Text = Text.Insert(Cursor, text);
        Cursor += text.Length;
        return EditOutcome.None;
    }

    // Terminals paste the end of a line as Enter. What else controls them has no place in a message.
    private static string CleanPaste(string text)
    {
        var cleaned = new StringBuilder(text.Length).Append(text).Replace("\r\n", "\n").Replace('\r', '\n').ToString();
        return string.Concat(cleaned.Where(character => !char.IsControl(character) || character is '\n' or '\t'));
    }

    private void Delete(int start, int end)
    {
        Text = Text.Remove(start, end - start);
        Cursor = start;
    }

    private void Kill(int start, int end)
    {
        if (start == end) return;
        _killed = Text[start..end];
        Delete(start, end);
    }

    private void Transpose()
    {
        if (Cursor == 0 || Text.Length < 2) return;
        if (Cursor == Text.Length) Cursor = Left();
        var (left, right) = (Left(), Right());
        Text = string.Concat(Text.AsSpan(0, left), Text.AsSpan(Cursor, right - Cursor), Text.AsSpan(left, Cursor - left), Text.AsSpan(right));
        Cursor = right;
    }

    private void Complete()
    {
        if (_completion is null)
        {
            _completion = Completion.Find(Text, Cursor, names());
            if (_completion is null) return;
            _candidate = 0;
        }
        else
        {
            _candidate = (_candidate + 1) % _completion.Candidates.Count;
        }
        var candidate = _completion.Candidates[_candidate];
        Text = string.Concat(Text.AsSpan(0, _completion.Start), candidate, Text.AsSpan(Cursor));
        Cursor = _completion.Start + candidate.Length;
    }

    private void Show(string? text)
    {
        if (text is not null) Set(text);
    }

    // To another line, as far into it as in this one.
    private void MoveLine(int within)
    {
        var cells = CellWidth.Of(Text.AsSpan(LineStart(), Cursor - LineStart()));
        Cursor = within;
        var (start, end) = (LineStart(), LineEnd());
        Cursor = Math.Min(end, cells == 0 ? start : TextRow.At(Text.AsSpan(0, end), start, cells, breaksAtSpaces: false).End);
    }

    private int Left() => Cursor == 0 ? 0 : Cursor - CellLength(Cursor);

    private int Right() => Cursor == Text.Length ? Cursor : Cursor + (Text[Cursor] == '\n' ? 1 : CellWidth.First(Text.AsSpan(Cursor)).Length);

    private int CellLength(int index) => Text[index - 1] == '\n' ? 1 : CellWidth.LengthBefore(Text, index);

    private int LineStart() => Cursor == 0 ? 0 : Text.LastIndexOf('\n', Cursor - 1) + 1;

    private int LineEnd() => Text.IndexOf('\n', Cursor) is var end and >= 0 ? end : Text.Length;

    private static bool IsOfWord(char character) => char.IsLetterOrDigit(character) || char.GetUnicodeCategory(character) == UnicodeCategory.NonSpacingMark;

    private int WordLeft()
    {
        var index = Cursor;
        while (index > 0 && !IsOfWord(Text[index - 1])) index--;
        while (index > 0 && IsOfWord(Text[index - 1])) index--;
        return index;
    }

    private int WordRight()
    {
        var index = Cursor;
        while (index < Text.Length && !IsOfWord(Text[index])) index++;
        while (index < Text.Length && IsOfWord(Text[index])) index++;
        return index;
    }
}
