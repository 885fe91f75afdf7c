using System.Text.Json;

namespace Punchline.Tests.Qlog;

/// <summary>
/// Reads a file back and checks every record against what the schemas require: the header of draft-ietf-quic-qlog-main-schema ("QlogFileSeq"), the
/// fields of each event ("Event"), and of its data what draft-ietf-quic-qlog-quic-events does not mark as optional.
/// </summary>
internal sealed class QlogReading
{
    // Of QUIC's events here: their fields without a question mark in the draft.
    private static readonly Dictionary<string, string[]> Required = new(StringComparer.Ordinal)
    {
        ["quic:connection_started"] = ["local", "remote"],
        ["quic:connection_closed"] = [],
        ["quic:tuple_assigned"] = ["tuple_id"],
        ["quic:packet_sent"] = ["header"],
        ["quic:packet_received"] = ["header"],
        ["quic:packet_dropped"] = [],
        ["quic:packet_lost"] = [],
        ["quic:migration_state_updated"] = ["new"],
        ["quic:mtu_updated"] = ["new"],
        ["quic:key_updated"] = ["key_type"],
        ["quic:recovery_metrics_updated"] = [],
        ["quic:congestion_state_updated"] = ["new"],
    };

    private static readonly Dictionary<string, string[]> RequiredOfFrames = new(StringComparer.Ordinal)
    {
        ["stream"] = ["stream_id"],
        ["reset_stream"] = ["stream_id", "error", "final_size"],
        ["stop_sending"] = ["stream_id", "error"],
        ["max_data"] = ["maximum"],
        ["max_stream_data"] = ["stream_id", "maximum"],
        ["max_streams"] = ["stream_type", "maximum"],
        ["data_blocked"] = ["limit"],
        ["stream_data_blocked"] = ["stream_id", "limit"],
        ["streams_blocked"] = ["stream_type", "limit"],
        ["new_connection_id"] = ["sequence_number", "retire_prior_to", "connection_id"],
        ["retire_connection_id"] = ["sequence_number"],
    };

    private QlogReading(List<JsonElement> events) => Events = events;

    public List<JsonElement> Events { get; }

    public List<string> Names => [.. Events.Select(NameOf)];

    public static QlogReading Read(string path)
    {
        var text = File.ReadAllText(path);
        Assert.Equal('\u001e', text[0]);
        Assert.Equal('\n', text[^1]);
        // RFC 7464 §2.2: a record is RS, a JSON text, LF.
        var records = text.Split('\u001e')[1..].Select(record => JsonDocument.Parse(record).RootElement).ToList();
        CheckHeader(records[0]);
        var events = records[1..];
        var time = 0.0;
        foreach (var e in events)
        {
            Assert.Equal(JsonValueKind.Object, e.GetProperty("data").ValueKind);
            Assert.True(e.GetProperty("time").GetDouble() >= time);
            time = e.GetProperty("time").GetDouble();
            if (!NameOf(e).StartsWith("punchline:", StringComparison.Ordinal)) CheckEvent(NameOf(e), e.GetProperty("data"));
        }
        return new QlogReading(events);
    }

    public JsonElement First(string name) => Data(name).First();

    public IEnumerable<JsonElement> Data(string name) => Events.Where(e => NameOf(e) == name).Select(e => e.GetProperty("data"));

    private static string NameOf(JsonElement e) => e.GetProperty("name").GetString()!;

    private static void CheckHeader(JsonElement header)
    {
        Assert.Equal("urn:ietf:params:qlog:file:sequential", header.GetProperty("file_schema").GetString());
        Assert.Equal("application/qlog+json-seq", header.GetProperty("serialization_format").GetString());
        var trace = header.GetProperty("trace");
        Assert.Contains(trace.GetProperty("event_schemas").EnumerateArray(), schema => schema.GetString() == "urn:ietf:params:qlog:events:quic-13");
        Assert.Contains(trace.GetProperty("vantage_point").GetProperty("type").GetString(), (string[])["client", "server"]);
        var reference = trace.GetProperty("common_fields").GetProperty("reference_time");
        // "When using the "monotonic" clock type, the epoch field MUST have the value "unknown"."
        Assert.Equal(("monotonic", "unknown"), (reference.GetProperty("clock_type").GetString(), reference.GetProperty("epoch").GetString()));
    }

    private static void CheckEvent(string name, JsonElement data)
    {
        foreach (var field in Required[name]) Assert.True(data.TryGetProperty(field, out _), $"{name} has no {field}");
        if (data.TryGetProperty("header", out var header)) Assert.Equal("1RTT", header.GetProperty("packet_type").GetString());
        if (!data.TryGetProperty("frames", out var frames)) return;
        Assert.NotEqual(0, frames.GetArrayLength());
        foreach (var frame in frames.EnumerateArray())
        {
            foreach (var field in RequiredOfFrames.GetValueOrDefault(frame.GetProperty("frame_type").GetString()!, [])) Assert.True(frame.TryGetProperty(field, out _), $"{frame} has no {field}");
        }
    }
}
