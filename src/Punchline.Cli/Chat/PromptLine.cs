using System.Text;

namespace Punchline.Cli.Chat;

/// <summary>
/// A prompt that stands at the end of what is printed: whatever is told comes before it. Its two writers share it, and write
/// whole lines.
/// </summary>
internal sealed class PromptLine
{
    private readonly Lock _gate = new();
    private readonly TextWriter _terminal;
    private readonly string _prompt;
    private readonly bool _canErase;
    private readonly bool _inputEndsLine;
    private bool _isShown;

    /// <param name="output">For messages.</param>
    /// <param name="terminal">For the prompt and all else.</param>
    /// <param name="name">Who types here.</param>
    /// <param name="canErase">The terminal knows escape sequences; else what is told begins a line of its own.</param>
    /// <param name="inputEndsLine">Enter is shown as it is typed, as by a terminal, so the prompt's line is over with each line of the input.</param>
    public PromptLine(TextWriter output, TextWriter terminal, string name, bool canErase, bool inputEndsLine)
    {
        _terminal = terminal;
        _prompt = $"{name}> ";
        _canErase = canErase;
        _inputEndsLine = inputEndsLine;
        Output = new LineWriter(this, output);
        Error = new LineWriter(this, terminal);
    }

    public TextWriter Output { get; }

    public TextWriter Error { get; }

    /// <summary>A line was taken, if one was asked for, and another may be typed.</summary>
    public void Ask()
    {
        lock (_gate)
        {
            if (_isShown && !_inputEndsLine) _terminal.WriteLine();
            Show();
        }
    }

    /// <summary>Nothing will be typed any more: what the shell prints begins a line of its own.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (_isShown) _terminal.WriteLine();
            _isShown = false;
        }
    }

    private void Show()
    {
        _terminal.Write(_prompt);
        _isShown = true;
    }

    private void Tell(TextWriter writer, string line)
    {
        lock (_gate)
        {
            var asks = _isShown;
            if (asks && _canErase) _terminal.Write("\r\e[K");
            else if (asks) _terminal.WriteLine();
            writer.WriteLine(line);
            if (asks) Show();
        }
    }

    private sealed class LineWriter(PromptLine line, TextWriter writer) : TextWriter
    {
        private readonly StringBuilder _part = new();

        public override Encoding Encoding => writer.Encoding;

        public override void Write(char value) => _part.Append(value);

        public override void Write(string? value) => _part.Append(value);

        public override void WriteLine(string? value)
        {
            line.Tell(writer, _part.Append(value).ToString());
            _part.Clear();
        }
    }
}
