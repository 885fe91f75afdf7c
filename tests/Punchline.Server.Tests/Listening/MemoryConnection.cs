using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Punchline.Server.Tests.Listening;

/// <summary>A connection whose other end is this test; what is written has been read when the call returns, if anybody waits for it.</summary>
internal sealed class MemoryConnection : IDuplexPipe, IConnectionLifetimeNotificationFeature, IDisposable
{
    // Continuations run at once and on the thread that caused them: no test waits for a thread.
    private static readonly PipeOptions Inline = new(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false);
    private readonly Pipe _toServer = new(Inline);
    private readonly Pipe _toClient = new(Inline);
    private readonly CancellationTokenSource _stop = new();

    public MemoryConnection(string from = "192.0.2.1:32853")
    {
        Context = new DefaultConnectionContext("test", this, this) { RemoteEndPoint = IPEndPoint.Parse(from) };
        Context.Features.Set<IConnectionLifetimeNotificationFeature>(this);
        ConnectionClosedRequested = _stop.Token;
    }

    public DefaultConnectionContext Context { get; }

    public PipeReader Input => _toServer.Reader;

    public PipeWriter Output => _toClient.Writer;

    public CancellationToken ConnectionClosedRequested { get; set; }

    public async Task SendAsync(ReadOnlyMemory<byte> bytes) => await _toServer.Writer.WriteAsync(bytes, TestContext.Current.CancellationToken);

    public Task EndAsync() => _toServer.Writer.CompleteAsync().AsTask();

    /// <summary>All that the server has sent and flushed.</summary>
    public byte[] Received()
    {
        using var received = new MemoryStream();
        while (_toClient.Reader.TryRead(out var read) && !read.Buffer.IsEmpty)
        {
            foreach (var segment in read.Buffer) received.Write(segment.Span);
            _toClient.Reader.AdvanceTo(read.Buffer.End);
        }
        return received.ToArray();
    }

    public void RequestClose() => _stop.Cancel();

    public void Dispose() => _stop.Dispose();
}
