using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Punchline.Cli.Lab;

/// <summary>A program that runs in a node of a lab.</summary>
internal sealed partial class LabProcess : IAsyncDisposable
{
    private const int MaximumErrorLines = 200;

    /// <summary>After SIGKILL only the kernel's bookkeeping is left.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(10);

    private readonly Process _entrance; // nsenter: it waits outside, ends as its child ends, and passes no signals on
    private readonly Queue<string> _errors = new();

    internal LabProcess(Process entrance)
    {
        _entrance = entrance;
        _entrance.ErrorDataReceived += (_, line) => KeepError(line.Data);
        _entrance.BeginErrorReadLine(); // always read, or a talkative program would stop at a full pipe
    }

    public StreamWriter StandardInput => _entrance.StandardInput;

    public StreamReader StandardOutput => _entrance.StandardOutput;

    public bool HasExited => _entrance.HasExited;

    /// <summary>The last lines of its standard error.</summary>
    public string ErrorTail
    {
        get
        {
            lock (_errors)
                return string.Join('\n', _errors);
        }
    }

    public void EndInput() => LabTools.EndInput(_entrance);

    /// <summary>Sends a signal to the program, as <c>kill</c> does.</summary>
    /// <returns>False if it is not running.</returns>
    public bool Send(PosixSignal signal)
    {
        var number = signal switch
        {
            PosixSignal.SIGHUP => 1,
            PosixSignal.SIGINT => 2,
            PosixSignal.SIGTERM => 15,
            _ => throw new ArgumentOutOfRangeException(nameof(signal), signal, "Only SIGHUP, SIGINT and SIGTERM."),
        };
        return FindProgramId() is { } id && Kill(id, number) == 0;
    }

    /// <summary>Ends the program at once, as a crash or a pulled plug would: it can say goodbye to nobody.</summary>
    public void Kill()
    {
        const int SigKill = 9;
        if (FindProgramId() is { } id)
            _ = Kill(id, SigKill);
    }

    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync(CancellationToken cancellationToken)
    {
        await _entrance.WaitForExitAsync(cancellationToken);
        return _entrance.ExitCode;
    }

    /// <summary>Kills the program if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        Kill();
        try
        {
            await _entrance.WaitForExitAsync().WaitAsync(EndTimeout);
        }
        catch (TimeoutException)
        {
            _entrance.Kill();
        }

        _entrance.Dispose();
    }

    private void KeepError(string? line)
    {
        if (line is null)
            return;
        lock (_errors)
        {
            if (_errors.Count == MaximumErrorLines)
                _errors.Dequeue();
            _errors.Enqueue(line);
        }
    }

    /// <summary>The child of nsenter, as our own PID namespace numbers it; null before it has started and after it has ended.</summary>
    public int? FindProgramId()
    {
        if (_entrance.HasExited)
            return null;
        try
        {
            var children = File.ReadAllText($"/proc/{_entrance.Id}/task/{_entrance.Id}/children");
            return children.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [var id, ..] ? int.Parse(id, CultureInfo.InvariantCulture) : null;
        }
        catch (IOException)
        {
            return null; // it ended meanwhile
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
