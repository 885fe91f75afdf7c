using System.Net.WebSockets;
using System.Threading.Channels;
using Punchline.Protocols.Coordination;

namespace Punchline.Server;

/// <summary>One WebSocket: reads whole messages, and writes from a bounded queue so that a slow reader holds up nobody else.</summary>
internal sealed class CoordinationConnection(long number, WebSocket socket, TimeProvider time) : IDisposable
{
    /// <summary>
    /// Everybody of a full room joining and updating at once is 126 messages; who is twice that behind does not read.
    /// Together at most 256 × 5.8 kB = 1.5 MB, most of it shared with the other members' queues.
    /// </summary>
    public const int MaxQueuedMessages = 256;

    /// <summary>From our close to the other side's, before the connection is cut.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _lifetime = new(Timeout.InfiniteTimeSpan, time);
    private readonly Channel<ReadOnlyMemory<byte>> _queue = Channel.CreateBounded<ReadOnlyMemory<byte>>(
        new BoundedChannelOptions(MaxQueuedMessages) { SingleReader = true });

    private (WebSocketCloseStatus Status, string Description) _close;
    private bool _closing;

    public long Number { get; } = number;

    /// <summary>Never waits. False: the queue is full or the connection is closing.</summary>
    public bool TryEnqueue(ReadOnlyMemory<byte> utf8) => _queue.Writer.TryWrite(utf8);

    /// <summary>Closes when the queue is out, within 2 s whatever the other side does. Only the first call counts.</summary>
    public void Close(WebSocketCloseStatus status = WebSocketCloseStatus.NormalClosure, string description = "")
    {
        if (Interlocked.Exchange(ref _closing, true)) return;
        _close = (status, description);
        _queue.Writer.TryComplete();
        _lifetime.CancelAfter(CloseTimeout);
    }

    public void Abort()
    {
        _queue.Writer.TryComplete();
        socket.Abort();
    }

    /// <summary>
    /// Reads one message: its length, or why it is none that we take, or null once the other side has closed or is lost.
    /// </summary>
    public async ValueTask<(int Length, WebSocketCloseStatus? Refusal)?> ReceiveAsync(Memory<byte> buffer)
    {
        var length = 0;
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer[length..], _lifetime.Token);
                if (received.MessageType == WebSocketMessageType.Close) return null;
                if (received.MessageType == WebSocketMessageType.Binary) return (0, WebSocketCloseStatus.InvalidMessageType);
                length += received.Count;
                if (received.EndOfMessage && length <= CoordinationLimits.MaxClientMessageBytes) return (length, null);
                if (received.EndOfMessage || length == buffer.Length) return (0, WebSocketCloseStatus.MessageTooBig);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            return null;
        }
    }

    /// <summary>Reads on until the other side has closed too, so that our last words are not lost to a reset.</summary>
    public async Task DrainAsync(Memory<byte> buffer)
    {
        while (await ReceiveAsync(buffer) is not null)
        {
        }
    }

    /// <summary>Sends what is queued until <see cref="Close"/>, then the close frame. Never throws.</summary>
    public async Task SendAllAsync()
    {
        try
        {
            await foreach (var utf8 in _queue.Reader.ReadAllAsync(_lifetime.Token))
            {
                await socket.SendAsync(utf8, WebSocketMessageType.Text, endOfMessage: true, _lifetime.Token);
            }
            await socket.CloseOutputAsync(_close.Status, _close.Description, _lifetime.Token);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or IOException)
        {
            // The receiving side sees the same end and reports it.
        }
    }

    public void Dispose() => _lifetime.Dispose();
}
