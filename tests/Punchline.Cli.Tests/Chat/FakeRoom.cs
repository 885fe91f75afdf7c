using System.Threading.Channels;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Tests.Chat;

/// <summary>A room whose members are the test.</summary>
internal sealed class FakeRoom : IChatRoom
{
    private readonly Channel<RoomEvent> _events = Channel.CreateUnbounded<RoomEvent>();

    public List<string> Sent { get; } = [];

    /// <summary>What sending meets with.</summary>
    public Exception? Problem { get; init; }

    public int TimesLeft { get; private set; }

    public bool WasDeliveryAwaited { get; private set; }

    public TaskCompletionSource HasSent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource Delivery { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TaskCompletionSource DeliveryIsAwaited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Happen(RoomEvent roomEvent) => _events.Writer.TryWrite(roomEvent);

    public IAsyncEnumerable<RoomEvent> ReadEventsAsync() => _events.Reader.ReadAllAsync(CancellationToken.None);

    public ValueTask<ulong> SendAsync(string text, CancellationToken cancellationToken)
    {
        if (Problem is not null) return ValueTask.FromException<ulong>(Problem);
        Sent.Add(text);
        HasSent.TrySetResult();
        return ValueTask.FromResult((ulong)Sent.Count);
    }

    /// <summary>What its connections have counted.</summary>
    public List<ConnectionMeasurement> Measurements { get; } = [];

    public IEnumerable<ConnectionMeasurement> Measure() => Measurements;

    public async ValueTask WaitForDeliveryAsync(CancellationToken cancellationToken)
    {
        WasDeliveryAwaited = true;
        DeliveryIsAwaited.TrySetResult();
        await Delivery.Task.WaitAsync(cancellationToken);
    }

    public ValueTask LeaveAsync()
    {
        TimesLeft++;
        _events.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }
}
