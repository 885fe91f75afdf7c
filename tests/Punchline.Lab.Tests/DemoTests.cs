using System.Diagnostics;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>What newcomers run first. Its programs are found by a variable in their environment, which they inherit.</summary>
public sealed class DemoTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private const string Mark = "PUNCHLINE_TEST_DEMO";

    // The goal is a minute; it takes two seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _mark = Guid.NewGuid().ToString();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Ends_well_and_leaves_nothing(bool hasLab)
    {
        using var demo = Start(hasLab);
        var story = await demo.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await demo.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.True(demo.ExitCode == 0, $"{story}\n{await demo.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken)}");
        Assert.Equal(4, story.Split('\n').Count(line => line.Contains('→', StringComparison.Ordinal)));
        Assert.Equal(hasLab, story.Contains("two NATs", StringComparison.Ordinal));
        Assert.DoesNotContain('\e', story); // not a terminal
        await AssertNothingIsLeftAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Killed_it_leaves_nothing(bool hasLab)
    {
        using var demo = Start(hasLab);
        while (await demo.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line && !line.Contains("joined the room", StringComparison.Ordinal))
        {
        }

        Assert.NotEmpty(Descendants());
        demo.Kill();
        await demo.WaitForExitAsync(TestContext.Current.CancellationToken);

        await AssertNothingIsLeftAsync();
    }

    private Process Start(bool hasLab)
    {
        LabRequirement.Check();
        GC.KeepAlive(tool); // it was published
        var start = new ProcessStartInfo(PublishedTool.Program, hasLab ? ["demo"] : ["demo", "--no-lab"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment[Mark] = _mark;
        return Process.Start(start)!;
    }

    /// <summary>Who ends by itself or by the kernel has a moment for it.</summary>
    private async Task AssertNothingIsLeftAsync()
    {
        var start = Stopwatch.GetTimestamp();
        while (Descendants() is { Count: > 0 } left)
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Patience, $"Still there: {string.Join(", ", left)}");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    private List<string> Descendants()
    {
        var found = new List<string>();
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => path[^1] is >= '0' and <= '9'))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(process, "environ")).Contains($"{Mark}={_mark}", StringComparison.Ordinal))
                    found.Add(File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' '));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // it ended meanwhile
            }
        }
        return found;
    }
}
