using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>A process that has lost its connections says so to whoever goes on with them: PROTOCOL §7.</summary>
public sealed class StatelessResetTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    [Fact]
    public void A_restarted_process_ends_the_connections_of_the_one_before_at_their_next_packet()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var (friend, older) = (room.Peers[0], room.Peers[1]);
            older.Kill();
            // On the same port with the same key, and in no room yet: it knows of nobody.
            using var newer = room.Restart(older);
            var sent = internet.Now;
            Assert.True(friend.Send("are you there?"));
            Assert.True(internet.RunUntil(() => friend.EventsOf<NodeEvent.Disconnected>().Any(), TimeSpan.FromSeconds(1)));
            Assert.Equal("reset", friend.EventsOf<NodeEvent.Disconnected>().Single().Reason);
            Assert.Equal(TimeSpan.FromMilliseconds(80), internet.Now - sent); // there and back over two links of 20 ms

            room.Join(newer);
            Assert.True(internet.RunUntil(() => friend.Undelivered == 0, TimeSpan.FromSeconds(5)));
            Assert.Equal(["are you there?"], newer.TextsFrom(friend));
        });
    }

    [Fact]
    public void Who_writes_a_reset_without_the_token_ends_nothing()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.Open, NatBehavior.Open);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            var (friend, peer) = (room.Peers[0], room.Peers[1]);
            var random = new SeededRandom(1);
            for (var i = 0; i < 100; i++)
            {
                var forged = random.NextBytes(30 + (i % 20));
                forged[0] = 0x80;
                friend.HandleDatagram(Endpoint.Parse("203.0.113.200:5000"), forged, internet.Now);
            }
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Empty(friend.EventsOf<NodeEvent.Disconnected>());
            Assert.True(friend.Send("still there"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(["still there"], peer.TextsFrom(friend));
        });
    }
}
