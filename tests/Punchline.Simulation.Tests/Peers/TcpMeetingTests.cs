using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>The matrix over TCP: one side's router lets no UDP pass. Each cell a named test, over some seeds (more with PUNCHLINE_SEEDS).</summary>
public sealed class TcpMeetingTests
{
    private const int Seeds = 2;

    private const ushort TcpPort = SimulatedPeer.Port;

    public static IEnumerable<TheoryDataRow<string, string, int, int>> Cells()
    {
        foreach (var (first, second) in MeetingMatrix.Pairs)
        {
            var whyNot = Network.WhyImpossible(first, second);
            foreach (var (oneWay, loss) in whyNot is null ? MeetingMatrix.Conditions : [new(20, 0)])
                yield return new(first.Name, second.Name, oneWay, loss) { Skip = whyNot };
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Where_UDP_is_blocked_on_one_side_peers_meet_by_TCP(string first, string second, int oneWayMilliseconds, int lossPercent)
    {
        var conditions = new MeetingConditions(oneWayMilliseconds, lossPercent);
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Network.Named(first).WithoutUdp, Network.Named(second), conditions.Link, TcpPort);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                Assert.All(new[] { meeting.First, meeting.Second }, peer => Assert.Equal(Carrier.Tcp, CarrierOf(peer)));
                if (lossPercent == 0) Assert.Equal((1, 1), (Count<NodeEvent.Connected>(meeting.First), Count<NodeEvent.Connected>(meeting.Second)));
                AssertTalkWithoutServer(meeting);
            }, $"{first} - {second}, {conditions}");
        }
    }

    private static Carrier CarrierOf(SimulatedPeer peer) =>
        (peer.Events.Last(e => e is NodeEvent.Connected or NodeEvent.PathChanged) switch
        {
            NodeEvent.Connected connected => connected.Path,
            NodeEvent.PathChanged changed => changed.Path,
            var other => throw new InvalidOperationException(other.ToString()),
        }).Local.Carrier;

    private static int Count<T>(SimulatedPeer peer)
        where T : NodeEvent => peer.EventsOf<T>().Count();

    private static void AssertTalkWithoutServer(MeetingScenario meeting)
    {
        meeting.Server.Kill();
        Assert.True(meeting.First.Send("hello from the first"));
        Assert.True(meeting.Second.Send("hello from the second"));
        Assert.True(
            meeting.Internet.RunUntil(() => meeting.First.Undelivered + meeting.Second.Undelivered == 0, TimeSpan.FromSeconds(10)),
            "A message was not acknowledged.");
        Assert.Equal(["hello from the first"], meeting.Second.TextsFrom(meeting.First));
        Assert.Equal(["hello from the second"], meeting.First.TextsFrom(meeting.Second));
    }
}
