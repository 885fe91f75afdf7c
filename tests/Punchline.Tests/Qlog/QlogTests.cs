using Punchline.Engine.Qlog;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Observation;
using Punchline.Tests.Harness;

namespace Punchline.Tests.Qlog;

public sealed class QlogTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("punchline-qlog-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_connection_leaves_a_file_that_has_all_of_it_but_what_was_said()
    {
        var cancellation = TestContext.Current.CancellationToken;
        const string Said = "nobody else is to read this";
        var into = Path.Combine(_directory.FullName, "alice");
        await using var server = await LocalServer.StartAsync(cancellation);
        var alice = await Guest.JoinAsync(server, "alice", cancellation, qlogDirectory: into);
        var bob = await Guest.JoinAsync(server, "bob", cancellation);
        await alice.NextAsync<RoomEvent.Connected>();
        await alice.Room.SendAsync(Said, cancellation);
        await bob.NextAsync<RoomEvent.Message>();
        await alice.NextAsync<RoomEvent.Delivered>();
        var port = bob.Node.LocalEndPoint.Port;
        await alice.DisposeAsync();
        await bob.DisposeAsync();

        var path = Assert.Single(Directory.GetFiles(into));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(into));
        }
        Assert.EndsWith(".sqlog", path, StringComparison.Ordinal);
        Assert.DoesNotContain(Said, await File.ReadAllTextAsync(path, cancellation), StringComparison.Ordinal);

        var log = QlogReading.Read(path);
        Assert.Equal("punchline:attempt_started", log.Names[0]);
        Assert.Equal("punchline:connection_forgotten", log.Names[^1]);
        Assert.Equal(1, log.Names.Count(name => name == "quic:connection_started"));
        Assert.Equal(1, log.Names.Count(name => name == "quic:connection_closed"));
        Assert.Contains("punchline:handshake_packet_sent", log.Names);
        Assert.Contains("punchline:handshake_packet_received", log.Names);
        Assert.Contains("quic:recovery_metrics_updated", log.Names);
        // By whichever family won.
        var remote = log.First("quic:connection_started").GetProperty("remote").EnumerateObject();
        Assert.Equal(port, remote.First(property => property.Name is "port_v4" or "port_v6").Value.GetInt32());
        var closed = log.First("quic:connection_closed");
        Assert.Equal(("local", "application"), (closed.GetProperty("initiator").GetString(), closed.GetProperty("trigger").GetString()));

        // Numbers go up by one: no packet is missing.
        var sent = log.Data("quic:packet_sent").Select(data => data.GetProperty("header").GetProperty("packet_number").GetInt32());
        Assert.Equal(Enumerable.Range(0, sent.Count()), sent);
        var data = log.Data("quic:packet_sent").SelectMany(packet => packet.GetProperty("frames").EnumerateArray())
            .Where(frame => frame.GetProperty("frame_type").GetString() == "stream").Sum(frame => frame.GetProperty("raw").GetProperty("length").GetInt32());
        Assert.InRange(data, Said.Length, 10 * Said.Length);
    }

    [Fact]
    public void What_a_full_queue_leaves_out_is_counted_in_the_file()
    {
        using (var directory = new QlogDirectory(_directory.FullName, new PeerId([.. new byte[32]]), maxQueuedRecords: 0))
        {
            var trace = Open(directory);
            for (var i = 0; i < 5; i++) trace.OnPacketLost((ulong)i, Timestamp.FromMilliseconds(i));
            trace.OnForgotten(Timestamp.FromMilliseconds(9));
        }
        var lines = File.ReadAllText(Assert.Single(Directory.GetFiles(_directory.FullName))).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            [
                // The header, attempt_started, and five losses.
                "\u001e{\"time\":9,\"name\":\"punchline:events_dropped\",\"data\":{\"count\":7}}",
                "\u001e{\"time\":9,\"name\":\"punchline:connection_forgotten\",\"data\":{}}",
            ],
            lines);
    }

    [Fact]
    public void A_file_that_has_grown_to_its_limit_says_that_it_ends()
    {
        using (var directory = new QlogDirectory(_directory.FullName, new PeerId([.. new byte[32]])))
        {
            var trace = Open(directory, maxBytes: 1_200);
            for (var i = 0; i < 100; i++) trace.OnPacketLost((ulong)i, Timestamp.FromMilliseconds(i));
            trace.OnForgotten(Timestamp.FromMilliseconds(200));
        }
        var log = QlogReading.Read(Assert.Single(Directory.GetFiles(_directory.FullName)));
        Assert.Equal(["punchline:trace_truncated", "punchline:connection_forgotten"], log.Names.TakeLast(2));
        Assert.InRange(log.Names.Count(name => name == "quic:packet_lost"), 1, 10);
        Assert.InRange(new FileInfo(Directory.GetFiles(_directory.FullName)[0]).Length, 900, 1_400);
    }

    [Fact]
    public void Only_what_changed_of_the_metrics_is_written()
    {
        using (var directory = new QlogDirectory(_directory.FullName, new PeerId([.. new byte[32]])))
        {
            var trace = Open(directory);
            var metrics = new RecoveryMetrics(
                TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(12), TimeSpan.FromMilliseconds(14), TimeSpan.FromMilliseconds(3), 12_000, 0, CongestionState.SlowStart, 1_200);
            trace.OnRecovery(metrics, Timestamp.FromMilliseconds(1));
            trace.OnRecovery(metrics, Timestamp.FromMilliseconds(2));
            trace.OnRecovery(metrics with { BytesInFlight = 1_200 }, Timestamp.FromMilliseconds(3));
            trace.OnRecovery(metrics with { BytesInFlight = 1_200, State = CongestionState.CongestionAvoidance, PacketSize = 1_452 }, Timestamp.FromMilliseconds(4));
            trace.OnForgotten(Timestamp.FromMilliseconds(9));
        }
        var log = QlogReading.Read(Assert.Single(Directory.GetFiles(_directory.FullName)));
        Assert.Equal(
            [
                """{"min_rtt":10,"smoothed_rtt":12,"latest_rtt":14,"rtt_variance":3,"congestion_window":12000,"bytes_in_flight":0}""",
                """{"bytes_in_flight":1200}""",
            ],
            log.Data("quic:recovery_metrics_updated").Select(data => data.GetRawText()));
        Assert.Equal(["""{"new":1200}""", """{"old":1200,"new":1452}"""], log.Data("quic:mtu_updated").Select(data => data.GetRawText()));
        Assert.Equal(
            ["""{"new":"slow_start"}""", """{"old":"slow_start","new":"congestion_avoidance"}"""],
            log.Data("quic:congestion_state_updated").Select(data => data.GetRawText()));
    }

    [Fact]
    public void Ends_and_key_updates_are_in_the_drafts_words()
    {
        using (var directory = new QlogDirectory(_directory.FullName, new PeerId([.. new byte[32]])))
        {
            var trace = Open(directory);
            trace.OnKeyUpdated(isSendKey: true, isPeers: false, 1, default);
            trace.OnKeyUpdated(isSendKey: false, isPeers: true, 2, default);
            trace.OnClosed(new CloseReason(CloseOrigin.IdleTimeout, false, 0, "silent"), default);
            trace.OnClosed(new CloseReason(CloseOrigin.StatelessReset, false, 0, "reset"), default);
            trace.OnClosed(new CloseReason(CloseOrigin.Local, false, (ulong)TransportError.ProtocolViolation, "wrong"), default);
            trace.OnClosed(new CloseReason(CloseOrigin.Remote, true, 7, "bye"), default);
            trace.OnForgotten(default);
        }
        var log = QlogReading.Read(Assert.Single(Directory.GetFiles(_directory.FullName)));
        Assert.Equal(
            [
                """{"key_type":"client_1rtt_secret","key_phase":1,"trigger":"local_update"}""",
                """{"key_type":"server_1rtt_secret","key_phase":2,"trigger":"remote_update"}""",
            ],
            log.Data("quic:key_updated").Select(data => data.GetRawText()));
        Assert.Equal(
            [
                """{"trigger":"idle_timeout"}""",
                """{"trigger":"stateless_reset"}""",
                """{"initiator":"local","connection_error":"protocol_violation","trigger":"error"}""",
                """{"initiator":"remote","application_error":"unknown","error_code":7,"trigger":"application"}""",
            ],
            log.Data("quic:connection_closed").Select(data => data.GetRawText()));
    }

    [Fact]
    public void A_packet_to_another_address_names_it()
    {
        using (var directory = new QlogDirectory(_directory.FullName, new PeerId([.. new byte[32]])))
        {
            var trace = Open(directory);
            var other = Endpoint.Parse("203.0.113.9:4000");
            trace.OnOpener(Endpoint.Parse("192.0.2.1:1000"), timeToLive: 3, length: 1, default);
            trace.OnConnected(Endpoint.Parse("192.0.2.1:1000"), 1, 2, default);
            trace.OnPacketSent(new ObservedPacket(0, [1], Endpoint.Parse("192.0.2.1:1000"), 30), default);
            trace.OnMigration(MigrationStep.ProbingStarted, other, default);
            trace.OnPacketSent(new ObservedPacket(1, [1], other, 30), default);
            trace.OnForgotten(default);
        }
        var log = QlogReading.Read(Assert.Single(Directory.GetFiles(_directory.FullName)));
        Assert.Equal(
            [
                "punchline:attempt_started", "punchline:opener_sent", "quic:connection_started", "quic:packet_sent", "quic:tuple_assigned",
                "quic:migration_state_updated", "quic:packet_sent", "punchline:connection_forgotten",
            ],
            log.Names);
        Assert.Equal("""{"remote":{"ip_v4":"192.0.2.1","port_v4":1000},"time_to_live":3,"raw":{"length":1}}""", log.First("punchline:opener_sent").GetRawText());
        Assert.Equal("""{"tuple_id":"203.0.113.9:4000","tuple_remote":{"ip_v4":"203.0.113.9","port_v4":4000}}""", log.First("quic:tuple_assigned").GetRawText());
        Assert.Equal([null, "203.0.113.9:4000"], log.Events.Where(e => e.GetProperty("name").GetString() == "quic:packet_sent")
            .Select(e => e.TryGetProperty("tuple", out var tuple) ? tuple.GetString() : null));
    }

    [Fact]
    public async Task A_directory_that_cannot_be_made_is_named()
    {
        var file = Path.Combine(_directory.FullName, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        var exception = await Assert.ThrowsAsync<PunchlineException>(
            async () => await PeerNode.StartAsync(new PeerNodeOptions { QlogDirectory = Path.Combine(file, "in") }, TestContext.Current.CancellationToken));
        Assert.Equal(PunchlineError.InvalidInput, exception.Error);
        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    private static QlogTrace Open(QlogDirectory directory, long maxBytes = QlogTrace.MaxBytes) =>
        directory.Open(new PeerId([.. Enumerable.Repeat((byte)1, 32)]), ConnectionRole.Initiator, default, maxBytes)!;
}
