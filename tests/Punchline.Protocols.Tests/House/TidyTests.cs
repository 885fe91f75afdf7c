using System.Runtime.CompilerServices;

namespace Punchline.Protocols.Tests.House;

/// <summary>The repository's own rules, as far as a program can see them.</summary>
public sealed class TidyTests
{
    // About 400 lines is where to look for the second idea (STYLE 11); this is where the search has to succeed.
    private const int MaxLines = 450;

    // In two parts, so that this file passes its own test.
    private static readonly string[] Unfinished = ["TO" + "DO", "FIX" + "ME", "HA" + "CK", "XX" + "X:", "NotImplemented" + "Exception"];

    private static readonly string[] Sleeps = ["Thread." + "Sleep(", "Task." + "Delay("];

    // Real processes and sockets keep real time; their tests wait for an event with a limit, or pause between two looks.
    private static readonly string[] RealTime =
    [
        "tests/Punchline.Tests/", "tests/Punchline.Server.Tests/", "tests/Punchline.Lab.Tests/", "tests/Punchline.Cli.Tests/", "tests/Punchline.AspNetCore.Tests/",
    ];

    private static readonly string Root = FindRoot();

    [Fact]
    public void No_source_file_is_too_long_to_hold_one_idea() =>
        AssertNone(SourceFiles().Select(file => (file.Name, Lines: file.Lines.Length)).Where(file => file.Lines > MaxLines).Select(file => $"{file.Name}: {file.Lines} lines"));

    [Fact]
    public void Nothing_is_left_unfinished() =>
        AssertNone(Find(line => Unfinished.Any(mark => line.Contains(mark, StringComparison.Ordinal))));

    [Fact]
    public void No_test_in_virtual_time_sleeps() =>
        AssertNone(SourceFiles().Where(file => file.Name.StartsWith("tests/", StringComparison.Ordinal) && !RealTime.Any(folder => file.Name.StartsWith(folder, StringComparison.Ordinal)))
            .SelectMany(file => Find(file, line => Sleeps.Any(sleep => line.Contains(sleep, StringComparison.Ordinal)))));

    [Fact]
    public void Files_end_with_a_line_feed_and_have_no_tabs_or_trailing_spaces() => AssertNone(
        SourceFiles().Where(file => !file.Text.EndsWith('\n') || file.Text.EndsWith("\n\n", StringComparison.Ordinal) || file.Text.Contains('\r', StringComparison.Ordinal))
            .Select(file => file.Name)
            .Concat(Find(line => line.EndsWith(' ') || line.Contains('\t', StringComparison.Ordinal))));

    // All of them, where Assert.Empty shows the beginnings of five.
    private static void AssertNone(IEnumerable<string> found)
    {
        var text = string.Join('\n', found);
        Assert.True(text.Length == 0, text);
    }

    private static IEnumerable<string> Find(Func<string, bool> isWrong) => SourceFiles().SelectMany(file => Find(file, isWrong));

    private static IEnumerable<string> Find(SourceFile file, Func<string, bool> isWrong) =>
        file.Lines.Index().Where(line => isWrong(line.Item)).Select(line => $"{file.Name}:{line.Index + 1}: {line.Item.Trim()}");

    private static List<SourceFile> SourceFiles()
    {
        var files = new List<SourceFile>();
        foreach (var folder in (string[])["src", "tests", "bench", "fuzz", "samples"])
        {
            var path = Path.Combine(Root, folder);
            if (!Directory.Exists(path)) continue;
            foreach (var file in Directory.EnumerateFiles(path, "*.cs", SearchOption.AllDirectories))
            {
                var name = Path.GetRelativePath(Root, file).Replace('\\', '/');
                if (name.Contains("/obj/", StringComparison.Ordinal) || name.Contains("/bin/", StringComparison.Ordinal)) continue;
                var text = File.ReadAllText(file);
                files.Add(new SourceFile(name, text, text.TrimEnd('\n').Split('\n')));
            }
        }
        // Whoever runs the tests away from their sources should know that nothing was looked at.
        Assert.NotEmpty(files);
        return files;
    }

    private static string FindRoot([CallerFilePath] string here = "")
    {
        foreach (var start in (string[])[AppContext.BaseDirectory, Path.GetDirectoryName(here) ?? ""])
        {
            for (var directory = new DirectoryInfo(start); directory is not null; directory = directory.Parent)
            {
                if (File.Exists(Path.Combine(directory.FullName, "Punchline.slnx"))) return directory.FullName;
            }
        }
        throw new InvalidOperationException("Punchline.slnx is in no folder above the tests.");
    }

    private sealed record SourceFile(string Name, string Text, string[] Lines);
}
