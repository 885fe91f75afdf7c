using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Peers of whom one wants nothing.</summary>
public sealed class BlockTests
{
    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(20);
    private static readonly LinkConditions Link = LinkConditions.Of(OneWay.TotalMilliseconds);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Fact]
    public void A_connection_is_closed_and_not_made_again_until_the_block_is_over()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.FullCone, NatBehavior.PortRestricted);
            Assert.True(room.JoinAllAndConnect(Patience));
            var (careful, eve, friend) = (room.Peers[0], room.Peers[1], room.Peers[2]);

            careful.Node.SetBlocked(eve.Id, isBlocked: true, internet.Now);
            internet.RunFor(2 * OneWay);
            Assert.Equal((eve.Id, "blocked"), Assert.Single(careful.EventsOf<NodeEvent.Disconnected>().Select(ended => (ended.Peer, ended.Reason))));
            Assert.Equal((eve.Id, PunchFailure.Blocked), Assert.Single(careful.EventsOf<NodeEvent.Failed>().Select(failed => (failed.Peer, failed.Failure.Cause))));
            // To the one who is blocked it looks like leaving.
            Assert.Equal((careful.Id, DepartureReason.Left), Assert.Single(eve.EventsOf<NodeEvent.MemberLeft>().Select(left => (left.Peer, left.Reason))));

            Assert.True(careful.Send("not for eve"));
            Assert.True(eve.Send("let me in"));
            // It comes back, by the server and by whoever has both.
            eve.CutServer();
            internet.RunFor(TimeSpan.FromMinutes(2));
            Assert.Equal(0, careful.Undelivered);
            Assert.False(careful.IsConnectedTo(eve) || eve.IsConnectedTo(careful));
            Assert.Single(careful.EventsOf<NodeEvent.Disconnected>());
            Assert.Empty(careful.TextsFrom(eve));
            Assert.Empty(eve.TextsFrom(careful));
            Assert.Equal(["not for eve"], friend.TextsFrom(careful));

            careful.Node.SetBlocked(eve.Id, isBlocked: false, internet.Now);
            Assert.True(internet.RunUntil(() => careful.IsConnectedTo(eve) && eve.IsConnectedTo(careful), TimeSpan.FromSeconds(30)));
            Assert.True(careful.Send("all forgiven") && eve.Send("thanks"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(["all forgiven"], eve.TextsFrom(careful));
            Assert.Equal("thanks", careful.TextsFrom(eve).Last());
            // It came once more when its server was back, and not for being let in.
            Assert.Equal(2 + careful.EventsOf<NodeEvent.MemberLeft>().Count(), careful.EventsOf<NodeEvent.MemberJoined>().Count());
        });
    }

    [Fact]
    public void A_member_that_comes_later_gets_not_a_packet()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open);
            var (careful, eve) = (room.Peers[0], room.Peers[1]);
            careful.Node.SetBlocked(eve.Id, isBlocked: true, internet.Now);
            room.JoinAll();
            internet.RunFor(TimeSpan.FromSeconds(25));
            Assert.Equal(PunchFailure.Blocked, Assert.Single(careful.EventsOf<NodeEvent.Failed>()).Failure.Cause);
            var to = eve.Node.Reflexive.Single();
            Assert.DoesNotContain(internet.Trace.Recent(), sent => sent.Place == careful.Name && sent.Destination == to);
        });
    }

    [Fact]
    public void A_call_is_refused_without_a_word_to_the_owner_and_one_that_rings_stops()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            scenario.Caller.Call(scenario.Callee.Id);
            Assert.True(internet.RunUntil(() => scenario.Callee.EventsOf<NodeEvent.CallRang>().Any(), Patience));

            scenario.Callee.Node.SetBlocked(scenario.Caller.Id, isBlocked: true, internet.Now);
            internet.RunFor(TimeSpan.FromSeconds(1));
            var rang = Assert.Single(scenario.Callee.EventsOf<NodeEvent.CallRang>());
            Assert.Equal([rang.Call], scenario.Callee.EventsOf<NodeEvent.CallWithdrawn>().Select(withdrawn => withdrawn.Call));
            Assert.Equal(CallEnding.Refused, Assert.Single(scenario.Caller.EventsOf<NodeEvent.CallEnded>()).Ending);

            scenario.Caller.Call(scenario.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Single(scenario.Callee.EventsOf<NodeEvent.CallRang>());
            Assert.All(scenario.Caller.EventsOf<NodeEvent.CallEnded>(), ended => Assert.Equal(CallEnding.Refused, ended.Ending));
            Assert.Equal(2, scenario.Caller.EventsOf<NodeEvent.CallEnded>().Count());
        });
    }

    [Fact]
    public void A_call_that_goes_on_ends()
    {
        SimulationRun.Check(1, internet =>
        {
            using var scenario = new CallScenario(internet, Link, NatBehavior.FullCone, NatBehavior.FullCone);
            var rooms = scenario.CallAndAccept();
            Assert.True(scenario.RunUntilConnected(rooms, Patience));
            scenario.Callee.Node.SetBlocked(scenario.Caller.Id, isBlocked: true, internet.Now);
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(DepartureReason.Left, Assert.Single(scenario.Caller.EventsOf<NodeEvent.MemberLeft>()).Reason);
            Assert.Equal(PunchFailure.Blocked, Assert.Single(scenario.Callee.EventsOf<NodeEvent.Failed>()).Failure.Cause);
        });
    }
}
