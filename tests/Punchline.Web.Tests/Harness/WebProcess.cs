using System.Diagnostics;

namespace Punchline.Web.Tests.Harness;

/// <summary><c>punchline web</c> in a process of its own.</summary>
internal sealed class WebProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly DirectoryInfo _state;

    private WebProcess(Process process, DirectoryInfo state, string link)
    {
        _process = process;
        _state = state;
        Link = link;
    }

    /// <summary>What it printed: opens the page once.</summary>
    public string Link { get; }

    public string Origin => new Uri(Link).GetLeftPart(UriPartial.Authority);

    public static Task<WebProcess> StartAsync(string? server, string name, params IEnumerable<string> options) =>
        StartAsync(Directory.CreateTempSubdirectory("punchline-web-"), server, name, options);

    /// <summary>Ends it, and begins anew with what it kept.</summary>
    public async Task<WebProcess> StartAgainAsync(string? server, string name, params IEnumerable<string> options)
    {
        await EndAsync();
        return await StartAsync(_state, server, name, options);
    }

    private static async Task<WebProcess> StartAsync(DirectoryInfo state, string? server, string name, IEnumerable<string> options)
    {
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Punchline.Cli.dll"), "web", "--port", "0", "--no-browser", "--no-port-mapping", .. server is null ? (string[])[] : ["--server", server], "--name", name, "--state", state.FullName, .. options])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var link = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience);
        return new WebProcess(process, state, Assert.IsType<string>(link));
    }

    public async Task EndAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _process.Dispose();
        // Of two with one state the first.
        if (Directory.Exists(_state.FullName)) _state.Delete(recursive: true);
    }
}
