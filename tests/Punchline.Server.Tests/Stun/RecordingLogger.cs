using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Punchline.Server.Tests.Stun;

/// <summary>Keeps the event ids that were logged.</summary>
internal sealed class RecordingLogger : ILogger
{
    public ConcurrentQueue<int> EventIds { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        EventIds.Enqueue(eventId.Id);
}
