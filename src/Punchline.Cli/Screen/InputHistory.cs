namespace Punchline.Cli.Screen;

/// <summary>The lines that were sent, and the one that is being written, to go up and down in.</summary>
internal sealed class InputHistory
{
    public const int MaxLines = 500;

    /// <summary>Longer ones, which were pasted, are not kept.</summary>
    public const int MaxLineLength = 4096;

    private readonly List<string> _lines = [];
    private string _draft = "";
    private int _position;

    public void Add(string line)
    {
        if (line.Length <= MaxLineLength && (_lines.Count == 0 || _lines[^1] != line)) _lines.Add(line);
        if (_lines.Count > MaxLines) _lines.RemoveAt(0);
        _position = _lines.Count;
    }

    /// <param name="current">What stands in the editor.</param>
    /// <returns>What takes its place; null: there is none before.</returns>
    public string? Up(string current)
    {
        if (_position == 0) return null;
        if (_position == _lines.Count) _draft = current;
        return _lines[--_position];
    }

    /// <returns>Null: this is the last.</returns>
    public string? Down()
    {
        if (_position == _lines.Count) return null;
        return ++_position == _lines.Count ? _draft : _lines[_position];
    }
}
