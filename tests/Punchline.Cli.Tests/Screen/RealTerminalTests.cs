using System.Diagnostics;
using System.Text;

namespace Punchline.Cli.Tests.Screen;

/// <summary>The program itself on a terminal of the kernel's, which util-linux's <c>script</c> opens for it, in a room that nobody else is in.</summary>
public sealed class RealTerminalTests : IDisposable
{
    private const string Room = "real-terminal";

    private readonly TemporaryDirectory _directory = new();
    private readonly VirtualTerminal _terminal = new(80, 24);
    private Process? _script;

    public void Dispose()
    {
        if (_script is { HasExited: false }) _script.Kill(entireProcessTree: true);
        _script?.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("\x03")] // Ctrl+C
    [InlineData("\x04")] // Ctrl+D, the end of the input
    [InlineData("/quit\r")]
    public async Task Keys_come_at_once_and_the_terminal_is_as_it_was_whichever_way_one_leaves(string farewell)
    {
        using var patience = Start("");
        await ReadUntilAsync(">", patience.Token);
        await TypeAsync("helo\e[Dl");
        await ReadUntilAsync("> hello", patience.Token);
        await TypeAsync("\r");
        await ReadUntilAsync("ann: hello ∅", patience.Token);
        await TypeAsync(farewell);
        await ReadUntilAsync(null, patience.Token);
        await _script!.WaitForExitAsync(patience.Token);
        Assert.Equal((0, await SettingsAsync("before")), (_script.ExitCode, await SettingsAsync("after")));
        Assert.Equal((24, true), (_terminal.RegionRows, _terminal.Modes.SetEquals(["?7", "?25"])));
        Assert.Contains(_terminal.Screen, row => row.EndsWith("ann: hello ∅", StringComparison.Ordinal));
        Assert.DoesNotContain(_terminal.Screen, row => row.StartsWith('>'));
    }

    [Theory]
    [InlineData("", "--lines")]
    [InlineData("TERM=dumb ", "")]
    public async Task A_terminal_that_cannot_or_need_not_gets_lines(string variable, string option)
    {
        using var patience = Start(option, variable);
        var output = new StringBuilder();
        var buffer = new char[1024];
        while (!output.ToString().Contains($"* In the room {Room} as ann", StringComparison.Ordinal))
        {
            var length = await _script!.StandardOutput.ReadAsync(buffer, patience.Token);
            Assert.NotEqual(0, length);
            output.Append(buffer, 0, length);
        }
        Assert.DoesNotContain("\e[?2004h", output.ToString(), StringComparison.Ordinal);
        await TypeAsync("\x03");
        await _script!.WaitForExitAsync(patience.Token);
        Assert.Equal(0, _script.ExitCode);
    }

    private CancellationTokenSource Start(string option, string variable = "TERM=xterm ")
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "This system has no util-linux.");
        var tool = Path.Combine(AppContext.BaseDirectory, "Punchline.Cli.dll");
        // Ctrl+C is for the whole foreground: without the trap some shells end by it too.
        var command = $"trap : INT; cd {_directory.Path}; stty -a > before; {variable}dotnet {tool} join {Room} --secret 335v2-k3h52-22x47-djrbv --no-port-mapping --state state --name ann {option}; code=$?; stty -a > after; exit $code";
        var start = new ProcessStartInfo("/usr/bin/script", ["-qec", command, "/dev/null"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true };
        // A person's own settings have no say here.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("PUNCHLINE_", StringComparison.Ordinal)).ToList()) start.Environment.Remove(name);
        _script = Process.Start(start)!;
        var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        // Against hanging.
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        return patience;
    }

    private async Task TypeAsync(string text)
    {
        await _script!.StandardInput.BaseStream.WriteAsync(Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);
        await _script.StandardInput.BaseStream.FlushAsync(TestContext.Current.CancellationToken);
    }

    // Null: the end of all.
    private async Task ReadUntilAsync(string? shown, CancellationToken patience)
    {
        var pending = new List<byte>();
        var buffer = new byte[4096];
        while (shown is null || !_terminal.Screen.Any(row => row.Contains(shown, StringComparison.Ordinal)))
        {
            var length = await _script!.StandardOutput.BaseStream.ReadAsync(buffer, patience);
            if (length == 0)
            {
                Assert.True(shown is null, $"The end came before '{shown}':\n{string.Join('\n', _terminal.Screen)}");
                return;
            }
            pending.AddRange(buffer.AsSpan(0, length));
            // Frames end like this, lines like that; what is cut elsewhere waits for its rest.
            if (length == buffer.Length || (pending[^1] is not ((byte)'l' or (byte)'\n'))) continue;
            _terminal.Write([.. pending]);
            pending.Clear();
        }
    }

    private async Task<string> SettingsAsync(string file) => await File.ReadAllTextAsync(Path.Combine(_directory.Path, file), TestContext.Current.CancellationToken);
}
