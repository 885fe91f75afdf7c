using System.Threading.Channels;
using Punchline.Cli.Calls;
using Punchline.Cli.Session;

namespace Punchline.Cli.Chat;

/// <summary>A room, lines from somewhere, and somewhere to tell what happens, until one of them has enough.</summary>
/// <param name="room">Joined already; left at the end.</param>
/// <param name="lines">Messages to all.</param>
/// <param name="output">Where events go.</param>
/// <param name="stays">The end of the lines does not leave.</param>
/// <param name="time">The clock behind time-outs.</param>
internal sealed class ChatSession(IChatRoom room, ChannelReader<InputLine> lines, IChatOutput output, bool stays, TimeProvider time)
{
    /// <summary>How long the end of the lines waits for what was sent to arrive: three times what a slow link needs for 1 MiB.</summary>
    public static readonly TimeSpan DeliveryTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Of a call: looking for a way takes 20 s, and then it says why there is none.</summary>
    public static readonly TimeSpan CallDeliveryTimeout = TimeSpan.FromSeconds(25);

    private Task? _nextSample;

    /// <summary>There is one other, without whom it is over.</summary>
    public bool IsCall { get; init; }

    /// <summary>How long to stay in a call to which there is no way, so that the other side, which has looked for as long, says so itself and not that it was left.</summary>
    public TimeSpan NoPathDelay { get; init; }

    /// <summary>
    /// How long lines from a program wait for somebody to read them where no server says who is there. Nobody then: they were said to an empty room.
    /// </summary>
    public TimeSpan MeetingPatience { get; init; }

    // The server has said who is in the room, or a member is connected.
    private readonly TaskCompletionSource _met = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="interruption">Leaves at once.</param>
    /// <returns>The exit code: failed where messages may not have arrived, or another process took this peer's place; of a call, how that ended.</returns>
    public async Task<int> RunAsync(CancellationToken interruption)
    {
        try
        {
            return await ChatAsync(interruption);
        }
        finally
        {
            output.ShowEnded();
        }
    }

    private async Task<int> ChatAsync(CancellationToken interruption)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(interruption);
        var showing = ShowEventsAsync(stop.Token);
        var sending = SendLinesAsync(stop.Token);
        await Task.WhenAny(showing, sending);
        await stop.CancelAsync();
        var exitCode = await sending;
        await room.LeaveAsync();
        return await showing ?? exitCode;
    }

    // Ends when the room was left, or, with an exit code, when this peer has no place in it any more.
    private async Task<int?> ShowEventsAsync(CancellationToken stop)
    {
        await using var events = room.ReadEventsAsync().GetAsyncEnumerator(CancellationToken.None);
        var meter = new QualityMeter(time);
        while (await NextAsync(events, meter, stop))
        {
            var roomEvent = events.Current;
            output.Show(roomEvent);
            if (roomEvent is RoomEvent.Connected or RoomEvent.ServerChanged { State: ServerState.Connected }) _met.TrySetResult();
            if (roomEvent is RoomEvent.ServerChanged { State: ServerState.Replaced }) return ExitCode.Failed;
            if (!IsCall || CallEnding.Of(roomEvent) is not { } exitCode) continue;
            if (exitCode == ExitCode.NoPath) await Task.Delay(NoPathDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return exitCode;
        }
        return null;
    }

    // Samples are told between events, and by the same task, for what is told of a member has an order.
    private async Task<bool> NextAsync(IAsyncEnumerator<RoomEvent> events, QualityMeter meter, CancellationToken stop)
    {
        var next = events.MoveNextAsync().AsTask();
        while (!stop.IsCancellationRequested)
        {
            await Task.WhenAny(next, _nextSample ??= Task.Delay(QualityMeter.Interval, time, stop));
            if (_nextSample.IsCompletedSuccessfully)
            {
                _nextSample = Task.Delay(QualityMeter.Interval, time, stop);
                output.ShowQuality(meter.Take(room.Measure()));
            }
            if (next.IsCompleted) break;
        }
        return await next;
    }

    private async Task<int> SendLinesAsync(CancellationToken stop)
    {
        try
        {
            await WaitForSomebodyAsync(stop);
            var (areAllSent, isAnySent) = (true, false);
            output.AwaitLine();
            await foreach (var line in lines.ReadAllAsync(stop))
            {
                isAnySent = true;
                areAllSent &= await TrySendAsync(line, stop);
                output.AwaitLine();
            }
            if (stays) await Task.Delay(Timeout.InfiniteTimeSpan, time, stop);
            areAllSent &= !isAnySent || MeetingPatience == TimeSpan.Zero || _met.Task.IsCompleted;
            return await TryWaitForDeliveryAsync(stop) && areAllSent ? ExitCode.Done : ExitCode.Failed;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCode.Done;
        }
    }

    private async Task WaitForSomebodyAsync(CancellationToken stop)
    {
        if (MeetingPatience == TimeSpan.Zero) return;
        await Task.WhenAny(_met.Task, Task.Delay(MeetingPatience, time, stop));
        stop.ThrowIfCancellationRequested();
        if (!_met.Task.IsCompleted) output.Notice($"Nobody was met within {MeetingPatience.TotalSeconds:0} s. What is said now reaches only those who are met before it is.");
    }

    private async Task<bool> TrySendAsync(InputLine line, CancellationToken stop)
    {
        if (line.Text is null)
        {
            output.Notice($"A line of {line.Bytes} bytes was not sent: a message has at most {Room.MaxMessageBytes} (1 MiB).");
            return false;
        }
        output.ShowSent(await room.SendAsync(line.Text, stop), line.Text);
        return true;
    }

    private async Task<bool> TryWaitForDeliveryAsync(CancellationToken stop)
    {
        var patience = IsCall ? CallDeliveryTimeout : DeliveryTimeout;
        using var limit = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        try
        {
            await room.WaitForDeliveryAsync(either.Token);
            return true;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            output.Notice($"Some of what was sent did not arrive everywhere within {patience.TotalSeconds:0} s.");
            return false;
        }
    }
}
