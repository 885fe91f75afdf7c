using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Punchline.Engine.Telemetry;
using Punchline.Tests.Harness;

namespace Punchline.Tests.Telemetry;

public sealed class PeerActivitiesTests : IDisposable
{
    private readonly ConcurrentQueue<Activity> _stopped = new();
    private readonly ActivityListener _listener;

    public PeerActivitiesTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == PeerMetrics.Name,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = _stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task A_join_is_an_activity_that_says_who_and_where_but_not_which_room()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        var join = Find(PeerActivities.Join, alice.Node);
        Assert.Equal(ActivityKind.Client, join.Kind);
        Assert.Equal(ActivityStatusCode.Unset, join.Status);
        Assert.Equal(
            [
                $"punchline.node.id={alice.Node.Id}",
                "server.address=127.0.0.1",
                string.Create(CultureInfo.InvariantCulture, $"server.port={server.Port}"),
            ],
            join.TagObjects.Select(tag => $"{tag.Key}={tag.Value}"));
    }

    [Fact]
    public async Task An_attempt_is_an_activity_with_its_steps()
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var server = await LocalServer.StartAsync(cancellation);
        await using var alice = await Guest.JoinAsync(server, "alice", cancellation);
        await using var bob = await Guest.JoinAsync(server, "bob", cancellation);
        await alice.NextAsync<RoomEvent.Connected>();
        await MeterReading.UntilAsync(() => _stopped.Any(activity => IsOf(activity, PeerActivities.Connect, alice.Node)), cancellation);
        var connect = Find(PeerActivities.Connect, alice.Node);
        Assert.Equal(ActivityStatusCode.Unset, connect.Status);
        Assert.Null(connect.ParentId);
        Assert.Equal(bob.Node.Id.ToString(), connect.GetTagItem(PeerActivities.Peer));
        Assert.Equal(bob.Node.LocalEndPoint.Port, connect.GetTagItem("network.peer.port"));
        // On loopback there is no NAT to open.
        Assert.Equal(["punchline.handshake_received", "punchline.handshake_sent"], connect.Events.Select(step => step.Name).Order(StringComparer.Ordinal));
        Assert.All(connect.Events, step => Assert.InRange(step.Timestamp.UtcDateTime, connect.StartTimeUtc, connect.StartTimeUtc + connect.Duration));
    }

    [Fact]
    public async Task A_join_that_fails_says_why()
    {
        await using var node = await PeerNode.StartAsync(new PeerNodeOptions(), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<PunchlineException>(
            async () => await node.JoinRoomAsync(new RoomOptions { Room = "r", Server = "127.0.0.1:1" }, TestContext.Current.CancellationToken));
        var join = Find(PeerActivities.Join, node);
        Assert.Equal(ActivityStatusCode.Error, join.Status);
        Assert.Equal(nameof(PunchlineError.ServerUnreachable), join.GetTagItem(PeerMetrics.ErrorType));
    }

    // Other tests' nodes are heard as well.
    private Activity Find(string name, PeerNode node) =>
        Assert.Single(_stopped, activity => IsOf(activity, name, node));

    private static bool IsOf(Activity activity, string name, PeerNode node) =>
        activity.OperationName == name && Equals(activity.GetTagItem(PeerActivities.Self), node.Id.ToString());
}
