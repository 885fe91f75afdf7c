using System.Threading.Channels;
using Punchline.Cli.Chat;

namespace Punchline.Cli.Session;

/// <summary>A room or a call beside others, from the command that began it to its end, whatever that is.</summary>
/// <param name="model">What is told of it.</param>
/// <param name="lines">Messages for all in it; their end leaves it, unless it stays.</param>
/// <param name="time">The clock behind time-outs.</param>
internal sealed class Conversation(RoomModel model, ChannelReader<InputLine> lines, TimeProvider time) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    /// <summary>There is one other, without whom it is over.</summary>
    public bool IsCall { get; init; }

    /// <summary>The end of the lines does not leave.</summary>
    public bool Stays { get; init; }

    public bool IsOver => _running.IsCompleted;

    /// <param name="open">Joins or calls.</param>
    /// <param name="createOutput">Makes what is told of the room.</param>
    /// <param name="describe">What went wrong, for people.</param>
    public void Start(Func<CancellationToken, ValueTask<Room>> open, Func<Room, IChatOutput> createOutput, Func<PunchlineException, string> describe) =>
        _running = RunAsync(open, createOutput, describe, _stop.Token);

    /// <summary>Leaves, and returns when that is done.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync(Func<CancellationToken, ValueTask<Room>> open, Func<Room, IChatOutput> createOutput, Func<PunchlineException, string> describe, CancellationToken stop)
    {
        try
        {
            await using var room = await OpenAsync(open, stop);
            await new ChatSession(new JoinedRoom(room), lines, createOutput(room), Stays, time) { IsCall = IsCall }.RunAsync(stop);
        }
        catch (PunchlineException exception)
        {
            model.Notice(describe(exception));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested || lines.Completion.IsCompleted)
        {
            // Left before it was there.
        }
        finally
        {
            model.ShowEnded();
        }
    }

    private async Task<Room> OpenAsync(Func<CancellationToken, ValueTask<Room>> open, CancellationToken stop)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var opening = open(giveUp.Token).AsTask();
        if (!Stays && await Task.WhenAny(opening, lines.Completion) != opening) await giveUp.CancelAsync();
        return await opening;
    }
}
