using System.Text;
using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Web;

/// <summary>A room or a call, from the command that began it to its end, whatever that is.</summary>
/// <param name="model">What the page shows of it.</param>
/// <param name="time">The clock behind time-outs.</param>
internal sealed class WebConversation(RoomModel model, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Messages that wait for slow members.</summary>
    public const int MaxWaiting = 64;

    private readonly Channel<InputLine> _lines = Channel.CreateBounded<InputLine>(MaxWaiting);
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public int Number => model.Number;

    /// <summary>There is one other, without whom it is over.</summary>
    public bool IsCall { get; init; }

    /// <summary>Which room; null: it is a call.</summary>
    public (WebPlace Where, string Room, string Secret)? Place { get; init; }

    public bool IsOver => _running.IsCompleted;

    /// <param name="open">Joins or calls.</param>
    /// <param name="openHistory">What is kept of it; null: nothing.</param>
    /// <param name="createOutput">Makes what is told of the room, from the model.</param>
    /// <param name="describe">What went wrong, for people.</param>
    public void Start(Func<CancellationToken, ValueTask<Room>> open, Func<Room, RoomHistory?> openHistory, Func<Room, IChatOutput, IChatOutput> createOutput, Func<PunchlineException, string> describe) =>
        _running = RunAsync(open, openHistory, createOutput, describe, _stop.Token);

    /// <exception cref="UsageException">It is over, the text is too long, or too many wait.</exception>
    public void Send(string text)
    {
        if (IsOver) throw new UsageException("It is over: nobody would hear that.");
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > Room.MaxMessageBytes) throw new UsageException($"A message has at most {Room.MaxMessageBytes} bytes (1 MiB); this one has {bytes}.");
        if (!_lines.Writer.TryWrite(new InputLine(text, bytes))) throw new UsageException($"{MaxWaiting} messages are waiting to be sent. Try again once some have gone.");
    }

    /// <summary>Leaves, and returns when that is done.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync(
        Func<CancellationToken, ValueTask<Room>> open, Func<Room, RoomHistory?> openHistory, Func<Room, IChatOutput, IChatOutput> createOutput, Func<PunchlineException, string> describe, CancellationToken stop)
    {
        try
        {
            await using var room = await open(stop);
            model.Keep(openHistory(room));
            var output = createOutput(room, new NarratedRoom(model));
            await new ChatSession(new JoinedRoom(room), _lines.Reader, output, stays: true, time) { IsCall = IsCall }.RunAsync(stop);
        }
        catch (PunchlineException exception)
        {
            model.Notice(describe(exception));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Left before it was there.
        }
        finally
        {
            model.ShowEnded();
        }
    }
}
