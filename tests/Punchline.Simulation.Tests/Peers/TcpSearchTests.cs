using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>
/// A side whose network lets no UDP pass, and one whose router gives every destination another port of TCP's. What is a matter of chance is asserted over all
/// seeds of a run (more with PUNCHLINE_SEEDS).
/// </summary>
public sealed class TcpSearchTests
{
    private static readonly (int OneWayMilliseconds, int LossPercent)[] Ways = [(20, 0), (20, 5), (200, 0)];

    [Theory] // three brackets, a second and four round trips apart
    [InlineData("symmetric in sequence", "port-restricted")]
    [InlineData("port-restricted", "symmetric in sequence")]
    [InlineData("symmetric in sequence", "accepting")]
    [InlineData("symmetric in sequence", "rejecting")]
    [InlineData("moved port", "symmetric in sequence")]
    public void A_router_that_counts_is_met_by_its_next_port(string first, string second)
    {
        foreach (var way in Ways)
        {
            var elapsed = Meet(first, second, way, seeds: 10);
            AssertShare(elapsed, 0.9, way.OneWayMilliseconds < 100 ? 1.5 : 4.5);
            AssertShare(elapsed, 1, 9);
        }
    }

    [Theory] // 1,250 probes miss 256 ports once in 140 times, 2,000 once in 2,500
    [InlineData("symmetric", "port-restricted")]
    [InlineData("port-restricted", "symmetric")]
    [InlineData("symmetric by address", "port-restricted")]
    [InlineData("accepting", "symmetric")]
    [InlineData("symmetric", "rejecting")]
    public void A_router_that_draws_is_searched(string first, string second)
    {
        foreach (var way in Ways.Take(2))
        {
            var elapsed = Meet(first, second, way, seeds: 4);
            AssertShare(elapsed, 0.95, 15);
            AssertShare(elapsed, 1, 24);
        }
    }

    [Theory] // a home's router before a carrier's NAT that is symmetric: SYNs that hold a port have to pass both
    [InlineData("symmetric in sequence", true, 3)]
    [InlineData("symmetric in a block", true, 5)]
    // Where nobody tells how far the carrier's NAT is, the second bracket reaches it, and a held port's second SYN.
    [InlineData("symmetric in sequence", false, 5)]
    [InlineData("symmetric in a block", false, 6)]
    public void A_carriers_symmetric_NAT_is_met_from_behind_a_homes_router(string carrier, bool isKnown, double seconds)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                var home = new Network("home", NatBehavior.PortRestricted, Carrier: Network.Named(carrier).Nat);
                using var meeting = MeetingScenario.Between(
                    internet, home, Network.Named("port-restricted").WithoutUdp, new MeetingConditions(20, 0).Link, SimulatedPeer.Port, hasAlternate: true);
                foreach (var peer in new[] { meeting.First, meeting.Second }) peer.SeesRouters = isKnown;
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(TimeSpan.FromSeconds(seconds)), "The peers did not connect.");
            }, $"{carrier}, {isKnown}");
        }
    }

    [Fact]
    public void A_router_that_draws_from_a_block_is_searched_within_3_s() =>
        AssertShare(Meet("symmetric in a block", "port-restricted", (20, 0), seeds: 10), 0.99, 3);

    [Fact]
    public void Where_UDP_leads_to_the_peer_no_TCP_port_is_searched() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(
            internet, Network.Named("symmetric"), Network.Named("port-restricted"), new MeetingConditions(20, 0).Link, SimulatedPeer.Port, hasAlternate: true);
        meeting.JoinBoth();
        internet.RunFor(TimeSpan.FromSeconds(2));
        // By then some dozens of ports would be held. There are STUN's, and the plain punch.
        Assert.InRange(meeting.First.Node.Statistics.SearchMappings, 100UL, 256UL);
        Assert.InRange(meeting.First.TcpConnections, 0, 2);
        Assert.InRange(meeting.Second.TcpConnections, 0, 2);
    });

    [Fact]
    public void While_a_port_is_searched_nothing_of_the_hard_side_reaches_the_other_router() => SimulationRun.Check(3, internet =>
    {
        using var meeting = Between(internet, "symmetric", "port-restricted", (20, 0));
        meeting.JoinBoth();
        Assert.True(internet.RunUntil(() => meeting.First.Node.Statistics.SearchMappings == SearchPlan.BirthdaySockets, TimeSpan.FromSeconds(5)));
        Assert.True(meeting.RunUntilConnected(PeerSession.SearchDuration));
        // The plain punch's own SYNs did; of 256 ports, none.
        var arrived = internet.Trace.Recent().Count(traced => traced.Place == meeting.SecondSite.RouterName && traced.Verdict is Verdict.NoMapping or Verdict.Filtered);
        Assert.InRange(arrived, 1, ConnectBudget.MaxSynsPerEndpoint);
    });

    private static MeetingScenario Between(VirtualInternet internet, string first, string second, (int OneWayMilliseconds, int LossPercent) way)
    {
        var (one, other) = (Network.Named(first), Network.Named(second));
        return MeetingScenario.Between(
            internet, one.IsSymmetric ? one : one.WithoutUdp, other.IsSymmetric ? other : other.WithoutUdp,
            new MeetingConditions(way.OneWayMilliseconds, way.LossPercent).Link, SimulatedPeer.Port, hasAlternate: true);
    }

    // The seconds of each seed; infinite where the peers did not connect.
    private static List<double> Meet(string first, string second, (int OneWayMilliseconds, int LossPercent) way, int seeds)
    {
        var elapsed = new List<double>();
        foreach (var seed in SimulationSeeds.Take(seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = Between(internet, first, second, way);
                meeting.JoinBoth();
                elapsed.Add(meeting.RunUntilConnected(PeerSession.SearchDuration + TimeSpan.FromSeconds(1)) ? meeting.Elapsed.TotalSeconds : double.PositiveInfinity);
                internet.RunFor(TimeSpan.FromSeconds(2));
                // Of a search nothing is left but the server's connection and the peer's.
                Assert.InRange(meeting.First.TcpConnections, 1, 2);
                Assert.InRange(meeting.Second.TcpConnections, 1, 2);
                Assert.InRange(meeting.First.Node.Statistics.SearchSessions + meeting.Second.Node.Statistics.SearchSessions, 0UL, 2_000UL);
                Assert.InRange(meeting.First.Node.Statistics.SearchMappings + meeting.Second.Node.Statistics.SearchMappings, 0UL, 256UL);
            }, $"{first} - {second}, {way}");
        }
        return elapsed;
    }

    private static void AssertShare(List<double> elapsed, double share, double seconds)
    {
        elapsed.Sort();
        var met = elapsed.Count(value => value <= seconds);
        Assert.True(met >= share * elapsed.Count, $"{met} of {elapsed.Count} met within {seconds} s, the slowest {string.Join(", ", elapsed.TakeLast(10).Select(value => $"{value:0.00}"))} s.");
    }
}
