using System.Text;
using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Web;

/// <summary>A room or a call, and what a page says in it.</summary>
/// <param name="model">What the page shows of it.</param>
/// <param name="time">The clock behind time-outs.</param>
/// <param name="isCall">There is one other, without whom it is over.</param>
internal sealed class WebConversation(RoomModel model, TimeProvider time, bool isCall) : IAsyncDisposable
{
    /// <summary>Messages that wait for slow members.</summary>
    public const int MaxWaiting = 64;

    private readonly Channel<InputLine> _lines = Channel.CreateBounded<InputLine>(MaxWaiting);
    private Conversation? _conversation;

    public int Number => model.Number;

    public bool IsCall => isCall;

    /// <summary>Which room; null: it is a call.</summary>
    public (WebPlace Where, string Room, string Secret)? Place { get; init; }

    public bool IsOver => _conversation is { IsOver: true };

    /// <param name="open">Joins or calls.</param>
    /// <param name="openHistory">What is kept of it; null: nothing.</param>
    /// <param name="createOutput">Makes what is told of the room, from the model.</param>
    /// <param name="describe">What went wrong, for people.</param>
    public void Start(Func<CancellationToken, ValueTask<Room>> open, Func<Room, RoomHistory?> openHistory, Func<Room, IChatOutput, IChatOutput> createOutput, Func<PunchlineException, string> describe)
    {
        _conversation = new Conversation(model, _lines.Reader, time) { IsCall = isCall, Stays = true };
        _conversation.Start(
            open,
            room =>
            {
                model.Keep(openHistory(room));
                return createOutput(room, new NarratedRoom(model));
            },
            describe);
    }

    /// <exception cref="UsageException">It is over, the text is too long, or too many wait.</exception>
    public void Send(string text)
    {
        if (IsOver) throw new UsageException("It is over: nobody would hear that.");
        var bytes = Encoding.UTF8.GetByteCount(text);
        if (bytes > Room.MaxMessageBytes) throw new UsageException($"A message has at most {Room.MaxMessageBytes} bytes (1 MiB); this one has {bytes}.");
        if (!_lines.Writer.TryWrite(new InputLine(text, bytes))) throw new UsageException($"{MaxWaiting} messages are waiting to be sent. Try again once some have gone.");
    }

    /// <summary>Leaves, and returns when that is done.</summary>
    public ValueTask DisposeAsync() => _conversation?.DisposeAsync() ?? ValueTask.CompletedTask;
}
