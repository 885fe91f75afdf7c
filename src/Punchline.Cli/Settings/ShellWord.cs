namespace Punchline.Cli.Settings;

/// <summary>Words of lines that people paste into a shell.</summary>
internal static class ShellWord
{
    private const string SafeMarks = "-_.:@+,/#";

    /// <summary>As it is where no shell minds, else in single quotes.</summary>
    public static string Quote(string word) =>
        word.Length > 0 && word[0] != '#' && word.All(c => char.IsAsciiLetterOrDigit(c) || SafeMarks.Contains(c, StringComparison.Ordinal))
            ? word
            : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
