using System.Diagnostics.Metrics;

namespace Punchline.Server;

/// <summary>
/// The meter of one server (docs/observing.md). What there is is counted when somebody collects; refusals are counted as they happen, outside of every lock.
/// </summary>
internal sealed class ServerMetrics : IDisposable
{
    public const string Name = "Punchline.Server";

    /// <summary>The tag of a refusal: one of the protocol's codes, or of those below.</summary>
    public const string ErrorType = "error.type";

    /// <summary>A TCP connection that was closed at once, for its address or all together have too many of which nothing is known.</summary>
    public const string HalfOpenLimit = "half-open-limit";

    /// <summary>More connections from an address than one may have.</summary>
    public const string AddressLimit = "address-limit";

    /// <summary>More joins in a second from an address than one may make.</summary>
    public const string JoinLimit = "join-limit";

    private readonly Meter _meter;
    private readonly Counter<long> _refusals;

    /// <param name="scope">Which of several servers of a process: <see cref="Meter.Scope"/>.</param>
    public ServerMetrics(object scope)
    {
        _meter = new Meter(new MeterOptions(Name) { Version = typeof(ServerMetrics).Assembly.GetName().Version?.ToString(3), Scope = scope });
        _refusals = _meter.CreateCounter<long>("punchline.server.refusals", "{refusal}", "Connections and joins that were refused.");
    }

    public void Observe(Func<(int Rooms, int Members, int Connections)> count, Func<long> stunRequests)
    {
        _meter.CreateObservableUpDownCounter("punchline.server.active_rooms", () => count().Rooms, "{room}", "Rooms with a member.");
        _meter.CreateObservableUpDownCounter("punchline.server.active_members", () => count().Members, "{member}", "Members of all rooms.");
        _meter.CreateObservableUpDownCounter("punchline.server.active_connections", () => count().Connections, "{connection}", "WebSockets, joined or not.");
        _meter.CreateObservableCounter("punchline.server.stun.requests", stunRequests, "{request}", "STUN requests answered, over UDP and TCP.");
    }

    public void CountRefusal(string code) => _refusals.Add(1, new KeyValuePair<string, object?>(ErrorType, code));

    public void Dispose() => _meter.Dispose();
}
