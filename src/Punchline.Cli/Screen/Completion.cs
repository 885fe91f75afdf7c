namespace Punchline.Cli.Screen;

/// <summary>What a word may become.</summary>
/// <param name="Start">Where the word begins, in UTF-16 units.</param>
/// <param name="Candidates">With what stands behind them; not empty.</param>
internal sealed record Completion(int Start, IReadOnlyList<string> Candidates)
{
    /// <summary>For the word before the cursor: a command at the beginning, else a member's name, which also begins an address ("bob: ").</summary>
    /// <returns>Null: nothing begins like that.</returns>
    public static Completion? Find(string text, int cursor, IEnumerable<string> names)
    {
        var before = text[..cursor];
        if (before is ['/', ..] && !before.Contains(' ', StringComparison.Ordinal)) return Of(0, ScreenCommand.Names, before, " ");
        var start = before.LastIndexOfAny([' ', '\n', '\t']) + 1;
        return start == cursor ? null : Of(start, names, before[start..], start == 0 ? ": " : " ");
    }

    private static Completion? Of(int start, IEnumerable<string> all, string beginning, string end)
    {
        string[] found = [.. all.Where(one => one.StartsWith(beginning, StringComparison.OrdinalIgnoreCase)).Distinct(StringComparer.Ordinal).Select(one => one + end)];
        return found.Length == 0 ? null : new Completion(start, found);
    }
}
