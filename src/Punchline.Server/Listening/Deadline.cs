using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Punchline.Server.Listening;

/// <summary>A time limit on a connection, which the server's stop cuts short.</summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _limit;
    private readonly CancellationTokenRegistration _stop;

    private Deadline(CancellationTokenSource limit, CancellationToken stop)
    {
        _limit = limit;
        _stop = stop.Register(static source => ((CancellationTokenSource)source!).Cancel(), limit);
    }

    public CancellationToken Token => _limit.Token;

    public static Deadline Start(TimeSpan duration, TimeProvider time, ConnectionContext connection) => new(
        new CancellationTokenSource(duration, time),
        connection.Features.Get<IConnectionLifetimeNotificationFeature>()?.ConnectionClosedRequested ?? default);

    /// <summary>So much from now on.</summary>
    public void Restart(TimeSpan duration) => _limit.CancelAfter(duration);

    public void Dispose()
    {
        _stop.Dispose();
        _limit.Dispose();
    }
}
