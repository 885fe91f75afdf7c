using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using static Punchline.Protocols.Coordination.CoordinationClientEvent;

namespace Punchline.Protocols.Tests.Coordination;

/// <summary>Client and server cores together, in virtual time.</summary>
public sealed class CoordinationTests
{
    private readonly CoordinationWorld _world = new();

    [Fact]
    public void Newcomer_and_members_are_introduced_at_once()
    {
        var alice = _world.Join(_world.NewIdentity(), "198.51.100.1:50000", blob: "of alice");
        Assert.Equal(Endpoint.Parse("203.0.113.10:8080"), Assert.Single(Assert.IsType<Challenged>(alice.Events[0]).StunServers));
        var welcomed = Assert.IsType<Welcomed>(alice.Events[1]);
        Assert.Empty(welcomed.Members);
        Assert.Equal(Endpoint.Parse("198.51.100.1:50000"), welcomed.OwnAddress);

        var bob = _world.Join(_world.NewIdentity(), "192.0.2.7:40000", blob: "of bob");
        var introduced = Assert.Single(Assert.IsType<Welcomed>(bob.Events[1]).Members);
        Assert.Equal(alice.Id, introduced.Id);
        Assert.Equal("of alice"u8, introduced.Blob);
        Assert.Equal(Endpoint.Parse("198.51.100.1:0"), introduced.Address);
        var joined = Assert.IsType<MemberJoined>(alice.Events[2]).Member;
        Assert.Equal(bob.Id, joined.Id);
        Assert.Equal("of bob"u8, joined.Blob);
        Assert.Equal(Endpoint.Parse("192.0.2.7:0"), joined.Address);

        // Exact counts: a challenge and a welcome each, and one introduction for who was there before.
        Assert.Equal(3, alice.Received.Count);
        Assert.Equal(2, bob.Received.Count);
        Assert.Single(alice.Sent);
        Assert.Single(bob.Sent);
        Assert.Empty(_world.Closed);
    }

    [Fact]
    public void The_join_waits_for_the_blob()
    {
        var alice = _world.Connect(_world.NewIdentity());
        Assert.Empty(alice.Sent);
        alice.Client.ProvideBlob(1, "late"u8, _world.Now);
        _world.Deliver();
        Assert.StartsWith("{\"type\":\"join\"", Assert.Single(alice.Sent));
        Assert.IsType<Welcomed>(alice.Events[1]);
    }

    [Fact]
    public void A_blob_that_is_ready_before_the_challenge_joins_with_it()
    {
        var (key, instance) = _world.NewIdentity();
        var client = new CoordinationClient(key, instance, CoordinationWorld.Host, CoordinationWorld.Tag, CoordinationWorld.CertificateKeyHash, _world.Now);
        client.ProvideBlob(1, "early"u8, _world.Now);
        Assert.False(client.TryDequeueMessage(out _));
        _world.Server.HandleConnected(9, Endpoint.Parse("192.0.2.1:1"), CoordinationWorld.Host, CoordinationWorld.Tag, [], _world.Now);
        Assert.True(_world.Server.TryDequeueSend(out _, out var challenge));
        client.HandleMessage(challenge.Span, _world.Now);
        Assert.True(client.TryDequeueMessage(out var join));
        _world.Server.HandleMessage(9, join.Span, _world.Now);
        Assert.Equal(1, _world.Server.MemberCount);
    }

    [Fact]
    public void Rooms_do_not_see_each_other()
    {
        var alice = _world.Join(_world.NewIdentity());
        var bob = _world.Join(_world.NewIdentity(), tag: new byte[16]);
        Assert.Empty(Assert.IsType<Welcomed>(bob.Events[1]).Members);
        Assert.Equal(2, alice.Received.Count);
        Assert.Equal(2, _world.Server.RoomCount);
    }

    [Fact]
    public void An_update_reaches_the_others_once()
    {
        var alice = _world.Join(_world.NewIdentity());
        var bob = _world.Join(_world.NewIdentity());
        alice.TakeEvents();
        bob.Client.ProvideBlob(2, "better"u8, _world.Now);
        _world.Deliver();
        var updated = Assert.IsType<MemberUpdated>(Assert.Single(alice.TakeEvents())).Member;
        Assert.Equal((bob.Id, 2u), (updated.Id, updated.Generation));
        Assert.Equal("better"u8, updated.Blob);
        Assert.Equal(2, bob.Received.Count);

        // A generation that does not rise changes nothing.
        _world.Server.HandleMessage(bob.Connection, CoordinationJson.Write(new UpdateMessage(2, [1])), _world.Now);
        _world.Deliver();
        Assert.Empty(alice.TakeEvents());
    }

    [Fact]
    public void A_goodbye_is_announced_and_closes()
    {
        var alice = _world.Join(_world.NewIdentity());
        var bob = _world.Join(_world.NewIdentity());
        alice.TakeEvents();
        bob.Client.Leave(_world.Now);
        _world.Deliver();
        Assert.Equal(new MemberLeft(bob.Id, MemberLeftReason.Left), Assert.Single(alice.TakeEvents()));
        Assert.Equal([bob.Connection], _world.Closed);
        Assert.Equal(1, _world.Server.MemberCount);
        Assert.True(bob.Client.IsOver);

        alice.Client.Leave(_world.Now);
        _world.Deliver();
        Assert.Equal((0, 0, 0), (_world.Server.MemberCount, _world.Server.RoomCount, _world.Server.ConnectionCount));
        Assert.Equal(Timestamp.Never, _world.Server.NextTimeout);
    }

    [Fact]
    public void Heartbeats_keep_members_and_cost_one_message_each_way_every_5_seconds()
    {
        var alice = _world.Join(_world.NewIdentity());
        var bob = _world.Join(_world.NewIdentity());
        _world.Pass(TimeSpan.FromSeconds(61));
        List<string> heartbeats = [.. Enumerable.Repeat("""{"type":"heartbeat"}""", 12)];
        Assert.Equal(heartbeats, alice.Sent[1..]);
        Assert.Equal(heartbeats, alice.Received[3..]);
        Assert.Equal(heartbeats, bob.Received[2..]);
        Assert.Equal(3, alice.Events.Count);
        Assert.Equal(2, _world.Server.MemberCount);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_broken_connection_is_announced_after_exactly_15_seconds_of_silence(bool serverNotices)
    {
        var alice = _world.Join(_world.NewIdentity());
        _world.Pass(TimeSpan.FromSeconds(3));
        var bob = _world.Join(_world.NewIdentity());
        bob.Cut(serverNotices);
        alice.TakeEvents();
        _world.Pass(TimeSpan.FromSeconds(15) - TimeSpan.FromTicks(1));
        Assert.Empty(alice.TakeEvents());
        _world.Pass(TimeSpan.FromTicks(1));
        Assert.Equal(new MemberLeft(bob.Id, MemberLeftReason.Timeout), Assert.Single(alice.TakeEvents()));
        Assert.Equal(serverNotices ? [] : [bob.Connection], _world.Closed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_same_instance_joins_again_in_silence(bool serverNotices)
    {
        var alice = _world.Join(_world.NewIdentity());
        var identity = _world.NewIdentity();
        var bob = _world.Join(identity, "192.0.2.7:40000");
        alice.TakeEvents();
        bob.Cut(serverNotices);
        _world.Pass(TimeSpan.FromSeconds(14));
        var again = _world.Join(identity, "192.0.2.7:41111");
        Assert.Equal(alice.Id, Assert.Single(Assert.IsType<Welcomed>(again.Events[1]).Members).Id);
        _world.Pass(TimeSpan.FromSeconds(60));
        Assert.Empty(alice.TakeEvents());
        Assert.Equal(2, _world.Server.MemberCount);
        Assert.Equal(serverNotices ? [] : [bob.Connection], _world.Closed);
    }

    [Theory]
    [InlineData("192.0.2.8:40000", 1u, "sealed", 1u, "sealed")]
    [InlineData("192.0.2.7:40000", 6u, "newer", 6u, "newer")]
    public void Joining_again_from_elsewhere_or_with_more_is_an_update(string address, uint generation, string blob, uint expectedGeneration, string expectedBlob)
    {
        var alice = _world.Join(_world.NewIdentity());
        var identity = _world.NewIdentity();
        _world.Join(identity, "192.0.2.7:40000");
        alice.TakeEvents();
        _world.Join(identity, address, generation, blob);
        var updated = Assert.IsType<MemberUpdated>(Assert.Single(alice.TakeEvents())).Member;
        Assert.Equal(Endpoint.Parse(address).WithPort(0), updated.Address);
        Assert.Equal((expectedGeneration, expectedBlob), (updated.Generation, System.Text.Encoding.UTF8.GetString(updated.Blob)));
    }

    [Fact]
    public void Another_instance_supersedes_and_the_older_is_told()
    {
        var alice = _world.Join(_world.NewIdentity());
        var identity = _world.NewIdentity();
        var older = _world.Join(identity);
        alice.TakeEvents();
        older.TakeEvents();
        var instance = InstanceId.Generate(_world.Random);
        var newer = _world.Join((identity.Key, instance));

        Assert.IsType<Replaced>(Assert.Single(older.TakeEvents()));
        Assert.True(older.Client.IsOver);
        Assert.Equal([older.Connection], _world.Closed);
        var joined = Assert.IsType<MemberJoined>(Assert.Single(alice.TakeEvents())).Member;
        Assert.Equal((newer.Id, instance), (joined.Id, joined.Instance));
        Assert.Equal(alice.Id, Assert.Single(Assert.IsType<Welcomed>(newer.Events[1]).Members).Id);
        Assert.Equal(2, _world.Server.MemberCount);
    }

    [Fact]
    public void A_silent_server_is_noticed_after_exactly_15_seconds()
    {
        var alice = _world.Join(_world.NewIdentity());
        alice.TakeEvents();
        var now = _world.Now;
        var heartbeats = 0;
        while (!alice.Client.IsOver)
        {
            Assert.True(alice.Client.NextTimeout > now);
            now = alice.Client.NextTimeout;
            alice.Client.HandleTimeout(now);
            while (alice.Client.TryDequeueMessage(out _)) heartbeats++;
        }
        Assert.Equal(TimeSpan.FromSeconds(15), now - _world.Now);
        // At 5 and 10 s; the one at 15 s is not worth sending any more.
        Assert.Equal(2, heartbeats);
        Assert.True(alice.Client.TryDequeueEvent(out var last));
        Assert.IsType<ServerSilent>(last);
        Assert.Equal(Timestamp.Never, alice.Client.NextTimeout);
    }

    [Fact]
    public void The_same_inputs_give_the_same_outputs()
    {
        static string Run()
        {
            var world = new CoordinationWorld();
            var peers = Enumerable.Range(0, 5).Select(i => world.Join(world.NewIdentity(), $"198.51.100.{i}:5000")).ToList();
            peers[2].Cut(serverNotices: true);
            peers[3].Client.Leave(world.Now);
            world.Pass(TimeSpan.FromSeconds(40));
            return string.Join('\n', peers.SelectMany(peer => peer.Sent.Concat(peer.Received)));
        }

        Assert.Equal(Run(), Run());
    }
}
