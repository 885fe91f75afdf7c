using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>
/// Routers that accept unsolicited packets, and processes that act further apart than an opener's lead: the router of the later one gives its host's port
/// to the earlier one's packet, for good. Fresh sockets heal that.
/// </summary>
public sealed class TrapTests
{
    // 2 s, and what a lossy way may cost on top: a flight lost on the fresh socket is repeated within 33 to 132 ms.
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(2_000);

    private static readonly int[] OneWayMilliseconds = [1, 20, 100];
    private static readonly int[] LossPercent = [0, 5];
    private static readonly int[] LagMilliseconds = [0, 10, 15, 20, 25, 30, 40, 60, 80, 100, 150, 200, 250, 300];
    private static readonly string[] Others = ["accepting", "port-restricted", "firewall", "carrier"];

    public static IEnumerable<TheoryDataRow<string, int, int>> Cells() =>
        from other in Others from oneWay in OneWayMilliseconds from loss in LossPercent select new TheoryDataRow<string, int, int>(other, oneWay, loss);

    [Theory]
    [MemberData(nameof(Cells))]
    public void Peers_that_act_up_to_300_ms_apart_meet_all_the_same(string other, int oneWayMilliseconds, int lossPercent)
    {
        var conditions = new MeetingConditions(oneWayMilliseconds, lossPercent);
        foreach (var lag in LagMilliseconds)
        {
            foreach (var isFirstLate in new[] { true, false })
            {
                foreach (var seed in SimulationSeeds.Take(2))
                {
                    SimulationRun.Check(seed, internet =>
                    {
                        using var meeting = MeetingScenario.Between(internet, Network.Named("accepting"), Network.Named(other), conditions.Link);
                        (isFirstLate ? meeting.First : meeting.Second).Lag = TimeSpan.FromMilliseconds(lag);
                        meeting.JoinBoth();
                        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                        Assert.True(meeting.Elapsed <= Longest, $"It took {meeting.Elapsed.TotalMilliseconds} ms.");
                    }, $"{other}, {conditions}, {(isFirstLate ? "first" : "second")} {lag} ms late");
                }
            }
        }
    }

    [Fact]
    public void A_connection_stands_on_a_fresh_socket_for_its_whole_life_and_the_others_are_given_back()
    {
        SimulationRun.Check(1, internet =>
        {
            var network = Network.Named("accepting");
            using var meeting = MeetingScenario.Between(internet, network, network, new MeetingConditions(20, 0).Link);
            meeting.First.Lag = TimeSpan.FromMilliseconds(200);
            meeting.JoinBoth();
            Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
            var paths = new[] { meeting.First, meeting.Second }.Select(peer => peer.EventsOf<NodeEvent.Connected>().Single().Path.Local).ToList();
            // The one whose port was not moved reaches the other's fresh one.
            Assert.Single(paths, local => local == SocketId.Main);
            Assert.Single(paths, local => local.Carrier == Carrier.Udp && local.Number > 0);
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(1, meeting.First.SideSockets.Count + meeting.Second.SideSockets.Count);

            meeting.Server.Kill();
            internet.RunFor(TimeSpan.FromMinutes(10));
            Assert.True(meeting.First.IsConnectedTo(meeting.Second));
            Assert.True(meeting.First.Send("by a fresh port"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(["by a fresh port"], meeting.Second.TextsFrom(meeting.First));

            meeting.First.Leave();
            internet.RunFor(TimeSpan.FromSeconds(10));
            Assert.Equal(0, meeting.First.SideSockets.Count + meeting.Second.SideSockets.Count);
        });
    }

    [Fact]
    public void Peers_that_meet_at_once_need_no_fresh_socket()
    {
        SimulationRun.Check(1, internet =>
        {
            var network = Network.Named("accepting");
            using var meeting = MeetingScenario.Between(internet, network, network, new MeetingConditions(20, 0).Link);
            meeting.JoinBoth();
            internet.RunFor(TimeSpan.FromSeconds(5));
            Assert.Equal((0, 0), (meeting.First.SideSockets.Most, meeting.Second.SideSockets.Most));
        });
    }
}
