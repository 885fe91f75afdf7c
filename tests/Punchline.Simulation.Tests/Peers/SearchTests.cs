using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>
/// Routers that give every destination another port, and peers whose routers let in only the port that was sent to, with and without loss and other hosts'
/// load. What is a matter of chance is asserted over all seeds of a run: a sample here, a thousand with PUNCHLINE_SEEDS=1000.
/// </summary>
public sealed class SearchTests
{
    private static readonly (int LossPercent, int OthersPerSecond)[] Loads = [(0, 0), (0, 35), (5, 35)];

    [Theory] // 1 s in 99 of 100, with up to 35 new mappings a second by others
    [InlineData("symmetric in sequence", "port-restricted")]
    [InlineData("port-restricted", "symmetric in sequence")]
    [InlineData("symmetric in sequence", "firewall")]
    [InlineData("accepting", "symmetric in sequence")]
    [InlineData("dual stack", "symmetric in sequence")] // that it is seen at an IPv6 address as well makes no symmetric router of its own
    public void A_router_that_counts_is_met_within_a_second(string first, string second)
    {
        foreach (var load in Loads) AssertShare(Meet(first, second, load, seeds: 10), (0.99, 1), (1, 3));
    }

    [Theory] // a round trip of 400 ms: another bracket waits for what the last may still become
    [InlineData("symmetric in sequence", "port-restricted")]
    [InlineData("port-restricted", "symmetric in sequence")]
    [InlineData("accepting", "symmetric in sequence")]
    [InlineData("symmetric in sequence", "carrier")] // whose addresses come after its name
    public void A_router_that_counts_is_met_far_away(string first, string second)
    {
        foreach (var load in Loads) AssertShare(Meet(first, second, load, seeds: 10, oneWayMilliseconds: 200), (0.95, 3), (0.99, 6));
    }

    [Theory] // a search: 13 s in 98 of 100, 22 s in 999 of 1,000. Over all loads together: 256 ports of 64,512 and 2,000 tries miss each other 0.35 times in 1,000, and twice in 1,000 once in 20
    [InlineData("symmetric", "port-restricted")]
    [InlineData("port-restricted", "symmetric")]
    [InlineData("symmetric by address", "accepting")] // the plain punch has spoiled one of its ports
    [InlineData("accepting", "symmetric")]
    [InlineData("carrier", "symmetric")]
    [InlineData("dual stack, symmetric IPv4", "port-restricted")]
    public void A_router_that_draws_from_all_ports_is_searched(string first, string second)
    {
        AssertShare([.. Loads.SelectMany(load => Meet(first, second, load, seeds: 2))], (0.98, 13), (0.999, 22));
    }

    public static TheoryData<string, string, bool, double> Carriers => new()
    {
        { "symmetric in sequence", "port-restricted", true, 1 },
        { "port-restricted", "symmetric in sequence", true, 1 },
        { "symmetric in a block", "firewall", true, 3 },
        { "symmetric", "port-restricted", true, 22 },
        { "symmetric in sequence", "symmetric in sequence", true, 3 },
        // Where nobody tells how far the carrier's NAT is, the second try reaches it.
        { "symmetric in sequence", "port-restricted", false, 3 },
        { "port-restricted", "symmetric in a block", false, 5 },
        { "symmetric", "port-restricted", false, 25 },
    };

    [Theory] // a home's router before a carrier's NAT that is symmetric: openers have to pass both
    [MemberData(nameof(Carriers))]
    public void A_carriers_symmetric_NAT_is_met_from_behind_a_homes_router(string first, string second, bool isKnown, double seconds)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Behind(first), Behind(second), new MeetingConditions(20, 0).Link, hasAlternate: true);
                foreach (var peer in new[] { meeting.First, meeting.Second }) peer.SeesRouters = isKnown;
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(TimeSpan.FromSeconds(seconds)), "The peers did not connect.");
            }, $"{first} - {second}");
        }

        static Network Behind(string name) => Network.Named(name) is { IsSymmetric: true } carrier ? new(name, NatBehavior.PortRestricted, Carrier: carrier.Nat) : Network.Named(name);
    }

    [Theory]
    [InlineData("symmetric", "port-restricted")]
    [InlineData("port-restricted", "symmetric")]
    public void Both_sides_are_told_of_a_search_within_a_second(string first, string second) => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), new MeetingConditions(20, 0).Link, hasAlternate: true);
        meeting.JoinBoth();
        Assert.True(internet.RunUntil(() => meeting.First.EventsOf<NodeEvent.MemberJoined>().Any() && meeting.Second.EventsOf<NodeEvent.MemberJoined>().Any(), TimeSpan.FromSeconds(5)));
        Assert.False(meeting.RunUntilConnected(TimeSpan.FromSeconds(1)), "The search was over too soon to be told of.");
        foreach (var peer in new[] { meeting.First, meeting.Second }) Assert.Equal(PunchProgress.Search, Assert.Single(peer.EventsOf<NodeEvent.Trying>()).Progress.Means);
        Assert.True(meeting.RunUntilConnected(PeerSession.SearchDuration));
        foreach (var peer in new[] { meeting.First, meeting.Second }) Assert.Single(peer.EventsOf<NodeEvent.Trying>());
    });

    [Theory] // a known block of 1,024 ports: 3 s in 999 of 1,000
    [InlineData("symmetric in a block", "port-restricted")]
    [InlineData("firewall", "symmetric in a block")]
    [InlineData("symmetric in a block", "accepting")]
    public void A_router_that_draws_from_a_block_is_searched_within_3_s(string first, string second)
    {
        foreach (var load in Loads) AssertShare(Meet(first, second, load, seeds: 5), (0.999, 3));
    }

    [Fact] // 3 s in 95 of 100
    public void Two_routers_that_count_meet_within_3_s()
    {
        foreach (var load in Loads) AssertShare(Meet("symmetric in sequence", "symmetric in sequence", load, seeds: 10), (0.95, 3));
    }

    [Theory] // STUN's answer, the offer, and the handshake: three round trips
    [InlineData(100, 3)]
    [InlineData(200, 3.5)]
    [InlineData(400, 5.5)]
    public void Two_routers_that_count_meet_far_away(int oneWayMilliseconds, double seconds)
    {
        foreach (var load in Loads) AssertShare(Meet("symmetric in sequence", "symmetric in sequence", load, seeds: 10, oneWayMilliseconds), (0.9, seconds));
    }

    [Fact] // one attempt in 4.5 meets; the next comes by itself, after 1 min, 2, 4, …
    public void Two_routers_that_draw_from_small_blocks_meet_by_chance_and_are_told_of_it()
    {
        var block = Network.Named("symmetric in a block") with { Nat = NatBehavior.SymmetricBlock with { BlockSize = 512 } };
        var (met, later, runs) = (0, 0, 0);
        foreach (var seed in SimulationSeeds.Take(40))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, block, block, new MeetingConditions(20, 0).Link, hasAlternate: true);
                meeting.JoinBoth();
                runs++;
                if (meeting.RunUntilConnected(TimeSpan.FromSeconds(8)))
                {
                    met++;
                    return;
                }
                foreach (var peer in new[] { meeting.First, meeting.Second })
                {
                    var failed = Assert.Single(peer.EventsOf<NodeEvent.Failed>());
                    Assert.Equal(PunchFailure.SearchFailed, failed.Failure.Cause);
                    Assert.Contains("of 100 attempts", failed.Failure.Detail, StringComparison.Ordinal);
                    Assert.InRange(peer.Node.Statistics.SearchMappings, 1UL, 256UL);
                }
                if (meeting.RunUntilConnected(TimeSpan.FromMinutes(30))) later++;
            });
        }
        Assert.InRange(met, 0.1 * runs, 0.35 * runs);
        Assert.InRange(later, 0.3 * runs, runs); // four more attempts
    }

    // The seconds of each seed; infinite where the peers did not connect.
    private static List<double> Meet(string first, string second, (int LossPercent, int OthersPerSecond) load, int seeds, int oneWayMilliseconds = 20)
    {
        var elapsed = new List<double>();
        foreach (var seed in SimulationSeeds.Take(seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(
                    internet, Network.Named(first), Network.Named(second), new MeetingConditions(oneWayMilliseconds, load.LossPercent).Link, hasAlternate: true);
                meeting.AddOthers(load.OthersPerSecond);
                meeting.JoinBoth();
                elapsed.Add(meeting.RunUntilConnected(PeerSession.SearchDuration + TimeSpan.FromSeconds(1)) ? meeting.Elapsed.TotalSeconds : double.PositiveInfinity);
                internet.RunFor(TimeSpan.FromSeconds(1));
                // Only what a connection stands on is left of it.
                Assert.InRange(meeting.First.SideSockets.Count, 0, 1);
                Assert.InRange(meeting.Second.SideSockets.Count, 0, 1);
                Assert.InRange(meeting.First.Node.Statistics.SearchSessions + meeting.Second.Node.Statistics.SearchSessions, 0UL, 2_000UL);
                Assert.InRange(meeting.First.Node.Statistics.SearchMappings + meeting.Second.Node.Statistics.SearchMappings, 0UL, 2 * 3 * 128UL);
            }, $"{first} - {second}, {load.LossPercent} % loss, {load.OthersPerSecond} others' mappings a second");
        }
        return elapsed;
    }

    private static void AssertShare(List<double> elapsed, params (double Share, double Seconds)[] goals)
    {
        elapsed.Sort();
        foreach (var (share, seconds) in goals)
        {
            var met = elapsed.Count(value => value <= seconds);
            Assert.True(met >= share * elapsed.Count, $"{met} of {elapsed.Count} met within {seconds} s, the slowest {string.Join(", ", elapsed.TakeLast(10).Select(value => $"{value:0.00}"))} s.");
        }
    }
}
