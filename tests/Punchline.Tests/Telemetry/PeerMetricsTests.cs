using System.Net;
using Punchline.Engine.Telemetry;
using Punchline.Protocols.Transport;
using Punchline.Tests.Harness;

namespace Punchline.Tests.Telemetry;

/// <summary>The meter is the process's, so that no other test may run beside these.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneInTheProcess
{
    public const string Name = "alone in the process";
}

[Collection(AloneInTheProcess.Name)]
public sealed class PeerMetricsTests
{
    private const string PacketsSent = "punchline.packets{network.io.direction=transmit}";
    private const string PacketsReceived = "punchline.packets{network.io.direction=receive}";
    private const string BytesSent = "punchline.network.io{network.io.direction=transmit}";
    private const string BytesReceived = "punchline.network.io{network.io.direction=receive}";

    [Fact]
    public async Task Two_nodes_that_meet_are_counted_and_what_they_did_stays_counted()
    {
        var cancellation = TestContext.Current.CancellationToken;
        using var meter = new MeterReading(PeerMetrics.Name);
        Assert.Equal(0, meter.Observe("punchline.active_connections"));
        var (sentBefore, receivedBefore, tuplesBefore) = (meter.Observe(PacketsSent), meter.Observe(PacketsReceived), meter.Observe("punchline.nat.five_tuples"));
        var bytesBefore = meter.Observe(BytesSent);
        var probesBefore = meter.Observe("punchline.probes");

        await using var server = await LocalServer.StartAsync(cancellation);
        // With one address each: of the TCP connections between several, those that are not chosen are closed, whatever is under way on them.
        var local = new IPEndPoint(IPAddress.Loopback, 0);
        var alice = await Guest.JoinAsync(server, "alice", cancellation, local: local);
        var bob = await Guest.JoinAsync(server, "bob", cancellation, local: local);
        await alice.NextAsync<RoomEvent.Connected>();
        await bob.NextAsync<RoomEvent.Connected>();
        await alice.Room.SendAsync("hello", cancellation);
        await bob.NextAsync<RoomEvent.Message>();
        await alice.NextAsync<RoomEvent.Delivered>();

        Assert.Equal(2, meter.Observe("punchline.active_rooms"));
        Assert.Equal(2, meter.Observe("punchline.active_connections"));
        // One stream of chat each way, and both ends count both.
        Assert.Equal(4, meter.Observe("punchline.active_streams"));
        Assert.Equal(2, meter.Observe("punchline.nat.external_ports"));
        Assert.True(meter.Observe("punchline.round_trip.max") > 0 && meter.Observe("punchline.jitter.max") > 0);
        await MeterReading.UntilAsync(() => meter.Recorded("punchline.round_trip{punchline.path.kind=lan}").Count == 2, cancellation);
        Assert.Equal((2, 2), meter.Recorded("punchline.connect.attempts{punchline.path.kind=lan}"));
        var duration = meter.Recorded("punchline.connect.duration{punchline.path.kind=lan}");
        Assert.Equal(2, duration.Count);
        Assert.InRange(duration.Sum, 0.0001, 20);
        // Loopback loses nothing: once nothing is under way, all that was sent was received.
        await MeterReading.UntilAsync(
            () => meter.Observe(PacketsSent) - sentBefore > 4 && meter.Observe(PacketsSent) - sentBefore == meter.Observe(PacketsReceived) - receivedBefore, cancellation);
        Assert.InRange(meter.Observe(BytesSent) - bytesBefore, 30 * (meter.Observe(PacketsSent) - sentBefore), Connection.MaxPacketSize * (meter.Observe(PacketsSent) - sentBefore));
        Assert.True(meter.Observe(BytesReceived) > 0);
        Assert.True(meter.Observe("punchline.probes") > probesBefore);
        // Two of STUN a node, and the peer's at least.
        Assert.InRange(meter.Observe("punchline.nat.five_tuples") - tuplesBefore, 6, 20);

        await alice.DisposeAsync();
        await bob.DisposeAsync();
        foreach (var present in (string[])["active_rooms", "active_connections", "active_streams", "nat.external_ports", "round_trip.max", "jitter.max"])
            Assert.Equal(0, meter.Observe($"punchline.{present}"));
        Assert.True(meter.Observe(PacketsSent) - sentBefore > 4);
    }
}
