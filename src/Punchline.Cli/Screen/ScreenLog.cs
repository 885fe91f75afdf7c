using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>The entries that a screen can still draw; older ones are the terminal's, in its scrollback.</summary>
internal sealed class ScreenLog
{
    private readonly Dictionary<long, ScreenEntry> _entries = [];
    private long _characters;

    /// <summary>The number of the oldest that is there.</summary>
    public long First { get; private set; } = 1;

    /// <summary>The number of the next.</summary>
    public long Next { get; private set; } = 1;

    public ScreenEntry this[long number] => _entries[number];

    /// <param name="entry">Whose number is given here.</param>
    public long Add(ScreenEntry entry)
    {
        _entries[Next] = entry with { Number = Next };
        _characters += entry.Text.Length;
        while (_entries.Count > RoomLog.MaxEntries || _characters > RoomLog.MaxCharacters)
        {
            _entries.Remove(First++, out var oldest);
            _characters -= oldest!.Text.Length;
        }
        return Next++;
    }

    /// <returns>False: it is gone.</returns>
    public bool TryUpdate(long number, Func<ScreenEntry, ScreenEntry> change)
    {
        if (!_entries.TryGetValue(number, out var entry)) return false;
        _entries[number] = change(entry);
        return true;
    }
}
