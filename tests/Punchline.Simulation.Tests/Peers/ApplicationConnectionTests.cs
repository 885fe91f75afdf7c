using Punchline.Protocols.Node;
using Punchline.Protocols.Transport;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>A program's own streams beside the room's messages: through bad networks, and to the connection's end and the next one.</summary>
public sealed class ApplicationConnectionTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    [Fact]
    public void A_stream_is_intact_behind_loss_reordering_and_an_outage_of_3_s()
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                var bad = LinkConditions.Of(20, loss: 0.03) with { Jitter = TimeSpan.FromMilliseconds(10), Reordering = 0.05 };
                using var room = new RoomScenario(internet, bad, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
                var (sender, receiver) = (room.Peers[0], room.Peers[1]);
                sender.Application.Outgoing = Bytes(2_000_000);
                Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(20)));
                internet.RunFor(TimeSpan.FromMilliseconds(300));
                Assert.True(sender.Send("beside it"));
                room.Sites[1].Uplink.Set(isUp: false);
                internet.RunFor(TimeSpan.FromSeconds(3));
                Assert.Equal(0, receiver.Application.Finished);
                room.Sites[1].Uplink.Set(isUp: true);

                Assert.True(internet.RunUntil(() => receiver.Application.Finished == 1 && sender.Undelivered == 0, TimeSpan.FromSeconds(60)));
                Assert.True(sender.Application.Outgoing.AsSpan().SequenceEqual(Assert.Single(receiver.Application.Incoming).Bytes.ToArray()));
                Assert.Equal(["beside it"], receiver.TextsFrom(sender));
                Assert.Null(Assert.Single(sender.Application.Connections).Ended);
                Assert.Null(Assert.Single(receiver.Application.Connections).Ended);
            });
        }
    }

    [Fact]
    public void A_protocol_that_was_not_named_is_refused_and_the_chat_goes_on()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            var (sender, receiver) = (room.Peers[0], room.Peers[1]);
            sender.Application.Outgoing = Bytes(1_000_000);
            sender.Application.OutgoingProtocol = "simulation/2";
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            Assert.True(sender.Send("hello"));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Empty(receiver.Application.Incoming);
            Assert.Equal(
                [(ConnectionEventKind.StreamReset, StreamErrorCodes.UnknownProtocol), (ConnectionEventKind.StreamStopped, StreamErrorCodes.UnknownProtocol)],
                sender.Application.Aborted.Order());
            Assert.Equal(["hello"], receiver.TextsFrom(sender));
        });
    }

    [Fact]
    public void A_silence_beyond_the_idle_time_out_ends_a_connection_and_the_next_one_is_offered()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            var (one, other) = (room.Peers[0], room.Peers[1]);
            one.Application.Outgoing = Bytes(10_000);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            Assert.True(internet.RunUntil(() => other.Application.Finished == 1, TimeSpan.FromSeconds(5)));
            room.Sites[1].Uplink.Set(isUp: false);
            Assert.True(internet.RunUntil(() => one.Application.Connections[0].Ended is not null && other.Application.Connections[0].Ended is not null, TimeSpan.FromSeconds(60)));
            Assert.Equal(CloseOrigin.IdleTimeout, one.Application.Connections[0].Ended!.Origin);
            Assert.Equal(CloseOrigin.IdleTimeout, other.Application.Connections[0].Ended!.Origin);
            room.Sites[1].Uplink.Set(isUp: true);

            Assert.True(internet.RunUntil(() => other.Application.Finished == 2, TimeSpan.FromSeconds(30)));
            Assert.Equal((2, 2), (one.Application.Connections.Count, other.Application.Connections.Count));
            Assert.Null(one.Application.Connections[1].Ended);
            Assert.True(one.Application.Outgoing.AsSpan().SequenceEqual(other.Application.Incoming[1].Bytes.ToArray()));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_that_starts_anew_ends_its_older_connection_and_gets_another(bool isAtTheSamePort)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
                var (friend, older) = (room.Peers[0], room.Peers[1]);
                friend.Application.Outgoing = Bytes(5_000);
                Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
                Assert.True(internet.RunUntil(() => older.Application.Finished == 1, TimeSpan.FromSeconds(5)));
                older.Kill();
                using var restarted = isAtTheSamePort ? room.Restart(older) : null;
                var newer = restarted ?? room.AddPeer(NatBehavior.PortRestricted, older.Identity);
                room.Join(newer);

                Assert.True(internet.RunUntil(() => newer.Application.Finished == 1, TimeSpan.FromSeconds(10)));
                Assert.Equal(2, friend.Application.Connections.Count);
                Assert.NotNull(friend.Application.Connections[0].Ended);
                Assert.Null(friend.Application.Connections[1].Ended);
                Assert.Equal(newer.Id, friend.Application.Connections[1].Peer);
            }, isAtTheSamePort ? "same port" : "elsewhere");
        }
    }

    [Fact]
    public void A_connection_that_a_program_closes_is_followed_by_another_at_once_and_no_message_is_lost()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = new RoomScenario(internet, Link, NatBehavior.PortRestricted, NatBehavior.PortRestricted);
            var (one, other) = (room.Peers[0], room.Peers[1]);
            Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
            internet.RunFor(TimeSpan.FromSeconds(1));
            internet.Schedule(internet.Now, () =>
            {
                one.Node.CloseConnection(one.Application.Connections[0], 7, "enough", internet.Now);
                Assert.True(one.Send("after all"));
            });
            internet.RunFor(TimeSpan.FromMilliseconds(40));
            Assert.Equal(new CloseReason(CloseOrigin.Remote, IsApplication: true, CloseCodes.FirstOfApplication + 7, "enough"), other.Application.Connections[0].Ended);
            Assert.Equal(CloseOrigin.Local, one.Application.Connections[0].Ended!.Origin);

            Assert.True(internet.RunUntil(() => one.Undelivered == 0, TimeSpan.FromMilliseconds(500)));
            Assert.Equal(["after all"], other.TextsFrom(one));
            Assert.Equal((2, 2), (one.Application.Connections.Count, other.Application.Connections.Count));
            // A second word about the first changes nothing.
            internet.Schedule(internet.Now, () => one.Node.CloseConnection(one.Application.Connections[0], 8, "late", internet.Now));
            internet.RunFor(TimeSpan.FromSeconds(1));
            Assert.Null(one.Application.Connections[1].Ended);
        });
    }

    private static byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = (byte)((i * 31) + (i >> 8));
        return bytes;
    }
}
