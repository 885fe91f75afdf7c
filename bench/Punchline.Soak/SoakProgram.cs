using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Punchline.Cli.Lab;

namespace Punchline.Soak;

/// <summary>What is asked on the command line.</summary>
internal sealed record SoakOptions(TimeSpan Duration, int Members, int Seed, string? Tool, string? Logs)
{
    public bool IsFullRoom { get; init; }
}

/// <summary>From the command line to the report.</summary>
internal static class SoakProgram
{
    /// <returns>The exit code: 0 where all promises were kept, 1 where one was not, 2 where the lab cannot be built.</returns>
    public static async Task<int> RunAsync(SoakOptions options, CancellationToken cancellationToken)
    {
        var homes = Directory.CreateTempSubdirectory("punchline-soak-homes-").FullName;
        try
        {
            if (!options.IsFullRoom && NatLab.WhyUnavailable() is { } reason)
            {
                await Console.Error.WriteLineAsync($"No soak, because {reason}");
                return 2;
            }
            var tool = options.Tool ?? await PublishAsync(Path.Combine(homes, "tool"), cancellationToken);
            return options.IsFullRoom ? await new FullRoom(tool, homes).RunAsync(cancellationToken) : await RunRoomAsync(options, tool, homes, cancellationToken);
        }
        finally
        {
            Directory.Delete(homes, recursive: true);
        }
    }

    private static async Task<int> RunRoomAsync(SoakOptions options, string tool, string homes, CancellationToken cancellationToken)
    {
        var logs = Directory.CreateDirectory(options.Logs ?? Path.Combine(Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"punchline-soak-{Environment.ProcessId}"))).FullName;
        var room = new SoakRoom(options, tool, homes, logs);
        await room.RunAsync(cancellationToken);
        Console.WriteLine(room.Report());
        if (room.Violations.Count > 0)
        {
            Console.WriteLine($"All members' events are in {logs}.");
            return 1;
        }
        if (options.Logs is null) Directory.Delete(logs, recursive: true);
        return 0;
    }

    private static async Task<string> PublishAsync(string directory, CancellationToken cancellationToken)
    {
        Console.WriteLine("Publishing the tool …");
        var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64";
        var start = new ProcessStartInfo("dotnet", [
            "publish", Path.Combine(Root(), "src", "Punchline.Cli"), "-c", "Release", "-r", $"linux-{architecture}", "--self-contained", "false",
            "-o", directory, "--artifacts-path", Path.Combine(directory, "..", "build"), "--disable-build-servers", "-p:RunAnalyzers=false", "-v", "quiet"]);
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList()) start.Environment.Remove(name);
        using var publish = Process.Start(start)!;
        await publish.WaitForExitAsync(cancellationToken);
        return publish.ExitCode == 0 ? Path.Combine(directory, "punchline") : throw new InvalidOperationException("dotnet publish failed.");
    }

    private static string Root()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Punchline.slnx"))) return directory.FullName;
        }
        throw new InvalidOperationException($"{AppContext.BaseDirectory} is not within a clone of the repository: name the published tool with --tool.");
    }
}
