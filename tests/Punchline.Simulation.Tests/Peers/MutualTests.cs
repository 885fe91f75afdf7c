using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;
using Punchline.Simulation.Tracing;

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

    [Fact]
    public void Without_the_server_a_member_brings_two_together_whose_routers_have_both_moved()
    {
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
                var (member, one, other) = (room.Peers[0], room.Peers[1], room.Peers[2]);
                Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
                room.Server.Kill();
                internet.RunFor(TimeSpan.FromSeconds(20));
                internet.Rebind(room.Sites[1]);
                internet.Rebind(room.Sites[2]);
                Assert.True(one.Send("where are you?"));
                Assert.True(internet.RunUntil(() => one.Undelivered == 0, TimeSpan.FromSeconds(15)));
                Assert.Equal(["where are you?"], other.TextsFrom(one));
                Assert.Equal(["where are you?"], member.TextsFrom(one));
                internet.RunFor(TimeSpan.FromSeconds(30));
                Assert.True(room.IsFullMesh());
                Assert.All(room.Peers, peer => Assert.Empty(peer.EventsOf<NodeEvent.MemberLeft>()));
            });
        }
    }

    [Fact]
    public void Two_who_alone_are_connected_say_nothing_of_others_and_in_a_full_mesh_nobody_is_introduced()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open, NatBehavior.Open);
            room.Join(room.Peers[0]);
            room.Join(room.Peers[1]);
            Assert.True(internet.RunUntil(() => room.Peers[0].IsConnectedTo(room.Peers[1]), TimeSpan.FromSeconds(5)));
            internet.RunFor(TimeSpan.FromSeconds(5));
            Assert.Equal([1, 1], room.Peers.Take(2).Select(peer => peer.Node.Statistics.Streams / 2));
            room.Join(room.Peers[2]);
            Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(5)));
            internet.RunFor(TimeSpan.FromSeconds(5));
            // Two streams of chat with each of two, and two on which each says to whom it is connected.
            Assert.All(room.Peers, peer => Assert.Equal(8, peer.Node.Statistics.Streams));
        });
    }

    [Fact]
    public void A_hostile_member_has_others_probe_only_so_many_addresses_and_search_ports_only_so_often_in_an_hour()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.Open);
            var (peer, hostile) = (room.Peers[0], room.Peers[1]);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            internet.RunUntil(() => hostile.Application.Connections.Count > 0, TimeSpan.FromSeconds(5));
            room.Server.Kill();
            var connection = hostile.Application.Connections[0].Connection;
            Assert.True(connection.TryOpenStream(IntroductionFrame.Protocol, StreamDirection.Unidirectional, out var stream));
            var sent = new Dictionary<uint, int>();
            var victim = Endpoint.Parse("44.0.0.7:7000");
            peer.Sending = to => sent[to.IPv4] = sent.GetValueOrDefault(to.IPv4) + 1;
            var address = 0;
            for (var minute = 0; minute < 60; minute++)
            {
                // Others each minute, of which each has 29 addresses that nobody named before; ports are offered at the one address at which all of them were seen.
                var ghosts = Enumerable.Range(0, RoomSession.MaxHearsayOfOne).Select(_ => Ghost(internet, peer, victim, ref address)).ToList();
                connection.Write(stream, IntroductionFrame.WriteConnected([.. ghosts.Select(ghost => PortOffer.TargetOf(ghost.Id))]));
                foreach (var ghost in ghosts) connection.Write(stream, IntroductionFrame.WriteMember(ghost, victim));
                internet.RunFor(TimeSpan.FromMinutes(1));
            }
            Assert.InRange(sent.Keys.Count(to => to >> 24 == 44), HearsayBudget.MaxAddressesOfOne - 8, HearsayBudget.MaxAddressesOfOne);
            // The rest are what any address may get without an answer.
            Assert.InRange(
                sent[victim.IPv4],
                2 * SearchBudget.MaxProbes,
                (HearsayBudget.MaxSearchesOfAddress * SearchBudget.MaxProbes) + (60 * ProbeBudget.MaxPacketsPerAddressAndMinute));
        });
    }

    private static IntroductionBlob Ghost(VirtualInternet internet, SimulatedPeer target, Endpoint seen, ref int address)
    {
        using var key = P256KeyPair.Generate(internet.NewRandom());
        var candidates = new List<Candidate> { new(CandidateKind.ServerReflexive, seen) };
        while (candidates.Count < Candidate.MaxPerPeer) candidates.Add(new Candidate(CandidateKind.ServerReflexive, Endpoint.Parse($"44.{++address >> 16}.{(address >> 8) & 255}.{address & 255}:7000")));
        return new IntroductionBlob(key.PublicKey.ToArray(), InstanceId.Generate(internet.NewRandom()), 1, "ghost", candidates)
        {
            Profile = new NetworkProfile { Mapping = MappingBehavior.AddressAndPortDependent, Allocation = Protocols.Traversal.PortAllocation.Random, FirstPort = NetworkProfile.LowestPort, LastPort = ushort.MaxValue },
            Offers = [new PortOffer(PortOffer.TargetOf(target.Id), seen.WithPort(NetworkProfile.LowestPort), ushort.MaxValue, 256)],
        };
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Ghosts_of_a_hostile_member_are_few_cost_their_address_little_and_go_with_it(bool isServed)
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open, NatBehavior.Open);
            var (peer, hostile, genuine) = (room.Peers[0], room.Peers[1], room.Peers[2]);
            room.Join(peer);
            room.Join(hostile);
            Assert.True(internet.RunUntil(() => peer.IsConnectedTo(hostile) && hostile.Application.Connections.Count > 0, TimeSpan.FromSeconds(5)));
            if (!isServed) room.Server.Kill();
            var machine = internet.AddServer("named by all");

            var ghosts = new List<PeerId>();
            var connection = hostile.Application.Connections[0].Connection;
            Assert.True(connection.TryOpenStream(IntroductionFrame.Protocol, StreamDirection.Unidirectional, out var stream));
            for (var i = 0; i < 200; i++)
            {
                using var key = P256KeyPair.Generate(internet.NewRandom());
                var ghost = new IntroductionBlob(key.PublicKey.ToArray(), InstanceId.Generate(internet.NewRandom()), 1, "ghost", [new Candidate(CandidateKind.ServerReflexive, machine.At(7_000))]);
                ghosts.Add(ghost.Id);
                var frame = IntroductionFrame.WriteMember(ghost, machine.At(7_000));
                Assert.Equal(frame.Length, connection.Write(stream, frame));
            }
            connection.Write(stream, IntroductionFrame.WriteConnected([.. ghosts.Take(IntroductionFrame.MaxConnected).Select(PortOffer.TargetOf)]));
            internet.RunFor(TimeSpan.FromSeconds(50));
            Assert.InRange(peer.EventsOf<NodeEvent.MemberJoined>().Count(joined => ghosts.Contains(joined.Peer)), 1, RoomSession.MaxHearsayOfOne);
            Assert.InRange(internet.Trace.Recent().Count(entry => entry.Place == peer.Name && entry.Verdict == Verdict.Sent && entry.Destination == machine.At(7_000)), 1, ProbeBudget.MaxPacketsPerAddressAndMinute);

            if (isServed)
            {
                room.Join(genuine);
                Assert.True(internet.RunUntil(() => peer.IsConnectedTo(genuine), TimeSpan.FromSeconds(2)));
            }
            hostile.Leave();
            Assert.True(internet.RunUntil(
                () => peer.EventsOf<NodeEvent.MemberLeft>().Count(left => ghosts.Contains(left.Peer)) == peer.EventsOf<NodeEvent.MemberJoined>().Count(joined => ghosts.Contains(joined.Peer)),
                PunchPlan.Duration + RoomSession.SilenceLimit));
        }, $"{isServed}");
    }
}
