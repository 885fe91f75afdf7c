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
            var whyNot = Network.WhyImpossible(first, second) ?? (Network.TakesSearch(first, second) ? "Ports are searched: TcpSearchTests." : null);
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

    public static TheoryData<string, string> Pairs() => new()
    {
        { "port-restricted", "port-restricted" },
        { "accepting", "accepting" },
        { "rejecting", "full cone" },
        { "symmetric", "open" },
        { "carrier", "moved port" },
        // Both are IPv6's there.
        { "dual stack", "dual stack" },
        { "dual stack", "port-restricted" },
    };

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Where_both_work_it_is_UDP_and_one_TCP_connection_stands_by(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = Meet(internet, first, second);
                internet.RunFor(TimeSpan.FromSeconds(5));
                Assert.All(new[] { meeting.First, meeting.Second }, peer => Assert.Equal(Carrier.Udp, CarrierOf(peer)));
                // The other one is the server's, by which each learns its address.
                Assert.Equal((2, 2), (meeting.First.TcpConnections, meeting.Second.TcpConnections));
                AssertTalkWithoutServer(meeting);
            }, $"{first} - {second}");
        }
    }

    // Issue: "UDP is blocked for 10 s with TCP open: the stream never breaks, and flows within 1 s + 2 round trips".
    [Theory]
    [MemberData(nameof(Pairs))]
    public void While_UDP_is_blocked_the_connection_goes_on_by_TCP_and_returns(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = Meet(internet, first, second);
                internet.RunFor(TimeSpan.FromSeconds(2));
                for (var round = 0; round < 3; round++)
                {
                    meeting.First.Machine.Site!.BlocksUdp = true;
                    AssertDelivered(meeting, MostSilence, $"blocked {round}");
                    AssertCarrier(meeting, Carrier.Tcp);
                    internet.RunFor(TimeSpan.FromSeconds(8));
                    AssertDelivered(meeting, TimeSpan.FromMilliseconds(200), $"by TCP {round}");
                    meeting.First.Machine.Site!.BlocksUdp = false;
                    AssertDelivered(meeting, TimeSpan.FromMilliseconds(200), $"still by TCP {round}");
                    Assert.True(internet.RunUntil(() => CarrierOf(meeting.First) == Carrier.Udp && CarrierOf(meeting.Second) == Carrier.Udp, TimeSpan.FromSeconds(10)), "UDP was not returned to.");
                    AssertDelivered(meeting, TimeSpan.FromMilliseconds(200), $"by UDP {round}");
                }
                Assert.Empty(meeting.First.EventsOf<NodeEvent.Disconnected>());
                Assert.Empty(meeting.Second.EventsOf<NodeEvent.Disconnected>());
            }, $"{first} - {second}");
        }
    }

    [Theory]
    [InlineData("port-restricted", "port-restricted")]
    [InlineData("port-restricted", "full cone")]
    [InlineData("full cone", "port-restricted")]
    public void After_a_routers_reboot_another_TCP_connection_stands_by(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = Meet(internet, first, second);
                internet.RunFor(TimeSpan.FromSeconds(2));
                internet.Rebind(meeting.First.Machine.Site!);
                AssertDelivered(meeting, TimeSpan.FromSeconds(10), "after the reboot");
                internet.RunFor(TimeSpan.FromSeconds(10));
                AssertCarrier(meeting, Carrier.Udp);
                meeting.First.Machine.Site!.BlocksUdp = true;
                AssertDelivered(meeting, MostSilence, "blocked");
                AssertCarrier(meeting, Carrier.Tcp);
                Assert.Equal((2, 2), (meeting.First.TcpConnections, meeting.Second.TcpConnections));
            }, $"{first} - {second}");
        }
    }

    // A second and two round trips of 40 ms until the silence is noticed, and the question and the message on TCP.
    private static readonly TimeSpan MostSilence = TimeSpan.FromMilliseconds(1_000 + (4 * 40));

    private static MeetingScenario Meet(VirtualInternet internet, string first, string second)
    {
        var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), new MeetingConditions(20, 0).Link, TcpPort);
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
        return meeting;
    }

    private static void AssertCarrier(MeetingScenario meeting, Carrier carrier) =>
        Assert.Equal((carrier, carrier), (CarrierOf(meeting.First), CarrierOf(meeting.Second)));

    private static void AssertDelivered(MeetingScenario meeting, TimeSpan within, string text)
    {
        Assert.True(meeting.First.Send(text + " first") && meeting.Second.Send(text + " second"));
        Assert.True(meeting.Internet.RunUntil(() => meeting.First.Undelivered + meeting.Second.Undelivered == 0, within), $"'{text}' took longer than {within}.");
        Assert.Equal(text + " first", meeting.Second.TextsFrom(meeting.First).Last());
        Assert.Equal(text + " second", meeting.First.TextsFrom(meeting.Second).Last());
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
