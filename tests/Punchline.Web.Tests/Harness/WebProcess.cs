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

    public static async Task<WebProcess> StartAsync(string server, string name, params IEnumerable<string> options)
    {
        var state = Directory.CreateTempSubdirectory("punchline-web-");
        var start = new ProcessStartInfo(
            Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Punchline.Cli.dll"), "web", "--port", "0", "--no-browser", "--no-port-mapping", "--server", server, "--name", name, "--state", state.FullName, .. options])
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
        _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _process.Dispose();
        _state.Delete(recursive: true);
    }
}
