using System.Diagnostics.Metrics;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;

namespace Punchline.Engine.Telemetry;

/// <summary>
/// The meter of all nodes of the process, named and measured as OpenTelemetry's conventions have it (docs/observing.md). Counts are asked of the
/// cores when somebody collects; what is measured as it happens is recorded on the thread pool, for a listener is the application's code.
/// </summary>
internal static class PeerMetrics
{
    public const string Name = "Punchline";

    public const string Direction = "network.io.direction";
    public const string ErrorType = "error.type";
    public const string PathKind = "punchline.path.kind";

    private static readonly KeyValuePair<string, object?> Sent = new(Direction, "transmit");
    private static readonly KeyValuePair<string, object?> Received = new(Direction, "receive");

    // From a loopback's 0.1 ms to an attempt's 20 s.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20],
    };

    private static readonly Lock Gate = new();
    private static readonly List<NodeEngine> Nodes = [];
    private static readonly Meter Meter = new(Name, typeof(PeerMetrics).Assembly.GetName().Version?.ToString(3));

    private static readonly Counter<long> Attempts = Meter.CreateCounter<long>(
        "punchline.connect.attempts", "{attempt}", "Attempts to reach a peer that ended: connected, or with the cause of their failure as error.type.");

    private static readonly Histogram<double> ConnectDuration = Meter.CreateHistogram(
        "punchline.connect.duration", "s", "From learning of a peer to the end of the handshake with it.", tags: null, Seconds);

    private static readonly Histogram<double> RoundTrip = Meter.CreateHistogram(
        "punchline.round_trip", "s", "Round trip of a path, when it is taken into use.", tags: null, Seconds);

    private static readonly Counter<long> PathChanges = Meter.CreateCounter<long>(
        "punchline.path.changes", "{change}", "Connections that went over to another path, by the kind of the new one.");

    private static NodeStatistics _ofEndedNodes;

    static PeerMetrics()
    {
        Meter.CreateObservableUpDownCounter("punchline.active_rooms", static () => Sum().Rooms, "{room}", "Rooms that are joined.");
        Meter.CreateObservableUpDownCounter("punchline.active_connections", static () => Sum().Connections, "{connection}", "Connections that stand.");
        Meter.CreateObservableUpDownCounter("punchline.active_streams", static () => Sum().Streams, "{stream}", "Streams that are open.");
        Meter.CreateObservableGauge(
            "punchline.round_trip.max", static () => Sum().MaxRoundTrip.TotalSeconds, "s", "The longest smoothed round trip of the connections that stand.");
        Meter.CreateObservableGauge(
            "punchline.jitter.max", static () => Sum().MaxJitter.TotalSeconds, "s", "The greatest variation of a round trip among the connections that stand.");
        Meter.CreateObservableCounter(
            "punchline.packets", static () => Split(Sum(), static sum => sum.PacketsSent, static sum => sum.PacketsReceived), "{packet}", "Packets of connections.");
        Meter.CreateObservableCounter(
            "punchline.network.io", static () => Split(Sum(), static sum => sum.BytesSent, static sum => sum.BytesReceived), "By", "UDP payloads of connections' packets.");
        Meter.CreateObservableCounter("punchline.packets.lost", static () => (long)Sum().PacketsLost, "{packet}", "Packets of ours that were declared lost.");
        Meter.CreateObservableCounter("punchline.probes", static () => (long)Sum().Probes, "{packet}", "Packets to addresses that had not answered.");
        Meter.CreateObservableCounter(
            "punchline.nat.five_tuples", static () => (long)Sum().FiveTuples, "{five_tuple}", "Addresses probed or asked for the first time in a minute: entries in a router's table.");
        Meter.CreateObservableCounter(
            "punchline.nat.search.mappings", static () => (long)Sum().SearchMappings, "{mapping}", "Ports that were opened at the own router, for a peer to find.");
        Meter.CreateObservableCounter(
            "punchline.nat.search.sessions", static () => (long)Sum().SearchSessions, "{session}", "Ports that were tried at peers' routers.");
        Meter.CreateObservableUpDownCounter(
            "punchline.nat.external_ports", static () => Sum().ExternalPorts, "{port}", "Ports that STUN servers see of the nodes' sockets.");
    }

    public static void Add(NodeEngine node)
    {
        lock (Gate) Nodes.Add(node);
    }

    /// <summary>What the node counted stays counted.</summary>
    public static void Remove(NodeEngine node)
    {
        lock (Gate)
        {
            if (Nodes.Remove(node)) _ofEndedNodes += node.Statistics.WithoutPresent();
        }
    }

    /// <summary>Measures what an event says. Called within the engine's gate: takes note, and records elsewhere.</summary>
    public static void Note(NodeEvent nodeEvent, NodeEngine engine)
    {
        if (!Attempts.Enabled && !ConnectDuration.Enabled && !RoundTrip.Enabled && !PathChanges.Enabled) return;
        Measurement? measurement = nodeEvent switch
        {
            NodeEvent.Connected connected => new(null, KindOf(engine, connected.Path.Remote, connected.IsMapped), connected.Elapsed, connected.RoundTrip),
            NodeEvent.PathChanged changed => new(null, KindOf(engine, changed.Path.Remote, changed.IsMapped), null, changed.RoundTrip),
            NodeEvent.Failed failed => new(failed.Failure.Cause, "", null, null),
            _ => null,
        };
        if (measurement is { } some) ThreadPool.UnsafeQueueUserWorkItem(Record, some, preferLocal: false);
    }

    private static string KindOf(NodeEngine engine, Endpoint remote, bool isMapped) => engine.IsNear(remote) ? "lan" : isMapped ? "mapped" : "direct";

    private static void Record(Measurement measurement)
    {
        if (measurement.Cause is { } cause)
        {
            Attempts.Add(1, new KeyValuePair<string, object?>(ErrorType, cause));
            return;
        }
        var kind = new KeyValuePair<string, object?>(PathKind, measurement.PathKind);
        if (measurement.Elapsed is { } elapsed)
        {
            Attempts.Add(1, kind);
            ConnectDuration.Record(elapsed.TotalSeconds, kind);
        }
        else
        {
            PathChanges.Add(1, kind);
        }
        if (measurement.RoundTrip is { } roundTrip) RoundTrip.Record(roundTrip.TotalSeconds, kind);
    }

    private static IEnumerable<Measurement<long>> Split(NodeStatistics sum, Func<NodeStatistics, ulong> sent, Func<NodeStatistics, ulong> received) =>
        [new((long)sent(sum), Sent), new((long)received(sum), Received)];

    private static NodeStatistics Sum()
    {
        lock (Gate)
        {
            var sum = _ofEndedNodes;
            foreach (var node in Nodes) sum += node.Statistics;
            return sum;
        }
    }

    private readonly record struct Measurement(string? Cause, string PathKind, TimeSpan? Elapsed, TimeSpan? RoundTrip);
}
