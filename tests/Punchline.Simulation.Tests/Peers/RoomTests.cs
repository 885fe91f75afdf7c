using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Rooms as their members see them: who comes, who goes, and when.</summary>
public sealed class RoomTests
{
    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(20);
    private static readonly LinkConditions Link = LinkConditions.Of(OneWay.TotalMilliseconds);

    // Two links a way.
    private static readonly TimeSpan Arrival = 2 * OneWay;

    [Fact]
    public void Five_peers_in_five_networks_all_connect_to_all_and_every_message_reaches_everybody_once()
    {
        foreach (var seed in SimulationSeeds.Take(10))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new RoomScenario(
                    internet, Link, NatBehavior.Open, NatBehavior.FullCone, NatBehavior.AddressRestricted, NatBehavior.PortRestricted, NatBehavior.PortRestrictedAccepting);
                Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
                foreach (var peer in room.Peers)
                {
                    Assert.Equal(4, peer.EventsOf<NodeEvent.MemberJoined>().Count());
                    Assert.Equal(4, peer.EventsOf<NodeEvent.Connected>().Count());
                    Assert.True(peer.Send($"hello from {peer.Name}"));
                }
                Assert.True(internet.RunUntil(() => room.Peers.All(peer => peer.Undelivered == 0), TimeSpan.FromSeconds(2)));
                foreach (var peer in room.Peers)
                {
                    foreach (var other in room.Peers.Where(other => other != peer)) Assert.Equal([$"hello from {other.Name}"], peer.TextsFrom(other));
                    Assert.Equal(4, peer.EventsOf<NodeEvent.MessageDelivered>().Count());
                    Assert.Empty(peer.EventsOf<NodeEvent.Disconnected>());
                }
            });
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whoever_leaves_is_seen_leaving_at_once(bool isServed)
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = MeetingOf(internet, 3);
            if (!isServed) room.Server.Kill();
            internet.RunFor(TimeSpan.FromSeconds(1));
            var leaver = room.Peers[2];
            leaver.Leave();
            internet.RunFor(Arrival);
            foreach (var peer in room.Peers.Take(2))
            {
                var left = Assert.Single(peer.EventsOf<NodeEvent.MemberLeft>());
                Assert.Equal((leaver.Id, DepartureReason.Left), (left.Peer, left.Reason));
                Assert.Single(peer.EventsOf<NodeEvent.Disconnected>());
                Assert.True(peer.IsConnectedTo(room.Peers[0]) || peer.IsConnectedTo(room.Peers[1]));
            }
        }, isServed ? "served" : "unserved");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Whoever_is_killed_is_gone_15_to_17_s_after_its_last_sign_of_life(bool isServed)
    {
        foreach (var seed in SimulationSeeds.Take(10))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = MeetingOf(internet, 2);
                if (!isServed) room.Server.Kill();
                internet.RunFor(TimeSpan.FromMilliseconds(1_000 + (1_700 * (double)seed)));
                var (survivor, victim) = (room.Peers[0], room.Peers[1]);
                victim.Kill();
                Assert.True(internet.RunUntil(() => survivor.EventsOf<NodeEvent.MemberLeft>().Any(), TimeSpan.FromSeconds(40)));
                Assert.InRange(internet.Now - victim.LastSent, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(17) + Arrival);
                var left = Assert.Single(survivor.EventsOf<NodeEvent.MemberLeft>());
                Assert.Equal((victim.Id, DepartureReason.Timeout), (left.Peer, left.Reason));
            }, isServed ? "served" : "unserved");
        }
    }

    // Served connections prove themselves every 15 s, so that one lost proof makes a silence longer than the limit without a
    // server: when it dies, they get time to answer.
    [Fact]
    public void Nobody_is_taken_for_dead_because_the_server_died()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = MeetingOf(internet, 2);
            var (one, other) = (room.Peers[0], room.Peers[1]);
            for (var steps = 0; internet.Now - one.LastData < TimeSpan.FromSeconds(14.5); steps++)
            {
                Assert.True(steps < 3_000, "The connection was never quiet for so long.");
                internet.RunFor(TimeSpan.FromMilliseconds(10));
            }
            room.Sites[1].Uplink.Set(isUp: false);
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.InRange(internet.Now - one.LastData, TimeSpan.FromSeconds(15.5), TimeSpan.FromSeconds(15.6));
            room.Server.Kill();
            internet.RunFor(TimeSpan.FromMilliseconds(500));
            room.Sites[1].Uplink.Set(isUp: true);
            internet.RunFor(TimeSpan.FromSeconds(60));
            Assert.Empty(one.EventsOf<NodeEvent.MemberLeft>());
            Assert.Empty(other.EventsOf<NodeEvent.MemberLeft>());
            Assert.Single(one.EventsOf<NodeEvent.ServerLost>());
        });
    }

    [Fact]
    public void A_member_that_only_the_server_lost_stays()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = MeetingOf(internet, 2);
            var (one, other) = (room.Peers[0], room.Peers[1]);
            // Its heartbeats no longer reach the server, which gives it up 15 s later.
            other.CutServer();
            internet.RunFor(TimeSpan.FromSeconds(120));
            Assert.Empty(one.EventsOf<NodeEvent.MemberLeft>());
            Assert.True(one.Send("still there?"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(["still there?"], other.TextsFrom(one));
        });
    }

    [Fact]
    public void A_pair_without_a_way_fails_once_and_soon_with_cause_and_advice()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Symmetric, NatBehavior.Symmetric);
            room.JoinAll();
            internet.RunFor(TimeSpan.FromSeconds(90));
            foreach (var peer in room.Peers)
            {
                var failed = Assert.Single(peer.EventsOf<NodeEvent.Failed>());
                Assert.Equal(PunchFailure.SymmetricBoth, failed.Failure.Cause);
                Assert.NotEmpty(failed.Failure.Advice);
                Assert.Contains("in 0.8 s", failed.Failure.Detail, StringComparison.Ordinal);
                Assert.Empty(peer.EventsOf<NodeEvent.Connected>());
                Assert.Empty(peer.EventsOf<NodeEvent.MemberLeft>());
            }
        });
    }

    [Fact]
    public void Where_udp_is_blocked_the_failure_says_so_exactly_20_s_after_the_introduction()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            foreach (var site in room.Sites) site.Uplink.Set(isUp: false);
            room.JoinAll();
            var (one, other) = (room.Peers[0], room.Peers[1]);
            Assert.True(internet.RunUntil(() => one.EventsOf<NodeEvent.MemberJoined>().Any(), TimeSpan.FromSeconds(1)));
            var learned = internet.Now;
            Assert.True(internet.RunUntil(() => one.EventsOf<NodeEvent.Failed>().Any(), TimeSpan.FromSeconds(30)));
            Assert.Equal(PunchPlan.Duration, internet.Now - learned);
            internet.RunFor(TimeSpan.FromSeconds(60));
            // Neither has an address that the other could probe: there is no server-reflexive one, and the private ones are another network's.
            Assert.Equal(PunchFailure.NoCandidates, Assert.Single(one.EventsOf<NodeEvent.Failed>()).Failure.Cause);
            Assert.Equal(PunchFailure.NoCandidates, Assert.Single(other.EventsOf<NodeEvent.Failed>()).Failure.Cause);
        });
    }

    [Fact]
    public void Whoever_cannot_be_reached_does_not_keep_the_others_waiting()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Symmetric, NatBehavior.Symmetric, NatBehavior.Open);
            room.JoinAll();
            internet.RunFor(TimeSpan.FromSeconds(30));
            var (sender, receiver) = (room.Peers[0], room.Peers[2]);
            Assert.Single(sender.EventsOf<NodeEvent.Failed>());
            const int Count = 5_000; // more than a member may leave unacknowledged
            for (var sent = 0; sent < Count; sent += 100)
            {
                for (var i = 0; i < 100; i++) Assert.True(sender.Send("x"));
                internet.RunFor(TimeSpan.FromMilliseconds(200));
            }
            Assert.Equal(Count, receiver.TextsFrom(sender).Count());
            Assert.Equal(0, sender.Undelivered);
        });
    }

    // 1,024 events wait in the node and some more with the member's chat: what was acknowledged is told before the member is gone.
    [Fact]
    public void Who_is_behind_hears_what_a_member_said_before_it_hears_that_it_left()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = MeetingOf(internet, 2);
            var (listener, speaker) = (room.Peers[0], room.Peers[1]);
            listener.TakesEvents = false;
            for (var i = 1; i <= RoomSession.MaxPendingEvents + 2_000; i++) Assert.True(speaker.Send($"{i}"));
            internet.RunFor(TimeSpan.FromSeconds(5));
            var delivered = speaker.EventsOf<NodeEvent.MessageDelivered>().Count();
            Assert.InRange(delivered, RoomSession.MaxPendingEvents + 256, RoomSession.MaxPendingEvents + 1_999);
            speaker.Leave();
            internet.RunFor(TimeSpan.FromSeconds(1));
            listener.TakesEvents = true;
            internet.RunFor(TimeSpan.FromSeconds(20));
            Assert.IsType<NodeEvent.MemberLeft>(listener.Events[^1]);
            Assert.IsType<NodeEvent.Disconnected>(listener.Events[^2]);
            Assert.Equal(Enumerable.Range(1, delivered).Select(i => $"{i}"), listener.TextsFrom(speaker));
        });
    }

    [Fact]
    public void After_everything_is_closed_no_route_is_left()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.PortRestricted, NatBehavior.Symmetric);
            room.JoinAll();
            internet.RunFor(TimeSpan.FromSeconds(30));
            Assert.All(room.Peers, peer => Assert.InRange(peer.Node.RouteCount, 2 + 5, 2 * (1 + 5))); // a hint each, and for a connection four ids and a token
            foreach (var peer in room.Peers) peer.Leave();
            internet.RunFor(TimeSpan.FromSeconds(5));
            foreach (var peer in room.Peers)
            {
                Assert.False(peer.IsClosing);
                peer.CloseRoom();
                Assert.Equal(0, peer.Node.RouteCount);
                Assert.Equal(0, peer.Node.OpenPathCount);
            }
        });
    }

    [Fact]
    public void Whoever_left_is_not_connected_to_any_more()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open);
            room.JoinAll();
            Assert.True(internet.RunUntil(() => room.Peers[0].EventsOf<NodeEvent.MemberJoined>().Any(), TimeSpan.FromSeconds(1)));
            room.Peers[0].Leave();
            internet.RunFor(TimeSpan.FromSeconds(30));
            Assert.Empty(room.Peers[0].EventsOf<NodeEvent.Connected>());
            Assert.Empty(room.Peers[1].EventsOf<NodeEvent.Connected>());
        });
    }

    [Fact]
    public void One_seed_is_one_meeting_to_the_byte()
    {
        string Meet(ulong seed) => SimulationRun.Check(seed, internet =>
        {
            using var room = new RoomScenario(
                internet, LinkConditions.Of(20, loss: 0.05) with { Jitter = TimeSpan.FromMilliseconds(10), Reordering = 0.05 }, NatBehavior.PortRestricted, NatBehavior.FullCone, NatBehavior.Open);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(20)));
            foreach (var peer in room.Peers) Assert.True(peer.Send(new string('x', 20_000)));
            internet.RunFor(TimeSpan.FromSeconds(20));
            room.Peers[0].Leave();
            internet.RunFor(TimeSpan.FromSeconds(2));
        });
        foreach (var seed in SimulationSeeds.Take(3)) Assert.Equal(Meet(seed), Meet(seed));
        Assert.NotEqual(Meet(1), Meet(2));
    }

    private static RoomScenario MeetingOf(VirtualInternet internet, int peers)
    {
        var room = new RoomScenario(internet, Link, Enumerable.Repeat(NatBehavior.PortRestricted, peers));
        Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
        return room;
    }
}
