using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Where UDP is blocked on a side, and there is IPv6: beside IPv4 or alone.</summary>
public sealed class TcpOverIPv6Tests
{
    private const int Seeds = 5;

    private const ushort TcpPort = SimulatedPeer.Port;

    private static readonly MeetingConditions Usual = new(OneWayMilliseconds: 20, LossPercent: 0);

    public static IEnumerable<TheoryDataRow<string, string, int, int>> Cells()
    {
        foreach (var first in Network.WithIPv6)
        {
            foreach (var second in Network.WithIPv6.Concat(Network.WithoutIPv6))
            {
                var whyNot = Network.WhyImpossible(first, second) ?? (Network.TakesSearch(first, second) ? "Ports are searched: TcpSearchTests." : null);
                foreach (var (oneWay, loss) in whyNot is null ? MeetingMatrix.Conditions : [Usual])
                    yield return new(first.Name, second.Name, oneWay, loss) { Skip = whyNot };
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Where_UDP_is_blocked_on_one_side_peers_meet_by_TCP_and_by_IPv6_where_both_have_it(string first, string second, int oneWayMilliseconds, int lossPercent)
    {
        var conditions = new MeetingConditions(oneWayMilliseconds, lossPercent);
        var byIPv6 = Network.Named(first).IPv6 is not null && Network.Named(second).IPv6 is not null;
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Network.Named(first).WithoutUdp, Network.Named(second), conditions.Link, TcpPort);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                foreach (var path in new[] { meeting.First, meeting.Second }.Select(peer => peer.EventsOf<NodeEvent.Connected>().First().Path))
                {
                    Assert.Equal(Carrier.Tcp, path.Local.Carrier);
                    // Lost packets may decide otherwise, where there is IPv4 to decide for.
                    if (byIPv6 && lossPercent == 0) Assert.False(path.Remote.IsIPv4, "IPv4 won.");
                }
                AssertTalkWithoutServer(meeting);
            }, $"{first} - {second}, {conditions}");
        }
    }

    // The SYNs cross, or one meets a firewall that drops it and its repetition a second later does not: where nothing but IPv6 is left.
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(0, 5)]
    [InlineData(40, 0)]
    [InlineData(40, 1)]
    [InlineData(40, 5)]
    public void Two_firewalls_behind_which_no_UDP_gets_out_are_crossed(int lagMilliseconds, int lossPercent) =>
        MeetBehindTwo(NatBehavior.Firewall with { BlocksUdp = true }, lagMilliseconds, lossPercent, oneWayMilliseconds: 20);

    // Closer to each other than the two processes are in step: each refusal undoes what the other side's SYN would have needed.
    [Theory]
    [InlineData(0, 20, 0)]
    [InlineData(10, 1, 0)]
    [InlineData(40, 1, 0)]
    [InlineData(40, 1, 1)]
    [InlineData(40, 20, 5)]
    public void Two_firewalls_that_reject_are_crossed(int lagMilliseconds, int oneWayMilliseconds, int lossPercent) =>
        MeetBehindTwo(NatBehavior.Firewall with { BlocksUdp = true, Unsolicited = UnsolicitedPolicy.Reject }, lagMilliseconds, lossPercent, oneWayMilliseconds);

    [Fact]
    public void A_host_hides_its_addresses_and_is_met_where_the_server_sees_it()
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                var network = new Network("IPv6 only without UDP", NatBehavior.PortRestricted) { IPv6 = NatBehavior.Firewall with { BlocksUdp = true }, HasIPv4 = false };
                using var meeting = MeetingScenario.Between(internet, network, network, Usual.Link, TcpPort);
                meeting.First.Node.SetHostAddresses([], internet.Now);
                meeting.Second.Node.SetHostAddresses([], internet.Now);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
            });
        }
    }

    private static void MeetBehindTwo(NatBehavior firewall, int lagMilliseconds, int lossPercent, int oneWayMilliseconds)
    {
        foreach (var seed in SimulationSeeds.Take(4 * Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                var network = new Network("IPv6 only", NatBehavior.PortRestricted) { IPv6 = firewall, HasIPv4 = false };
                using var meeting = MeetingScenario.Between(internet, network, network, new MeetingConditions(oneWayMilliseconds, lossPercent).Link, TcpPort);
                meeting.Second.Lag = TimeSpan.FromMilliseconds(lagMilliseconds);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                Assert.Equal(Carrier.Tcp, meeting.First.EventsOf<NodeEvent.Connected>().Single().Path.Local.Carrier);
                // The first SYNs, or those that follow the first refusal behind an opener; each lost packet costs a second or a try more.
                var longest = TimeSpan.FromMilliseconds(lagMilliseconds + 100 + (7 * oneWayMilliseconds)) + PunchPlan.OpenerMargin;
                if (lossPercent == 0) Assert.InRange(meeting.Elapsed, TimeSpan.Zero, longest);
            }, $"{lagMilliseconds} ms, {lossPercent} %");
        }
    }

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
