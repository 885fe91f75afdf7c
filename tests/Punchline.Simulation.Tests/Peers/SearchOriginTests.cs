using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Peers;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>
/// Where a search of ports begins: at a port of the easy side's that no packet of the hard side's has met, for a router that takes such a packet for its own moves whatever
/// leaves from that port later.
/// </summary>
public sealed class SearchOriginTests
{
    private const int Seeds = 5;

    [Theory]
    [InlineData("symmetric")]
    [InlineData("symmetric by address")]
    [InlineData("symmetric in a block")]
    public void A_search_leaves_from_a_port_that_nothing_has_spoiled(string hard)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = Meet(internet, hard);
                var spoiled = TuplesAt(internet, meeting.SecondSite.RouterName, Verdict.AcceptedByRouter);
                Assert.Contains(spoiled, tuple => tuple.Near.Port == SimulatedPeer.Port); // the plain punch's
                var searched = SearchOf(internet, meeting);
                Assert.All(searched, sent => Assert.NotEqual(SimulatedPeer.Port, sent.Near.Port));
                Assert.Single(searched.Select(sent => sent.Near.Port).Distinct());
                Assert.DoesNotContain(spoiled, tuple => tuple.Near.Port == searched[0].Near.Port);
                // The router preserves ports, and this one was never moved: what it let in came back to where the search began.
                Assert.Equal(searched[0].Near.Port, meeting.First.EventsOf<NodeEvent.Connected>().Single().Path.Remote.Port);
            }, hard);
        }
    }

    [Theory] // which names no origin, or says of none that its openers go there
    [InlineData(true)]
    [InlineData(false)]
    public void With_a_peer_of_an_older_version_it_leaves_from_the_port_that_all_know(bool isHardSideOld)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = Meet(internet, "symmetric", isHardSideOld);
                Assert.All(SearchOf(internet, meeting), sent => Assert.Equal(SimulatedPeer.Port, sent.Near.Port));
            });
        }
    }

    [Fact] // each with an origin of its own: what an attempt has used is no port any more when the next begins
    public void The_next_attempt_begins_at_another_port()
    {
        SimulationRun.Check(1, internet =>
        {
            using var meeting = MeetingScenario.Between(internet, Network.Named("symmetric"), Network.Named("accepting"), new MeetingConditions(20, 0).Link, hasAlternate: true);
            meeting.JoinBoth();
            Assert.True(internet.RunUntil(() => meeting.Second.Node.Statistics.SearchSessions > 10, PeerSession.SearchDuration));
            var former = Assert.Single(SearchOf(internet, meeting).Select(sent => sent.Near.Port).Distinct());
            // Whatever is tried now ends at a broken link, which the server's word does not need.
            meeting.SecondSite.Uplink.Up.IsUp = meeting.SecondSite.Uplink.Down.IsUp = false;
            Assert.True(internet.RunUntil(() => meeting.Second.EventsOf<NodeEvent.Failed>().Any() && meeting.First.EventsOf<NodeEvent.Failed>().Any(), 2 * PeerSession.SearchDuration), "Nothing failed.");
            meeting.SecondSite.Uplink.Up.IsUp = meeting.SecondSite.Uplink.Down.IsUp = true;
            Assert.True(meeting.RunUntilConnected(PeerSession.RetryPause + PeerSession.SearchDuration), "The peers did not connect.");
            var port = meeting.First.EventsOf<NodeEvent.Connected>().Single().Path.Remote.Port;
            Assert.NotEqual(former, port);
            Assert.Equal(port, SearchOf(internet, meeting)[^1].Near.Port);
        });
    }

    private static MeetingScenario Meet(VirtualInternet internet, string hard, bool? isHardSideOld = null)
    {
        var meeting = MeetingScenario.Between(internet, Network.Named(hard), Network.Named(isHardSideOld is null ? "accepting" : "port-restricted"), new MeetingConditions(20, 0).Link, hasAlternate: true);
        if (isHardSideOld is { } isHard) (isHard ? meeting.First : meeting.Second).Understands = introduction => introduction with { Origins = [] };
        // What one does not name, the other does not hear of.
        if (isHardSideOld is false) meeting.First.Understands = meeting.Second.Understands;
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(PeerSession.SearchDuration), "The peers did not connect.");
        return meeting;
    }

    // What the second sent to ports that it had not heard of, before it was connected.
    private static List<(Endpoint Near, Endpoint Far)> SearchOf(VirtualInternet internet, MeetingScenario meeting)
    {
        var first = meeting.FirstSite.ExternalAt(0).Address;
        var tries = internet.Trace.Recent().Where(traced => traced.Place == meeting.Second.Name && traced.Verdict == Verdict.Sent && traced.Destination.Address == first && traced.TimeToLive == Packet.DefaultTimeToLive).ToList();
        // A port that is searched gets one packet; the one candidate gets the plain punch's, and the one that answers the handshake's.
        return [.. tries.GroupBy(traced => traced.Destination).Where(to => to.Count() == 1).Select(to => (to.First().Source, to.Key))];
    }

    private static HashSet<(Endpoint Near, Endpoint Far)> TuplesAt(VirtualInternet internet, string router, Verdict verdict) =>
        [.. internet.Trace.Recent().Where(traced => traced.Place == router && traced.Verdict == verdict).Select(traced => (traced.Destination, traced.Source))];
}
