using System.Diagnostics;
using System.Net;

namespace Punchline.Cli.Demo;

/// <summary>Three processes side by side on this machine, for where there can be no lab.</summary>
/// <param name="why">Why there is none, as the second half of a sentence.</param>
internal sealed class LoopbackStage(string why) : IDemoStage
{
    public bool HasRouters => false;

    public IPAddress ServerAddress => IPAddress.Loopback;

    // Any port that is free. Should this process be killed, its ends of the pipes close, and all three end by themselves:
    // peers at the end of their input, the server likewise where it is told to.
    public IEnumerable<string> ServeArguments => ["serve", "0", "--listen", $"{ServerAddress}", "--until-input-ends"];

    public IReadOnlyList<string> Scenery =>
    [
        $"There are no routers in this demo, because {why}.",
        "Server, Alice and Bob are three processes on this machine that talk over loopback.",
    ];

    public IDemoProgram Start(DemoRole role, IEnumerable<string> arguments)
    {
        var command = ThisTool.Command;
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // A killed .NET process leaves its diagnostic socket behind in /tmp.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        return new Program(Process.Start(start)!);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Program : IDemoProgram
    {
        private const int MaxErrorLines = 20;

        private readonly Process _process;
        private readonly Queue<string> _errors = new();

        public Program(Process process)
        {
            _process = process;
            _process.ErrorDataReceived += (_, line) => KeepError(line.Data);
            _process.BeginErrorReadLine();
        }

        public StreamWriter StandardInput => _process.StandardInput;

        public StreamReader StandardOutput => _process.StandardOutput;

        public string ErrorTail
        {
            get
            {
                lock (_errors) return string.Join('\n', _errors);
            }
        }

        public async Task KillAsync()
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await KillAsync();
            _process.Dispose();
        }

        private void KeepError(string? line)
        {
            if (line is null) return;
            lock (_errors)
            {
                if (_errors.Count == MaxErrorLines) _errors.Dequeue();
                _errors.Enqueue(line);
            }
        }
    }
}
