using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine.Qlog;

/// <summary>
/// The events of one attempt and its connection, in the words of draft-ietf-quic-qlog-main-schema and -quic-events, as JSON text sequences
/// (RFC 7464: each record between 0x1e and a line feed). What QUIC does not have is in the namespace <c>punchline</c>.
/// </summary>
internal sealed class QlogTrace : IAttemptObserver, IConnectionObserver
{
    /// <summary>Of one file; what comes after it is left out, and the file says so.</summary>
    public const long MaxBytes = 256L << 20;

    /// <summary>Addresses that a file tells apart.</summary>
    private const int MaxTuples = 64;

    private const byte RecordSeparator = 0x1e;

    private readonly QlogDirectory _directory;
    private readonly QlogFile _file;
    private readonly bool _isClient;
    private readonly long _maxBytes;
    private readonly Timestamp _start;
    private readonly ArrayBufferWriter<byte> _buffer;
    private readonly Utf8JsonWriter _json;
    private readonly HashSet<Endpoint> _tuples = [];
    private Endpoint? _firstRemote;
    private RecoveryMetrics? _metrics;
    private Timestamp _latest;
    private long _bytes;
    private int _dropped;
    private bool _isOver;

    public QlogTrace(QlogDirectory directory, QlogFile file, PeerId self, PeerId peer, ConnectionRole role, Timestamp now, long maxBytes)
    {
        _directory = directory;
        _file = file;
        _start = _latest = now;
        _isClient = role == ConnectionRole.Initiator;
        _maxBytes = maxBytes;
        (_buffer, _json) = (directory.Buffer, directory.Json);
        WriteHeader(self, peer);
        Begin("punchline:attempt_started", now);
        _json.WriteString("peer", peer.ToString());
        End();
    }

    public void OnOpener(Endpoint destination, byte timeToLive, int length, Timestamp now)
    {
        Begin("punchline:opener_sent", now);
        WriteEndpoint("remote", destination);
        _json.WriteNumber("time_to_live", timeToLive);
        WriteRawLength(length);
        End();
    }

    public void OnHandshakePacket(byte type, bool isSent, Endpoint remote, int length, Timestamp now)
    {
        Begin(isSent ? "punchline:handshake_packet_sent" : "punchline:handshake_packet_received", now);
        _json.WriteString("packet_type", type switch
        {
            HandshakePacket.Message1 => "message_1",
            HandshakePacket.Message2 => "message_2",
            HandshakePacket.Message3 => "message_3",
            HandshakePacket.CookieReply => "cookie_reply",
            HandshakePacket.CookiedMessage1 => "message_1_with_cookie",
            _ => "unknown",
        });
        WriteEndpoint("remote", remote);
        WriteRawLength(length);
        End();
    }

    public IConnectionObserver? OnConnected(Endpoint remote, ulong localConnectionId, ulong remoteConnectionId, Timestamp now)
    {
        _firstRemote = remote;
        Begin("quic:connection_started", now);
        _json.WriteStartObject("local");
        WriteConnectionId(localConnectionId);
        _json.WriteEndObject();
        _json.WriteStartObject("remote");
        WriteAddress(remote);
        WriteConnectionId(remoteConnectionId);
        _json.WriteEndObject();
        End();
        return this;
    }

    public void OnFailed(PunchFailure failure, Timestamp now)
    {
        BeginLast("punchline:attempt_failed", now);
        _json.WriteString("cause", failure.Cause);
        End(RecordPlace.Last);
    }

    public void OnAbandoned()
    {
        BeginLast("punchline:attempt_abandoned", _latest);
        End(RecordPlace.Last);
    }

    public void OnPacketSent(in ObservedPacket packet, Timestamp now) => WritePacket("quic:packet_sent", packet, now);

    public void OnPacketReceived(in ObservedPacket packet, Timestamp now) => WritePacket("quic:packet_received", packet, now);

    public void OnPacketDropped(PacketDrop reason, Endpoint source, int length, Timestamp now)
    {
        Begin("quic:packet_dropped", now, TupleOf(source, now));
        WriteRawLength(length);
        _json.WriteString("trigger", reason == PacketDrop.Duplicate ? "duplicate" : "decryption_failure");
        End();
    }

    public void OnPacketLost(ulong number, Timestamp now)
    {
        Begin("quic:packet_lost", now);
        WritePacketHeader(number);
        End();
    }

    public void OnRecovery(in RecoveryMetrics metrics, Timestamp now)
    {
        var before = _metrics;
        if (before == metrics || _isOver) return;
        _metrics = metrics;
        if (before?.State != metrics.State)
        {
            Begin("quic:congestion_state_updated", now);
            if (before is { } known) _json.WriteString("old", NameOf(known.State));
            _json.WriteString("new", NameOf(metrics.State));
            End();
        }
        if (before?.PacketSize != metrics.PacketSize)
        {
            Begin("quic:mtu_updated", now);
            if (before is { } known) _json.WriteNumber("old", known.PacketSize);
            _json.WriteNumber("new", metrics.PacketSize);
            End();
        }
        if (before is { } old && old with { State = metrics.State, PacketSize = metrics.PacketSize } == metrics) return;
        Begin("quic:recovery_metrics_updated", now);
        // Before the first sample these are zero, and no measurement.
        if (metrics.LatestRtt != TimeSpan.Zero)
        {
            WriteChanged("min_rtt", metrics.MinRtt, before?.MinRtt);
            WriteChanged("smoothed_rtt", metrics.SmoothedRtt, before?.SmoothedRtt);
            WriteChanged("latest_rtt", metrics.LatestRtt, before?.LatestRtt);
            WriteChanged("rtt_variance", metrics.RttVariation, before?.RttVariation);
        }
        WriteChanged("congestion_window", metrics.Window, before?.Window);
        WriteChanged("bytes_in_flight", metrics.BytesInFlight, before?.BytesInFlight);
        End();
    }

    public void OnMigration(MigrationStep step, Endpoint remote, Timestamp now)
    {
        var tuple = TupleOf(remote, now);
        Begin("quic:migration_state_updated", now);
        _json.WriteString("new", step switch
        {
            MigrationStep.ProbingStarted => "probing_started",
            MigrationStep.ProbingAbandoned => "probing_abandoned",
            _ => "migration_complete",
        });
        if (tuple is not null) _json.WriteString("tuple_id", tuple);
        WriteEndpoint("tuple_remote", remote);
        End();
    }

    public void OnKeyUpdated(bool isSendKey, bool isPeers, ulong keyPhase, Timestamp now)
    {
        Begin("quic:key_updated", now);
        _json.WriteString("key_type", isSendKey == _isClient ? "client_1rtt_secret" : "server_1rtt_secret");
        _json.WriteNumber("key_phase", keyPhase);
        _json.WriteString("trigger", isPeers ? "remote_update" : "local_update");
        End();
    }

    public void OnClosed(CloseReason reason, Timestamp now)
    {
        Begin("quic:connection_closed", now);
        if (reason.Origin is CloseOrigin.IdleTimeout or CloseOrigin.StatelessReset)
        {
            _json.WriteString("trigger", reason.Origin == CloseOrigin.IdleTimeout ? "idle_timeout" : "stateless_reset");
        }
        else
        {
            _json.WriteString("initiator", reason.Origin == CloseOrigin.Local ? "local" : "remote");
            QlogFrames.WriteError(_json, reason.IsApplication ? "application_error" : "connection_error", reason.IsApplication, reason.Code);
            _json.WriteString("trigger", reason.IsApplication ? "application" : "error");
        }
        End();
    }

    public void OnForgotten(Timestamp now)
    {
        BeginLast("punchline:connection_forgotten", now);
        End(RecordPlace.Last);
    }

    private void WriteHeader(PeerId self, PeerId peer)
    {
        BeginRecord();
        _json.WriteString("file_schema", "urn:ietf:params:qlog:file:sequential");
        _json.WriteString("serialization_format", "application/qlog+json-seq");
        // What qvis looks for, which is older than the fields above.
        _json.WriteString("qlog_version", "0.3");
        _json.WriteString("qlog_format", "JSON-SEQ");
        _json.WriteString("title", $"Punchline: {self} and {peer}");
        _json.WriteStartObject("trace");
        _json.WriteStartObject("common_fields");
        _json.WriteString("time_format", "relative_to_epoch");
        _json.WriteStartObject("reference_time");
        _json.WriteString("clock_type", "monotonic");
        _json.WriteString("epoch", "unknown");
        _json.WriteString("wall_clock_time", DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        _json.WriteEndObject();
        _json.WriteEndObject();
        _json.WriteStartObject("vantage_point");
        _json.WriteString("name", "punchline");
        _json.WriteString("type", _isClient ? "client" : "server");
        _json.WriteEndObject();
        _json.WriteStartArray("event_schemas");
        _json.WriteStringValue("urn:ietf:params:qlog:events:quic-13");
        _json.WriteStringValue("urn:punchline:qlog:events:punchline");
        _json.WriteEndArray();
        _json.WriteEndObject();
        EndRecord(RecordPlace.Queued);
    }

    private void WritePacket(string name, in ObservedPacket packet, Timestamp now)
    {
        if (_isOver) return;
        Begin(name, now, TupleOf(packet.Remote, now));
        WritePacketHeader(packet.Number);
        WriteRawLength(packet.Length);
        QlogFrames.Write(_json, packet.Frames);
        End();
    }

    // The first address needs no name; another one is assigned one with its first event.
    private string? TupleOf(Endpoint remote, Timestamp now)
    {
        if (_firstRemote == remote || _isOver) return null;
        var name = remote.ToString();
        if (_tuples.Contains(remote)) return name;
        if (_tuples.Count == MaxTuples) return null;
        _tuples.Add(remote);
        Begin("quic:tuple_assigned", now);
        _json.WriteString("tuple_id", name);
        WriteEndpoint("tuple_remote", remote);
        End();
        return name;
    }

    private void Begin(string name, Timestamp now, string? tuple = null)
    {
        if (_dropped > 0) WriteDropped(now, RecordPlace.Queued);
        BeginEvent(name, now, tuple);
    }

    private void BeginLast(string name, Timestamp now)
    {
        if (_dropped > 0) WriteDropped(now, RecordPlace.Forced);
        BeginEvent(name, now);
    }

    private void BeginEvent(string name, Timestamp now, string? tuple = null)
    {
        _latest = now;
        BeginRecord();
        _json.WriteNumber("time", (now - _start).TotalMilliseconds);
        _json.WriteString("name", name);
        if (tuple is not null) _json.WriteString("tuple", tuple);
        _json.WriteStartObject("data");
    }

    private void End(RecordPlace place = RecordPlace.Queued)
    {
        _json.WriteEndObject();
        EndRecord(place);
    }

    private void WriteDropped(Timestamp now, RecordPlace place)
    {
        var dropped = _dropped;
        BeginEvent("punchline:events_dropped", now);
        _json.WriteNumber("count", dropped);
        End(place);
        // Where it was not taken itself, it does not count itself.
        _dropped = _dropped == dropped ? 0 : dropped;
    }

    private void BeginRecord()
    {
        _buffer.ResetWrittenCount();
        _buffer.Write([RecordSeparator]);
        _json.Reset();
        _json.WriteStartObject();
    }

    private void EndRecord(RecordPlace place)
    {
        FinishRecord();
        if (_bytes + _buffer.WrittenCount > _maxBytes && place == RecordPlace.Queued)
        {
            if (_isOver) return;
            _isOver = true;
            BeginEvent("punchline:trace_truncated", _latest);
            _json.WriteEndObject();
            FinishRecord();
        }
        _bytes += _buffer.WrittenCount;
        if (!_directory.TryWrite(_file, _buffer.WrittenSpan, place)) _dropped++;
    }

    private void FinishRecord()
    {
        _json.WriteEndObject();
        _json.Flush();
        _buffer.Write("\n"u8);
    }

    private void WritePacketHeader(ulong number)
    {
        _json.WriteStartObject("header");
        _json.WriteString("packet_type", "1RTT");
        _json.WriteNumber("packet_number", number);
        _json.WriteEndObject();
    }

    private void WriteRawLength(int length)
    {
        _json.WriteStartObject("raw");
        _json.WriteNumber("length", length);
        _json.WriteEndObject();
    }

    private void WriteEndpoint(string property, Endpoint endpoint)
    {
        _json.WriteStartObject(property);
        WriteAddress(endpoint);
        _json.WriteEndObject();
    }

    private void WriteAddress(Endpoint endpoint)
    {
        _json.WriteString(endpoint.IsIPv4 ? "ip_v4" : "ip_v6", endpoint.ToIPAddress().ToString());
        _json.WriteNumber(endpoint.IsIPv4 ? "port_v4" : "port_v6", endpoint.Port);
    }

    private void WriteConnectionId(ulong connectionId)
    {
        _json.WriteStartArray("connection_ids");
        _json.WriteStringValue(connectionId.ToString("x16", CultureInfo.InvariantCulture));
        _json.WriteEndArray();
    }

    private void WriteChanged(string name, TimeSpan value, TimeSpan? before)
    {
        if (value != before) _json.WriteNumber(name, value.TotalMilliseconds);
    }

    private void WriteChanged(string name, long value, long? before)
    {
        if (value != before) _json.WriteNumber(name, value);
    }

    private static string NameOf(CongestionState state) => state == CongestionState.SlowStart ? "slow_start" : "congestion_avoidance";
}
