using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>The matrix of networks in which two peers meet: each cell a named test, over some seeds (more with PUNCHLINE_SEEDS).</summary>
public sealed class MeetingTests
{
    // 118 pairs under 12 conditions, 5 to 10 ms a run in Debug: 3 seeds take half a minute.
    private const int Seeds = 3;

    // What two carriers add one way, 1 ms each.
    private static readonly TimeSpan Carriers = TimeSpan.FromMilliseconds(2);

    private static readonly MeetingConditions Usual = new(OneWayMilliseconds: 20, LossPercent: 0);

    public static IEnumerable<TheoryDataRow<string, string, int, int>> Cells()
    {
        foreach (var (first, second) in MeetingMatrix.Pairs)
        {
            var whyNot = Network.WhyImpossible(first, second) ?? (Network.TakesSearch(first, second) ? "It takes a search: see SearchTests." : null);
            foreach (var (oneWay, loss) in whyNot is null ? MeetingMatrix.Conditions : [Usual])
                yield return new(first.Name, second.Name, oneWay, loss) { Skip = whyNot };
        }
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Two_peers_meet_and_talk_on_after_the_servers_death(string first, string second, int oneWayMilliseconds, int lossPercent)
    {
        var conditions = new MeetingConditions(oneWayMilliseconds, lossPercent);
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), conditions.Link);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                if (lossPercent == 0) AssertPrompt(meeting, conditions, Network.Named(first).IsSymmetric || Network.Named(second).IsSymmetric);
                AssertTalkWithoutServer(meeting);
            }, $"{first} - {second}, {conditions}");
        }
    }

    public static IEnumerable<TheoryDataRow<string>> OrdinaryNetworks() => Network.Ordinary.Select(network => new TheoryDataRow<string>(network.Name));

    [Theory] // 2 s in 999 of 1,000, over all networks that the other may be in
    [MemberData(nameof(OrdinaryNetworks))]
    public void At_5_percent_loss_two_endpoint_independent_networks_meet_within_2_s(string first)
    {
        var elapsed = new List<(double Seconds, string Run)>();
        foreach (var second in Network.Ordinary)
        {
            foreach (var seed in SimulationSeeds.Take(Seeds))
            {
                SimulationRun.Check(seed, internet =>
                {
                    using var meeting = MeetingScenario.Between(internet, Network.Named(first), second, new MeetingConditions(20, 5).Link);
                    meeting.JoinBoth();
                    elapsed.Add((meeting.RunUntilConnected(MeetingMatrix.Patience) ? meeting.Elapsed.TotalSeconds : double.PositiveInfinity, $"{second} {seed}"));
                }, $"{first} - {second}");
            }
        }
        var met = elapsed.Count(run => run.Seconds <= 2);
        Assert.True(met >= 0.999 * elapsed.Count, $"{met} of {elapsed.Count} met within 2 s; the slowest: {string.Join(", ", elapsed.OrderBy(run => run.Seconds).TakeLast(10).Select(run => $"{run.Seconds:0.00} s ({run.Run})"))}.");
    }

    public static IEnumerable<TheoryDataRow<string, string>> HopelessPairs() =>
        from pair in MeetingMatrix.Pairs
        where Network.WhyImpossible(pair.First, pair.Second) is not null
        select new TheoryDataRow<string, string>(pair.First.Name, pair.Second.Name);

    // A failed attempt ends with a cause and an advice, on both sides, never a hang.
    [Theory]
    [MemberData(nameof(HopelessPairs))]
    public void Where_two_peers_cannot_meet_both_are_told_why(string first, string second)
    {
        SimulationRun.Check(1, internet =>
        {
            using var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), Usual.Link, hasAlternate: true);
            meeting.JoinBoth();
            AssertBothFail(meeting, PunchFailure.SymmetricBoth, TimeSpan.FromSeconds(1));
        }, $"{first} - {second}");
    }

    // TCP might be a way where UDP is none. That it is none either, both networks' mappings of TCP tell as soon.
    [Theory]
    [MemberData(nameof(HopelessPairs))]
    public void Where_TCP_is_mapped_at_random_too_both_are_told_as_soon(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), Usual.Link, tcpPort: SimulatedPeer.Port, hasAlternate: true);
                meeting.JoinBoth();
                AssertBothFail(meeting, PunchFailure.SymmetricBoth, TimeSpan.FromSeconds(1));
                Assert.Contains("of TCP as well", meeting.First.EventsOf<NodeEvent.Failed>().Single().Failure.Detail, StringComparison.Ordinal);
            }, $"{first} - {second}");
        }
    }

    [Fact] // a server with one address cannot tell how TCP is mapped, so TCP gets its time, and people are told what it is spent for
    public void Where_TCPs_mapping_is_not_known_it_is_tried_for_four_seconds_and_both_are_told_so_within_one() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("symmetric"), Network.Named("symmetric"), Usual.Link, tcpPort: SimulatedPeer.Port);
        meeting.JoinBoth();
        foreach (var peer in (SimulatedPeer[])[meeting.First, meeting.Second])
        {
            Assert.True(internet.RunUntil(() => peer.EventsOf<NodeEvent.MemberJoined>().Any(), MeetingMatrix.Patience));
        }
        internet.RunFor(TimeSpan.FromSeconds(1));
        foreach (var peer in (SimulatedPeer[])[meeting.First, meeting.Second]) Assert.Equal(PunchProgress.OfTcp, Assert.Single(peer.EventsOf<NodeEvent.Trying>()).Progress);
        internet.RunFor(TimeSpan.FromSeconds(2.5));
        Assert.Empty(meeting.First.EventsOf<NodeEvent.Failed>());
        AssertBothFail(meeting, PunchFailure.SymmetricBoth, TimeSpan.FromSeconds(2));
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void On_one_LAN_peers_meet_by_private_addresses_whether_the_router_hairpins_or_not(bool hairpin)
    {
        foreach (var seed in SimulationSeeds.Take(20))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.OnOneLan(internet, NatBehavior.PortRestricted with { Hairpin = hairpin }, Usual.Link);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                // Three packets over the switch; not even an opener waits.
                Assert.InRange(meeting.Elapsed, TimeSpan.Zero, 4 * VirtualInternet.LanDelay);
                AssertTalkWithoutServer(meeting);
            }, $"hairpin {hairpin}");
        }
    }

    [Fact]
    public void Behind_one_carrier_that_hairpins_homes_with_the_same_private_address_meet()
    {
        foreach (var seed in SimulationSeeds.Take(20))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.BehindOneNat(internet, NatBehavior.FullCone with { Hairpin = true }, Usual.Link);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                AssertTalkWithoutServer(meeting);
            });
        }
    }

    [Fact]
    public void Behind_one_carrier_that_does_not_hairpin_both_are_told_that_there_is_no_way()
    {
        SimulationRun.Check(1, internet =>
        {
            using var meeting = MeetingScenario.BehindOneNat(internet, NatBehavior.FullCone, Usual.Link);
            meeting.JoinBoth();
            AssertBothFail(meeting, PunchFailure.NoAnswer, MeetingMatrix.Patience);
        });
    }

    // Without loss nothing has to be tried twice: an opener's lead, then a round trip and a half. The port that a symmetric router
    // chose is known by its first packet only: where that packet is not the one that counts, the observed source is answered first.
    private static void AssertPrompt(MeetingScenario meeting, MeetingConditions conditions, bool isHealed)
    {
        var lead = Math.Max(PunchPlan.OpenerLead.Ticks, (PunchPlan.OpenerMargin - conditions.OneWay).Ticks); // a round trip to the server is as long
        var longest = TimeSpan.FromTicks(lead) + ((isHealed ? 4 : 3) * (conditions.OneWay + Carriers)) + meeting.TrickleDelay;
        Assert.Single(meeting.First.EventsOf<NodeEvent.Connected>());
        Assert.Single(meeting.Second.EventsOf<NodeEvent.Connected>());
        Assert.True(meeting.Elapsed <= longest, $"It took {meeting.Elapsed.TotalMilliseconds} ms, more than {longest.TotalMilliseconds} ms.");
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

    private static void AssertBothFail(MeetingScenario meeting, string cause, TimeSpan within)
    {
        Assert.False(meeting.RunUntilConnected(within), "The peers connected.");
        foreach (var peer in new[] { meeting.First, meeting.Second })
        {
            var failed = Assert.Single(peer.EventsOf<NodeEvent.Failed>());
            Assert.Equal(cause, failed.Failure.Cause);
            Assert.NotEmpty(failed.Failure.Advice);
        }
    }
}
