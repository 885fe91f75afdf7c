using Punchline.Protocols.Node;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Several processes of one peer: PROTOCOL §10.</summary>
public sealed class ProcessTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    [Fact]
    public void A_second_process_with_the_same_identity_supersedes_the_first()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var (friend, older) = (room.Peers[0], room.Peers[1]);
            var newer = room.AddPeer(NatBehavior.PortRestricted, older.Identity);
            room.Join(newer);
            Assert.True(internet.RunUntil(() => newer.IsConnectedTo(friend) && friend.EventsOf<NodeEvent.Connected>().Count() == 2, TimeSpan.FromSeconds(2)));
            internet.RunFor(TimeSpan.FromSeconds(60));

            // For the others the peer never left.
            Assert.Single(friend.EventsOf<NodeEvent.MemberJoined>());
            Assert.Empty(friend.EventsOf<NodeEvent.MemberLeft>());
            Assert.Equal("superseded", Assert.Single(friend.EventsOf<NodeEvent.Disconnected>()).Reason);
            // The older one is told by both, and does not come back.
            Assert.Single(older.EventsOf<NodeEvent.ServerReplaced>());
            Assert.Equal("superseded", Assert.Single(older.EventsOf<NodeEvent.Disconnected>()).Reason);
            Assert.Single(older.EventsOf<NodeEvent.Connected>());
            Assert.Empty(older.EventsOf<NodeEvent.Failed>());

            Assert.True(friend.Send("to the newer"));
            Assert.True(newer.Send("from the newer"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(["to the newer"], newer.TextsFrom(friend));
            Assert.Equal(["from the newer"], friend.TextsFrom(newer));
            Assert.Empty(older.TextsFrom(friend));
            Assert.Equal(0, friend.Undelivered);
        });
    }

    [Fact]
    public void What_the_older_process_did_not_get_reaches_the_newer_one()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var (friend, older) = (room.Peers[0], room.Peers[1]);
            older.Kill();
            Assert.True(friend.Send("one"));
            Assert.True(friend.Send("two"));
            internet.RunFor(TimeSpan.FromSeconds(5));
            var newer = room.AddPeer(NatBehavior.PortRestricted, older.Identity);
            room.Join(newer);
            Assert.True(internet.RunUntil(() => friend.Undelivered == 0, TimeSpan.FromSeconds(5)));
            Assert.Equal(["one", "two"], newer.TextsFrom(friend));
            Assert.Empty(friend.EventsOf<NodeEvent.MemberLeft>());
        });
    }

    // A server that replays a blob of an earlier process cannot end the connection to the present one.
    [Fact]
    public void An_introduction_that_leads_nowhere_ends_no_connection()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var (friend, peer) = (room.Peers[0], room.Peers[1]);
            var ghost = room.AddPeer(NatBehavior.PortRestricted, peer.Identity);
            // It is introduced, and at once as unreachable as a process that ended long ago.
            room.Sites[2].Uplink.Set(isUp: false);
            room.Join(ghost);
            internet.RunFor(TimeSpan.FromSeconds(60));
            Assert.Single(friend.EventsOf<NodeEvent.Connected>());
            Assert.Empty(friend.EventsOf<NodeEvent.Disconnected>());
            Assert.Empty(friend.EventsOf<NodeEvent.Failed>());
            Assert.True(friend.Send("still you?"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(["still you?"], peer.TextsFrom(friend));
        });
    }
}
