using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>What an attempt tells of the addresses that it tries.</summary>
public sealed class TrialTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    [Fact]
    public void Each_address_is_told_once_with_its_origin_before_the_connection()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.FullCone);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var (one, other) = (room.Peers[0], room.Peers[1]);
            var trials = one.EventsOf<NodeEvent.Trying>().ToList();
            Assert.All(trials, trying => Assert.Equal(other.Id, trying.Peer));
            Assert.Contains(new Trial(TrialKind.Reflexive, other.Node.Reflexive.Single()), trials.Where(trying => trying.Carrier == Carrier.Udp).SelectMany(trying => trying.Trials));
            foreach (var carrier in (Carrier[])[Carrier.Udp, Carrier.Tcp])
            {
                var told = trials.Where(trying => trying.Carrier == carrier).SelectMany(trying => trying.Trials).Select(trial => trial.Endpoint).ToList();
                Assert.Equal(told.Distinct(), told);
            }
            var events = one.Events.ToList();
            Assert.InRange(events.FindIndex(told => told is NodeEvent.Trying), events.FindIndex(told => told is NodeEvent.MemberJoined) + 1, events.FindIndex(told => told is NodeEvent.Connected) - 1);
        });
    }

    [Fact]
    public void A_search_is_told_by_both_sides()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.Symmetric);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(40)));
            foreach (var peer in room.Peers)
                Assert.Contains(peer.EventsOf<NodeEvent.Trying>().SelectMany(trying => trying.Trials), trial => trial is { Kind: TrialKind.Searched, Endpoint.Port: 0 });
        });
    }
}
