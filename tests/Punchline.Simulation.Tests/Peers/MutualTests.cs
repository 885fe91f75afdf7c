using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Members introduce each other: PROTOCOL §10.</summary>
public sealed class MutualTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    [Theory]
    [InlineData("symmetric")]
    [InlineData("symmetric in sequence")]
    public void A_symmetric_peer_and_a_port_restricted_one_meet_through_a_member_that_both_reach(string hard)
    {
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new DhtRoomScenario(internet, Link);
                var member = room.AddPeer(NatBehavior.FullCone);
                var symmetric = room.AddPeer(Network.Named(hard).Nat);
                var restricted = room.AddPeer(NatBehavior.PortRestricted);
                foreach (var peer in room.Peers) room.Join(peer);
                Assert.True(internet.RunUntil(() => member.IsConnectedTo(symmetric) && member.IsConnectedTo(restricted), TimeSpan.FromSeconds(10)));
                Assert.False(symmetric.IsConnectedTo(restricted));
                Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(40)));
                Assert.True(symmetric.Send("hello"));
                Assert.True(internet.RunUntil(() => symmetric.Undelivered == 0, TimeSpan.FromSeconds(2)));
                Assert.Equal(["hello"], restricted.TextsFrom(symmetric));
            }, hard);
        }
    }

    [Fact]
    public void Eight_peers_in_eight_networks_two_of_them_symmetric_form_the_mesh_but_for_those_two()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new DhtRoomScenario(internet, Link);
            string[] networks = ["open", "full cone", "address-restricted", "port-restricted", "moved port", "accepting", "symmetric", "symmetric"];
            foreach (var network in networks) room.Join(room.AddPeer(Network.Named(network).Nat));
            Assert.True(internet.RunUntil(
                () => room.Peers.All(one => room.Peers.Count(one.IsConnectedTo) >= (one == room.Peers[6] || one == room.Peers[7] ? 6 : 7)),
                TimeSpan.FromMinutes(20)));
        });
    }
}
