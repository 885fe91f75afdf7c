using Punchline.Protocols.Node;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Gateways;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Rooms whose members find each other in the DHT, with no server anywhere.</summary>
public sealed class DhtRoomTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    [Theory]
    [InlineData("open", "port-restricted")]
    [InlineData("full cone", "address-restricted")]
    [InlineData("port-restricted", "port-restricted")]
    [InlineData("moved port", "port-restricted")]
    [InlineData("rejecting", "port-restricted")]
    [InlineData("symmetric", "full cone")]
    public void Two_peers_behind_routers_meet_within_ten_seconds(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new DhtRoomScenario(internet, Link);
                var one = room.AddPeer(Network.Named(first).Nat);
                var other = room.AddPeer(Network.Named(second).Nat);
                room.Join(one);
                room.Join(other);
                Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(10)));
                Assert.True(one.Send("hello"));
                Assert.True(internet.RunUntil(() => one.Undelivered == 0, TimeSpan.FromSeconds(2)));
                Assert.Equal(["hello"], other.TextsFrom(one));
                Assert.Single(one.EventsOf<NodeEvent.MemberJoined>());
                Assert.Single(other.EventsOf<NodeEvent.MemberJoined>());
            }, $"{first} {second}");
        }
    }

    [Theory]
    [InlineData("dual stack, symmetric IPv4", "dual stack, symmetric IPv4")]
    [InlineData("dual stack", "dual stack, symmetric IPv4")]
    [InlineData("IPv6 only", "IPv6 only")]
    [InlineData("IPv6 only", "dual stack")]
    [InlineData("IPv6 only, NAT64", "dual stack, open IPv6")]
    public void Two_peers_with_IPv6_meet_by_it_in_a_DHT_of_both_networks(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new DhtRoomScenario(internet, Link, haveIPv6: true);
                var (one, other) = (room.AddPeer(Network.Named(first)), room.AddPeer(Network.Named(second)));
                room.Join(one);
                room.Join(other);
                Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(10)));
                internet.RunFor(TimeSpan.FromSeconds(10));
                Assert.All(room.Peers, peer => Assert.False((peer.EventsOf<NodeEvent.PathChanged>().LastOrDefault()?.Path ?? peer.EventsOf<NodeEvent.Connected>().Last().Path).Remote.IsIPv4));
            }, $"{first} {second}");
        }
    }

    [Theory]
    [InlineData("port-restricted", "dual stack")]
    [InlineData("port-restricted", "IPv6 only, NAT64")]
    public void Peers_without_IPv6_are_met_by_IPv4_in_that_DHT(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new DhtRoomScenario(internet, Link, haveIPv6: true);
                room.Join(room.AddPeer(Network.Named(first)));
                room.Join(room.AddPeer(Network.Named(second)));
                Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(10)));
            }, $"{first} {second}");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_room_of_eight_two_of_whose_routers_count_forms_a_full_mesh(bool hasDoubtful)
    {
        NatBehavior[] networks =
        [
            NatBehavior.ConeRandomPort, NatBehavior.PortRestricted, NatBehavior.FullCone, NatBehavior.AddressRestricted, NatBehavior.PortRestricted,
            NatBehavior.PortRestrictedRejecting, NatBehavior.SymmetricSequential, NatBehavior.SymmetricSequential,
        ];
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new DhtRoomScenario(internet, Link, hasDoubtful: hasDoubtful);
                foreach (var network in networks) room.Join(room.AddPeer(network));
                // With doubtful nodes the one or other bracket is for nothing, and the next asks another.
                Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(hasDoubtful ? 90 : 20)));
                Assert.All(room.Peers.TakeLast(2), peer => Assert.Equal(Protocols.Traversal.PortAllocation.Sequential, peer.Node.Profile.Allocation));
                Assert.Equal(hasDoubtful, room.Doubtful > 0);
                if (!hasDoubtful) Assert.All(room.Peers, peer => Assert.InRange(peer.Node.Statistics.SearchMappings, 0u, (ulong)SearchBudget.MaxMappings));
            }, $"{hasDoubtful}");
        }
    }

    [Theory]
    [InlineData("symmetric in sequence", "port-restricted")]
    [InlineData("symmetric in sequence", "moved port")]
    [InlineData("symmetric in sequence", "symmetric in sequence")]
    [InlineData("symmetric", "port-restricted")]
    public void A_member_that_is_connected_to_both_is_enough_for_a_search_without_any_server(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new DhtRoomScenario(internet, Link);
                room.Join(room.AddPeer(NatBehavior.FullCone));
                room.Join(room.AddPeer(Network.Named(first).Nat));
                room.Join(room.AddPeer(Network.Named(second).Nat));
                Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(first == "symmetric" ? 40 : 10)));
            }, $"{first} {second}");
        }
    }

    [Fact] // three searches of some 256 mappings each, of which a router gets 256 and then a minute's pause
    public void Who_waits_for_a_search_is_told_so_and_has_its_turn_without_doubled_pauses()
    {
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new DhtRoomScenario(internet, Link);
                var hard = room.AddPeer(NatBehavior.Symmetric);
                room.AddPeer(NatBehavior.FullCone);
                for (var i = 0; i < 3; i++) room.AddPeer(NatBehavior.PortRestricted);
                foreach (var peer in room.Peers) room.Join(peer);
                // Each turn is an attempt of 20 s, or 30 with its search, and a minute; without doubled pauses.
                Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(10) + (3 * (PeerSession.SearchDuration + SearchBudget.Pause))));
                Assert.Contains(hard.EventsOf<NodeEvent.Trying>(), trying => trying.Progress == PunchProgress.OfTurn);
            });
        }
    }

    [Fact]
    public void A_gateway_is_asked_for_a_port_without_any_server_and_leads_out_of_a_router_that_draws()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new DhtRoomScenario(internet, Link);
            var mapped = room.AddPeer(NatBehavior.Symmetric);
            mapped.UseGateway(new SimulatedGateway(internet, mapped.Machine.Site!, GatewayBehavior.OfAll));
            foreach (var peer in (SimulatedPeer[])[mapped, room.AddPeer(NatBehavior.FullCone), room.AddPeer(NatBehavior.PortRestricted), room.AddPeer(NatBehavior.Symmetric)]) room.Join(peer);
            Assert.True(internet.RunUntil(() => room.Peers.Skip(1).All(mapped.IsConnectedTo), TimeSpan.FromSeconds(20)));
            Assert.Contains(mapped.EventsOf<NodeEvent.Connected>(), connected => connected.IsMapped);
        });
    }

    [Fact]
    public void Two_routers_that_draw_from_all_ports_are_told_to_be_without_hope_in_seconds()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new DhtRoomScenario(internet, Link);
            room.Join(room.AddPeer(NatBehavior.FullCone));
            room.Join(room.AddPeer(NatBehavior.Symmetric));
            room.Join(room.AddPeer(NatBehavior.Symmetric));
            Assert.True(internet.RunUntil(() => room.Peers.Skip(1).All(peer => peer.EventsOf<NodeEvent.Failed>().Any()), TimeSpan.FromSeconds(10)));
            Assert.All(room.Peers.Skip(1), peer => Assert.Equal(PunchFailure.SymmetricBoth, peer.EventsOf<NodeEvent.Failed>().First().Failure.Cause));
        });
    }

    [Fact]
    public void Whoever_comes_minutes_later_is_met_when_the_others_look_again_and_the_first_ones_death_changes_nothing()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new DhtRoomScenario(internet, Link);
            var first = room.AddPeer(NatBehavior.PortRestricted);
            var second = room.AddPeer(NatBehavior.PortRestricted);
            room.Join(first);
            room.Join(second);
            Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(10)));
            internet.RunFor(TimeSpan.FromMinutes(5));
            first.Kill();
            internet.RunFor(TimeSpan.FromSeconds(20));
            Assert.Equal(first.Id, Assert.Single(second.EventsOf<NodeEvent.MemberLeft>()).Peer);
            var third = room.AddPeer(NatBehavior.PortRestricted);
            room.Join(third);
            Assert.True(internet.RunUntil(room.IsFullMesh, RoomInDht.MaxPollInterval + TimeSpan.FromSeconds(10)));
            Assert.Equal(second.Id, Assert.Single(third.EventsOf<NodeEvent.MemberJoined>()).Peer);
        });
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(3)]
    public void Clocks_that_differ_by_three_minutes_meet_across_the_border_of_the_hour(int minutes)
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new DhtRoomScenario(internet, Link);
            var one = room.AddPeer(NatBehavior.PortRestricted);
            var other = room.AddPeer(NatBehavior.PortRestricted);
            var border = TimeSpan.FromHours(495_001) - TimeSpan.FromMinutes(1);
            room.Join(one, border);
            room.Join(other, border + TimeSpan.FromMinutes(minutes));
            Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(20)));
            // Each has gone over into the next hour, and whoever comes then finds both.
            internet.RunFor(TimeSpan.FromMinutes(10));
            var third = room.AddPeer(NatBehavior.PortRestricted);
            room.Join(third, border + TimeSpan.FromMinutes(11));
            Assert.True(internet.RunUntil(room.IsFullMesh, RoomInDht.MaxPollInterval + TimeSpan.FromSeconds(10)));
        }, $"{minutes}");
    }

    [Fact]
    public void Strangers_under_the_topic_get_ten_hellos_each_and_nothing_more_for_ten_minutes()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new DhtRoomScenario(internet, Link);
            var strangers = Enumerable.Range(0, 6).Select(i => room.Squat(room.Topic, internet.AddServer($"stranger-{i}"), 7_000)).ToList();
            internet.RunFor(TimeSpan.FromSeconds(10));
            var one = room.AddPeer(NatBehavior.PortRestricted);
            var other = room.AddPeer(NatBehavior.PortRestricted);
            room.Join(one);
            Assert.True(internet.RunUntil(() => strangers.TrueForAll(stranger => stranger.Received.Count > 0), TimeSpan.FromSeconds(10)));
            room.Join(other);
            Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(10)));
            internet.RunFor(TimeSpan.FromMinutes(9));
            // Two peers ask each. Their openers die behind their own routers, of which they know that there is one.
            Assert.All(strangers, stranger => Assert.Equal(20, stranger.Received.Count(packet => packet.Datagram[0] == (byte)ContactKind.Hello)));
            Assert.All(strangers, stranger => Assert.Equal(20, stranger.Received.Count));
            Assert.Single(one.EventsOf<NodeEvent.MemberJoined>());
        });
    }

    [Fact]
    public void Whoever_replays_a_members_packets_from_elsewhere_gets_answers_no_longer_than_they_are_and_introduces_nobody()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new DhtRoomScenario(internet, Link);
            var one = room.AddPeer(NatBehavior.Open);
            var other = room.AddPeer(NatBehavior.Open);
            var overheard = new List<byte[]>();
            one.Overheard = (_, datagram) =>
            {
                if (datagram[0] is >= (byte)ContactKind.Hello and <= (byte)ContactKind.Introduction) overheard.Add(datagram.ToArray());
            };
            room.Join(one);
            room.Join(other);
            Assert.True(internet.RunUntil(room.IsFullMesh, TimeSpan.FromSeconds(10)));
            Assert.Equal([ContactKind.Hello, ContactKind.Answer, ContactKind.Introduction], overheard.Select(packet => (ContactKind)packet[0]).Distinct().Order());
            other.Kill();
            internet.RunFor(TimeSpan.FromSeconds(20));
            var events = one.Events.Count(e => e is NodeEvent.MemberJoined);
            var machine = internet.AddServer("attacker");
            var attacker = new ScriptedHost();
            machine.Bind(7_000, attacker);
            for (var i = 0; i < 10; i++)
            {
                foreach (var packet in overheard) attacker.Send(one.Machine.At(SimulatedPeer.Port), packet);
            }
            internet.RunFor(TimeSpan.FromSeconds(2));
            Assert.Equal(events, one.Events.Count(e => e is NodeEvent.MemberJoined));
            Assert.Equal(0, one.Node.Statistics.Connections);
            // What may go to an address before anything authentic has come from it.
            Assert.InRange(attacker.Received.Count, 1, ProbeBudget.MaxPacketsPerEndpoint);
            Assert.All(attacker.Received, packet => Assert.Equal((ContactPacket.Length, (byte)ContactKind.Answer), (packet.Datagram.Length, packet.Datagram[0])));
        });
    }
}
