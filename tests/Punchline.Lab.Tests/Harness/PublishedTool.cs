using System.Diagnostics;
using System.Runtime.InteropServices;
using Punchline.Cli.Lab;

namespace Punchline.Lab.Tests.Harness;

/// <summary>
/// The tool as its users get it: published once before the tests of a class, and then run in the nodes of labs.
/// <code>
///   await using var server = await tool.ServeAsync(lab, "s1");
///   await using var alice = tool.Join(lab, "a1", "demo", server);
///   await using var bob = tool.Join(lab, "b1", "demo", server);
///   var connected = await alice.ReadEventAsync("connected", Patience);
///   Assert.Equal("direct", connected["path.kind"]);
/// </code>
/// </summary>
public sealed class PublishedTool : IAsyncLifetime
{
    private const int ServerPort = 8080;

    /// <summary>A first publish compiles the whole tool, on two cores that others may be using.</summary>
    private static readonly TimeSpan PublishTimeout = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LockRetry = TimeSpan.FromMilliseconds(100);

    private readonly string _homes = Directory.CreateTempSubdirectory("punchline-lab-").FullName;
    private int _started;

    internal static string Program { get; } = Path.Combine(Root(), "artifacts", "lab-tool", "punchline");

    /// <summary>Publishes the tool; the build itself sees what is up to date. Not where it cannot be used.</summary>
    public async ValueTask InitializeAsync()
    {
        if (NatLab.WhyUnavailable() is null)
            await PublishAsync(TestContext.Current.CancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_homes, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs the tool in a node, with a home of its own: two runs are two peers.</summary>
    internal ToolProcess Start(NatLab lab, string node, params IEnumerable<string> arguments)
    {
        var home = Directory.CreateDirectory(Path.Combine(_homes, $"{++_started}-{node}")).FullName;
        var process = lab.Start(node, "env", ["-u", "XDG_CONFIG_HOME", "-u", "XDG_DATA_HOME", "-u", "XDG_STATE_HOME", $"HOME={home}", Program, .. arguments]);
        return new ToolProcess($"{node}: punchline {string.Join(' ', arguments)}", process);
    }

    /// <summary>Starts a coordination server and waits until it has printed how to reach it.</summary>
    internal Task<ToolServer> ServeAsync(NatLab lab, string node, params IEnumerable<string> options) => ServeAtAsync(lab, node, ServerPort, options);

    /// <inheritdoc cref="ServeAsync"/>
    internal async Task<ToolServer> ServeAtAsync(NatLab lab, string node, int port, params IEnumerable<string> options)
    {
        var process = Start(lab, node, ["serve", $"{port}", .. options]);
        try
        {
            return new ToolServer(process, ToolServer.OptionIn(await process.ReadLineAsync($"--server {lab.AddressOf(node)}:{port}", StartTimeout)));
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Joins a room, to be led by lines and to report by events. Its input stays open until <see cref="ToolProcess.LeaveAsync"/>.</summary>
    internal ToolProcess Join(NatLab lab, string node, string room, ToolServer server, params IEnumerable<string> options) =>
        Start(lab, node, ["join", room, "--server", server.Option, "--name", node, "--json", .. options]);

    private static async Task PublishAsync(CancellationToken cancellationToken)
    {
        var artifacts = Directory.CreateDirectory(Path.Combine(Root(), "artifacts")).FullName;
        await using var exclusive = await LockAsync(Path.Combine(artifacts, "lab-tool.lock"), cancellationToken);

        // --artifacts-path: its intermediate files are not those of the build that these tests run from.
        // --disable-build-servers: a build server would keep our pipe open long after the build.
        var start = new ProcessStartInfo("dotnet", [
            "publish", Path.Combine(Root(), "src", "Punchline.Cli"), "-c", "Release", "-r", Runtime,
            "--self-contained", "false", "-o", Path.GetDirectoryName(Program)!, "--artifacts-path", Path.Combine(artifacts, "lab-build"),
            "--disable-build-servers", "-p:RunAnalyzers=false", "-v", "quiet"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = Root(),
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name); // the settings of the build that started these tests

        using var publish = Process.Start(start)!;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(PublishTimeout);
        try
        {
            var output = await publish.StandardOutput.ReadToEndAsync(timeout.Token);
            await publish.WaitForExitAsync(timeout.Token);
            Assert.True(publish.ExitCode == 0, $"dotnet publish failed:\n{output}");
        }
        finally
        {
            if (!publish.HasExited)
                publish.Kill(entireProcessTree: true);
        }
    }

    /// <summary>Two test runs in one clone take turns.</summary>
    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (Stopwatch.GetElapsedTime(start) < PublishTimeout)
            {
                await Task.Delay(LockRetry, cancellationToken);
            }
        }
    }

    /// <summary>The portable one; <see cref="RuntimeInformation.RuntimeIdentifier"/> may name a distribution, for which nothing is published.</summary>
    private static string Runtime => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => "linux-x64",
        Architecture.Arm64 => "linux-arm64",
        var other => throw new PlatformNotSupportedException($"The lab tests were never tried on {other}."),
    };

    private static string Root()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Punchline.slnx")))
                return directory.FullName;
        }

        throw new InvalidOperationException($"{AppContext.BaseDirectory} is not within a clone of the repository.");
    }
}
