using System.Diagnostics;
using System.Runtime.InteropServices;
using Punchline.Cli.Lab;

namespace Punchline.Lab.Tests.Harness;

/// <summary>
/// The tool, running in a node. What it prints is kept until it is read, so a test may ask for events in its own order;
/// when a wait is in vain, the exception has everything that the tool said.
/// </summary>
internal sealed class ToolProcess : IAsyncDisposable
{
    /// <summary>A tool that prints more than this in a test is broken.</summary>
    private const int MaximumLines = 20_000;

    private readonly string _title;
    private readonly LabProcess _process;
    private readonly Task _reading;
    private readonly Lock _lock = new();
    private readonly List<string> _transcript = [];
    private readonly LinkedList<(string Text, ToolEvent? Event)> _unread = new();
    private TaskCompletionSource _news = NewSignal();
    private bool _ended;

    public ToolProcess(string title, LabProcess process)
    {
        _title = title;
        _process = process;
        _reading = ReadAllAsync();
    }

    /// <summary>The first event of this name that was not read yet; if there is none, the next to come.</summary>
    public async Task<ToolEvent> ReadEventAsync(string name, TimeSpan patience) =>
        (await TakeAsync(line => line.Event is { } said && string.Equals(said.Name, name, StringComparison.Ordinal), $"the event \"{name}\"", patience)).Event!;

    /// <summary>The first line with this text in it that was not read yet; if there is none, the next to come.</summary>
    public async Task<string> ReadLineAsync(string containing, TimeSpan patience) =>
        (await TakeAsync(line => line.Text.Contains(containing, StringComparison.Ordinal), $"a line with \"{containing}\"", patience)).Text;

    /// <summary>Types a line: in a room, a chat message to all.</summary>
    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Ends its input, which leaves a room in good order, and returns the exit code.</summary>
    public async Task<int> LeaveAsync(TimeSpan patience)
    {
        _process.EndInput();
        return await WaitForExitAsync(patience);
    }

    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync(TimeSpan patience)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(patience);
        try
        {
            var exitCode = await _process.WaitForExitAsync(timeout.Token);
            await _reading.WaitAsync(timeout.Token);
            return exitCode;
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw InVain("its end", patience);
        }
    }

    /// <summary>What it said last on standard error.</summary>
    public string ErrorTail => _process.ErrorTail;

    public bool Send(PosixSignal signal) => _process.Send(signal);

    /// <summary>As a crash: without goodbye to anybody.</summary>
    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        await _reading;
    }

    private async Task<(string Text, ToolEvent? Event)> TakeAsync(Func<(string Text, ToolEvent? Event), bool> wanted, string what, TimeSpan patience)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            Task news;
            lock (_lock)
            {
                for (var node = _unread.First; node is not null; node = node.Next)
                {
                    if (!wanted(node.Value))
                        continue;
                    _unread.Remove(node);
                    return node.Value;
                }

                if (_ended)
                    throw InVain(what, Stopwatch.GetElapsedTime(start));
                news = _news.Task;
            }

            var left = patience - Stopwatch.GetElapsedTime(start);
            try
            {
                await news.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, TestContext.Current.CancellationToken);
            }
            catch (TimeoutException)
            {
                throw InVain(what, patience);
            }
        }
    }

    private async Task ReadAllAsync()
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line && _transcript.Count < MaximumLines)
                Announce(() => Keep(line));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            Announce(() => _transcript.Add($"({e.Message})"));
        }

        Announce(() => _ended = true);
    }

    private void Keep(string line)
    {
        _transcript.Add(line);
        _unread.AddLast((line, ToolEvent.Parse(line)));
    }

    private void Announce(Action change)
    {
        TaskCompletionSource news;
        lock (_lock)
        {
            change();
            (news, _news) = (_news, NewSignal());
        }

        news.SetResult();
    }

    private TimeoutException InVain(string what, TimeSpan waited)
    {
        lock (_lock)
        {
            var state = _ended ? "its output has ended" : "it still runs";
            return new TimeoutException($"""
                {_title}: waited {waited.TotalSeconds:0.0} s for {what}; {state}. It said:
                {string.Join('\n', _transcript)}
                And on standard error:
                {_process.ErrorTail}
                """);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
