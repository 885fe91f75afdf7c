using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>A room of 64, and what happens beyond it.</summary>
public sealed class FullRoomTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    private static readonly NatBehavior[] Kinds = [NatBehavior.Open, NatBehavior.FullCone, NatBehavior.AddressRestricted, NatBehavior.PortRestricted];

    // The last to come answers up to 63, three agreements each of the 50 a second: 4 s, and the flights are 2 and 4 s apart by then.
    [Fact]
    public void Sixty_four_connect_to_each_other_and_every_message_reaches_all_the_others_once()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, Enumerable.Range(0, CoordinationLimits.MaxMembersPerRoom).Select(i => Kinds[i % Kinds.Length]));
            room.JoinAll();
            // Looked at twice a second: who is connected to whom is a question to each of 4,032 pairs.
            for (var i = 0; i < 20 && !room.IsFullMesh(); i++) internet.RunFor(TimeSpan.FromMilliseconds(500));
            Assert.True(room.IsFullMesh(), "Not all met within 10 s.");
            foreach (var peer in room.Peers) Assert.True(peer.Send($"hello from {peer.Name}"));
            internet.RunFor(TimeSpan.FromSeconds(2));
            Assert.All(room.Peers, peer => Assert.Equal(0, peer.Undelivered));
            foreach (var peer in room.Peers)
            {
                Assert.Equal(63, peer.EventsOf<NodeEvent.Connected>().Count());
                Assert.Empty(peer.EventsOf<NodeEvent.Disconnected>());
                Assert.Equal(63, peer.EventsOf<NodeEvent.MessageDelivered>().Count());
                Assert.Equal(
                    room.Peers.Where(other => other != peer).Select(other => $"hello from {other.Name}").Order(StringComparer.Ordinal),
                    peer.EventsOf<NodeEvent.MessageReceived>().Select(message => message.Text).Order(StringComparer.Ordinal));
            }

            // One more is one too many, and a place that comes free is a place.
            var late = room.AddPeer(NatBehavior.Open);
            room.Join(late);
            internet.RunFor(TimeSpan.FromSeconds(1));
            var refused = Assert.Single(late.EventsOf<NodeEvent.ServerRefused>());
            Assert.Equal((CoordinationErrorCode.RoomFull, "The room is full."), (refused.Code, refused.Message));
            Assert.Empty(late.EventsOf<NodeEvent.MemberJoined>());
            Assert.All(room.Peers.Take(64), peer => Assert.Equal(63, peer.EventsOf<NodeEvent.MemberJoined>().Count()));
            room.Peers[0].Leave();
            var next = room.AddPeer(NatBehavior.Open);
            internet.RunFor(TimeSpan.FromSeconds(1));
            room.Join(next);
            internet.RunFor(TimeSpan.FromSeconds(10));
            Assert.Equal(63, next.EventsOf<NodeEvent.Connected>().Count());
        });
    }

    // A server that starts again while others are quicker to come is full: whoever was in comes again until it is not.
    [Fact]
    public void A_member_that_finds_no_place_at_the_new_server_stays_connected_and_gets_the_first_that_comes_free()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            foreach (var peer in room.Peers) peer.ComesBack = true;
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            room.Server.Capacity = new CoordinationCapacity { MaxMembers = 2 };
            room.Server.Restart();
            internet.RunFor(TimeSpan.FromSeconds(120));
            // Each heard once that the server was gone; the third of them has not been in since.
            Assert.All(room.Peers, peer => Assert.Single(peer.EventsOf<NodeEvent.ServerLost>()));
            var third = Assert.Single(room.Peers, peer => peer.EventsOf<NodeEvent.ServerJoined>().Count() == 1);
            Assert.Empty(third.EventsOf<NodeEvent.ServerRefused>());
            Assert.True(room.IsFullMesh());
            Assert.All(room.Peers, peer => Assert.Empty(peer.EventsOf<NodeEvent.MemberLeft>()));
            // The first place that comes free is its: within the longest pause, half as much again by chance.
            room.Peers.First(peer => peer != third).Leave();
            Assert.True(internet.RunUntil(() => third.EventsOf<NodeEvent.ServerJoined>().Count() == 2, TimeSpan.FromSeconds(46)));
        });
    }

    [Fact]
    public void A_first_join_that_finds_the_server_full_is_refused()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open);
            room.Server.Capacity = new CoordinationCapacity { MaxMembers = 1 };
            room.Server.Restart();
            foreach (var peer in room.Peers) peer.ComesBack = true;
            room.JoinAll();
            internet.RunFor(TimeSpan.FromSeconds(60));
            Assert.Single(room.Peers[0].EventsOf<NodeEvent.ServerJoined>());
            Assert.Equal(CoordinationErrorCode.ServerFull, Assert.Single(room.Peers[1].EventsOf<NodeEvent.ServerRefused>()).Code);
        });
    }

    // Away for longer than the others wait, with what was said just before on its way: they come back as the same processes.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_was_taken_for_gone_and_comes_back_gets_what_was_said_before_and_nothing_twice(bool isServed)
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            foreach (var peer in room.Peers) peer.ComesBack = true;
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var (here, away) = (room.Peers[0], room.Peers[1]);
            Assert.True(here.Send("before"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            if (!isServed) room.Server.Kill();
            room.Sites[1].Uplink.Set(isUp: false);
            away.CutServer();
            Assert.True(here.Send("on its way"));
            Assert.True(away.Send("unheard"));
            internet.RunFor(TimeSpan.FromSeconds(60));
            Assert.Single(here.EventsOf<NodeEvent.MemberLeft>());
            Assert.True(here.Send("not for one who is gone"));
            if (!isServed) room.Server.Restart();
            room.Sites[1].Uplink.Set(isUp: true);
            Assert.True(internet.RunUntil(() => here.EventsOf<NodeEvent.Connected>().Count() == 2, TimeSpan.FromSeconds(90)));
            internet.RunFor(TimeSpan.FromSeconds(5));
            Assert.Equal(["before", "on its way"], away.TextsFrom(here));
            Assert.Equal(["unheard"], here.TextsFrom(away));
            Assert.Equal(0, here.Undelivered + away.Undelivered);
        }, isServed ? "served" : "unserved");
    }
}
