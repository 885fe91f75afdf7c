using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>What an attempt tells of the addresses that it probes.</summary>
public sealed class ProbingTests
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
            var trials = one.EventsOf<NodeEvent.Probing>().ToList();
            Assert.All(trials, probing => Assert.Equal(other.Id, probing.Peer));
            Assert.Contains(new Trial(TrialKind.Reflexive, other.Node.Reflexive.Single()), trials.Where(probing => probing.Carrier == Carrier.Udp).SelectMany(probing => probing.Trials));
            foreach (var carrier in (Carrier[])[Carrier.Udp, Carrier.Tcp])
            {
                var told = trials.Where(probing => probing.Carrier == carrier).SelectMany(probing => probing.Trials).Select(trial => trial.Endpoint).ToList();
                Assert.Equal(told.Distinct(), told);
            }
            var events = one.Events.ToList();
            Assert.InRange(events.FindIndex(told => told is NodeEvent.Probing), events.FindIndex(told => told is NodeEvent.MemberJoined) + 1, events.FindIndex(told => told is NodeEvent.Connected) - 1);
        });
    }
}
