using System.Net.WebSockets;

namespace Punchline.Server.Tests.Coordination;

public sealed class CoordinationConnectionTests
{
    [Fact]
    public async Task Who_does_not_read_has_257_messages_waiting_and_no_more()
    {
        var time = new ManualTime();
        using var socket = new StalledWebSocket();
        using var connection = new CoordinationConnection(1, socket, time);
        var sending = connection.SendAllAsync();
        Assert.True(connection.TryEnqueue(new byte[1]));
        await socket.Sending;
        for (var i = 0; i < CoordinationConnection.MaxQueuedMessages; i++) Assert.True(connection.TryEnqueue(new byte[1]));
        Assert.False(connection.TryEnqueue(new byte[1]));
        connection.Abort();
        await sending;
        Assert.Equal(WebSocketState.Aborted, socket.State);
    }

    [Fact]
    public async Task Closing_gives_up_on_who_does_not_read()
    {
        var time = new ManualTime();
        using var socket = new StalledWebSocket();
        using var connection = new CoordinationConnection(1, socket, time);
        var sending = connection.SendAllAsync();
        Assert.True(connection.TryEnqueue(new byte[1]));
        await socket.Sending;
        connection.Close();
        Assert.False(connection.TryEnqueue(new byte[1]));
        time.Advance(TimeSpan.FromSeconds(2) - TimeSpan.FromTicks(1));
        Assert.False(sending.IsCompleted);
        time.Advance(TimeSpan.FromTicks(1));
        await sending;
        Assert.Null(await connection.ReceiveAsync(new byte[1]));
    }

    /// <summary>The other side's TCP window is shut for good.</summary>
    private sealed class StalledWebSocket : WebSocket
    {
        private readonly TaskCompletionSource _sending = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly CancellationTokenSource _aborted = new();

        public Task Sending => _sending.Task;

        public override WebSocketCloseStatus? CloseStatus => null;

        public override string? CloseStatusDescription => null;

        public override WebSocketState State => _aborted.IsCancellationRequested ? WebSocketState.Aborted : WebSocketState.Open;

        public override string? SubProtocol => null;

        public override void Abort() => _aborted.Cancel();

        public override Task CloseAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => StallAsync(cancellationToken);

        public override Task CloseOutputAsync(WebSocketCloseStatus closeStatus, string? statusDescription, CancellationToken cancellationToken) => StallAsync(cancellationToken);

        public override void Dispose() => _aborted.Dispose();

        public override async Task<WebSocketReceiveResult> ReceiveAsync(ArraySegment<byte> buffer, CancellationToken cancellationToken)
        {
            await StallAsync(cancellationToken);
            return new WebSocketReceiveResult(0, WebSocketMessageType.Close, true);
        }

        public override Task SendAsync(ArraySegment<byte> buffer, WebSocketMessageType messageType, bool endOfMessage, CancellationToken cancellationToken)
        {
            _sending.TrySetResult();
            return StallAsync(cancellationToken);
        }

        private async Task StallAsync(CancellationToken cancellationToken)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _aborted.Token);
            await Task.Delay(Timeout.InfiniteTimeSpan, either.Token);
        }
    }
}
