using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Punchline.Benchmarks;

/// <summary>
/// From starting a second process of the published tool to the first message delivered, over loopback, in an open room whose
/// key both have kept; and beside it what of that the tool takes to start and print its version.
/// <c>first-message TOOL</c>
/// </summary>
internal static class FirstMessage
{
    private const int Rounds = 20;
    private const string RoomName = "first-message";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments is not [var tool] || !File.Exists(tool))
        {
            await Console.Error.WriteLineAsync("Usage: first-message TOOL, the published punchline.");
            return 2;
        }
        var states = Directory.CreateTempSubdirectory("punchline-bench-");
        try
        {
            using var server = Start(tool, ["serve", "0", "--listen", "127.0.0.1", "--state", Path.Combine(states.FullName, "server"), "--until-input-ends"]);
            var invitation = await FindAsync(server, line => line.Contains("--server", StringComparison.Ordinal));
            var address = invitation.Split(' ').SkipWhile(word => word != "--server").ElementAt(1);
            string[] Join(string who) => ["join", RoomName, "--server", address, "--name", who, "--json", "--state", Path.Combine(states.FullName, who)];

            using var waiting = Start(tool, [.. Join("waiting"), "--stay"]);
            await FindAsync(waiting, line => IsEvent(line, "ready"));
            // The first keeps the room's key, and is not counted.
            await RoundAsync(tool, Join("second"), waiting);
            var rounds = new List<double>();
            var starts = new List<double>();
            for (var i = 0; i < Rounds; i++)
            {
                starts.Add(await VersionAsync(tool));
                rounds.Add(await RoundAsync(tool, Join("second"), waiting));
            }
            Report("second process to first message delivered", rounds);
            Report("of it the tool's start (--version)", starts);
            foreach (var process in (Process[])[waiting, server])
            {
                process.Kill();
                await process.WaitForExitAsync();
            }
            return 0;
        }
        finally
        {
            states.Delete(recursive: true);
        }
    }

    private static async Task<double> RoundAsync(string tool, string[] join, Process waiting)
    {
        var start = Stopwatch.GetTimestamp();
        using var second = Start(tool, join);
        await second.StandardInput.WriteLineAsync("hello");
        await second.StandardInput.FlushAsync();
        await FindAsync(waiting, line => IsEvent(line, "message"));
        var elapsed = Stopwatch.GetElapsedTime(start);
        second.StandardInput.Close();
        await second.WaitForExitAsync().WaitAsync(Patience);
        return elapsed.TotalMilliseconds;
    }

    private static async Task<double> VersionAsync(string tool)
    {
        var start = Stopwatch.GetTimestamp();
        using var version = Start(tool, ["--version"]);
        await version.StandardOutput.ReadToEndAsync();
        await version.WaitForExitAsync().WaitAsync(Patience);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static Process Start(string tool, string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(tool, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        // Notices for people, read so that they do not fill the pipe.
        process.BeginErrorReadLine();
        return process;
    }

    private static async Task<string> FindAsync(Process process, Predicate<string> isWanted)
    {
        while (await process.StandardOutput.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            if (isWanted(line)) return line;
        }
        throw new InvalidOperationException($"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)} ended.");
    }

    private static bool IsEvent(string line, string name)
    {
        using var json = JsonDocument.Parse(line);
        return json.RootElement.GetProperty("event").ValueEquals(name);
    }

    private static void Report(string what, List<double> milliseconds)
    {
        milliseconds.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{what}, {milliseconds.Count} times: median {SecondRoom.Median(milliseconds):F0} ms, from {milliseconds[0]:F0} to {milliseconds[^1]:F0} ms"));
    }
}
