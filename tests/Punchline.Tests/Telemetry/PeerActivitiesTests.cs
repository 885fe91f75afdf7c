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
        Assert.Single(_stopped, activity => activity.OperationName == name && Equals(activity.GetTagItem("punchline.node.id"), node.Id.ToString()));
}
