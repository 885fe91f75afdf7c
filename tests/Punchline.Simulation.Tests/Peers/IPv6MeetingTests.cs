using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Networks with IPv6, beside IPv4 or alone, and whom they meet by what.</summary>
public sealed class IPv6MeetingTests
{
    private const int Seeds = 5;

    private static readonly MeetingConditions Usual = new(OneWayMilliseconds: 20, LossPercent: 0);

    private static IEnumerable<(Network First, Network Second)> Pairs() =>
        from first in Network.WithIPv6
        from second in Network.WithIPv6.Concat(Network.WithoutIPv6)
        from pair in Network.WithIPv6.Contains(second) ? new[] { (first, second) } : [(first, second), (second, first)]
        select pair;

    public static IEnumerable<TheoryDataRow<string, string, int, int>> Cells()
    {
        foreach (var (first, second) in Pairs())
        {
            var whyNot = Network.WhyImpossible(first, second) ?? (Network.TakesSearch(first, second) ? "It takes a search: see SearchTests." : null);
            foreach (var (oneWay, loss) in whyNot is null ? MeetingMatrix.Conditions : [Usual])
                yield return new(first.Name, second.Name, oneWay, loss) { Skip = whyNot };
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Two_peers_meet_by_IPv6_where_both_have_it(string first, string second, int oneWayMilliseconds, int lossPercent)
    {
        var conditions = new MeetingConditions(oneWayMilliseconds, lossPercent);
        var byIPv6 = Network.Named(first).IPv6 is not null && Network.Named(second).IPv6 is not null;
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), conditions.Link);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                foreach (var peer in new[] { meeting.First, meeting.Second })
                {
                    // Lost packets may decide otherwise, where there is IPv4 to decide for.
                    if (byIPv6 && lossPercent == 0) Assert.False(peer.EventsOf<NodeEvent.Connected>().First().Path.Remote.IsIPv4, "IPv4 won.");
                }
                // No opener's lead: a flight, then a round trip and a half. The second flight is needed where the first one came too early.
                if (byIPv6 && lossPercent == 0)
                {
                    var longest = PunchPlan.FirstInterval + (3 * conditions.OneWay);
                    Assert.True(meeting.Elapsed <= longest, $"It took {meeting.Elapsed.TotalMilliseconds} ms, more than {longest.TotalMilliseconds} ms.");
                }
                meeting.Server.Kill();
                Assert.True(meeting.First.Send("hello"));
                Assert.True(meeting.Internet.RunUntil(() => meeting.First.Undelivered == 0, TimeSpan.FromSeconds(10)), "A message was not acknowledged.");
                Assert.Equal(["hello"], meeting.Second.TextsFrom(meeting.First));
            }, $"{first} - {second}, {conditions}");
        }
    }

    [Theory]
    [InlineData("IPv6 only", "port-restricted")]
    [InlineData("open", "IPv6 only")]
    public void Where_one_has_IPv6_only_and_the_other_IPv4_only_both_are_told_that(string first, string second) => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), Usual.Link);
        meeting.JoinBoth();
        Assert.False(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers connected.");
        foreach (var peer in new[] { meeting.First, meeting.Second })
            Assert.Equal(PunchFailure.NoCommonFamily, Assert.Single(peer.EventsOf<NodeEvent.Failed>()).Failure.Cause);
    });

    // A firewall that lets nothing out by IPv6 is not rare; what it costs is nothing.
    [Fact]
    public void Where_IPv6_leads_nowhere_IPv4_is_as_quick_as_alone()
    {
        foreach (var seed in SimulationSeeds.Take(20))
        {
            SimulationRun.Check(seed, internet =>
            {
                // As many sessions as there are none: nothing gets out or in.
                var closed = new Network("closed", NatBehavior.PortRestricted) { IPv6 = NatBehavior.Firewall with { MaxSessions = 0 } };
                using var meeting = MeetingScenario.Between(internet, closed, closed, Usual.Link);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                var lead = Math.Max(PunchPlan.OpenerLead.Ticks, (PunchPlan.OpenerMargin - Usual.OneWay).Ticks);
                Assert.InRange(meeting.Elapsed, TimeSpan.Zero, TimeSpan.FromTicks(lead) + (3 * (Usual.OneWay + TimeSpan.FromMilliseconds(1))));
            });
        }
    }
}
