using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;
using static Punchline.Protocols.Coordination.CoordinationClientEvent;

namespace Punchline.Protocols.Tests.Coordination;

/// <summary>What the cores do with forgers, strangers and crowds.</summary>
public sealed class CoordinationRefusalTests
{
    private const long Connection = 1000;
    private readonly CoordinationWorld _world = new();

    [Fact]
    public void A_proof_for_another_host_is_refused()
    {
        // Someone relays to a server that was dialled under another name.
        var peer = _world.Connect(_world.NewIdentity(), host: "coordinate.example:8080", dialled: "evil.example:8080");
        peer.Client.ProvideBlob(1, "sealed"u8, _world.Now);
        AssertRefused(peer, CoordinationErrorCode.BadProof);
    }

    [Fact]
    public void The_Host_header_is_compared_without_case()
    {
        var peer = _world.Connect(_world.NewIdentity(), host: "Coordinate.EXAMPLE:8080", dialled: "coordinate.example:8080");
        peer.Client.ProvideBlob(1, "sealed"u8, _world.Now);
        _world.Deliver();
        Assert.IsType<Welcomed>(peer.Events[1]);
    }

    [Fact]
    public void A_peer_that_sees_another_certificate_does_not_even_try()
    {
        var peer = _world.Connect(_world.NewIdentity(), certificateSeen: new byte[32]);
        peer.Client.ProvideBlob(1, "sealed"u8, _world.Now);
        _world.Deliver();
        Assert.Empty(peer.Sent);
        Assert.Equal(CoordinationErrorCode.CertificateMismatch, Assert.IsType<Refused>(Assert.Single(peer.Events)).Code);
    }

    [Fact]
    public void Hiding_the_certificate_from_the_peer_makes_its_proof_fail()
    {
        var (key, instance) = _world.NewIdentity();
        var challenge = Challenge(Connection) with { Certificate = null };
        Submit(Connection, Answer(challenge, key, instance, seen: []));
        AssertRefused(Connection, CoordinationErrorCode.BadProof);
    }

    [Theory]
    [InlineData("blob")]
    [InlineData("generation")]
    [InlineData("instance")]
    [InlineData("key")]
    [InlineData("mac")]
    [InlineData("keyIsNoPoint")]
    public void A_join_that_was_changed_on_the_way_is_refused(string what)
    {
        var (key, instance) = _world.NewIdentity();
        var join = Answer(Challenge(Connection), key, instance);
        join = what switch
        {
            "blob" => join with { Blob = "Sealed"u8.ToArray() },
            "generation" => join with { Generation = 2 },
            "instance" => join with { Instance = new InstanceId(1) },
            "key" => join with { Key = P256KeyPair.Generate(_world.Random).PublicKey.ToArray() },
            "mac" => join with { Mac = new byte[32] },
            _ => join with { Key = [4, 1] },
        };
        Submit(Connection, join);
        AssertRefused(Connection, CoordinationErrorCode.BadProof);
    }

    [Fact]
    public void A_join_recorded_on_another_connection_is_refused()
    {
        var (key, instance) = _world.NewIdentity();
        var recorded = Answer(Challenge(Connection), key, instance);
        Submit(Connection, recorded);
        Assert.Equal(1, _world.Server.MemberCount);
        _world.Deliver();
        Challenge(Connection + 1);
        Submit(Connection + 1, recorded);
        AssertRefused(Connection + 1, CoordinationErrorCode.BadProof, members: 1);
    }

    [Fact]
    public void A_join_meant_for_another_room_is_refused()
    {
        var (key, instance) = _world.NewIdentity();
        Submit(Connection, Answer(Challenge(Connection), key, instance, tag: new byte[32]));
        AssertRefused(Connection, CoordinationErrorCode.BadProof);
    }

    [Fact]
    public void Who_does_not_join_within_exactly_10_seconds_is_closed()
    {
        var peer = _world.Connect(_world.NewIdentity());
        _world.Pass(TimeSpan.FromSeconds(10) - TimeSpan.FromTicks(1));
        Assert.Empty(_world.Closed);
        _world.Pass(TimeSpan.FromTicks(1));
        Assert.Equal([peer.Connection], _world.Closed);
        Assert.Equal(CoordinationErrorCode.JoinTimeout, Assert.IsType<Refused>(peer.Events[1]).Code);
        Assert.Equal(0, _world.Server.ConnectionCount);
    }

    [Theory]
    [InlineData("{")]
    [InlineData("""{"type":"heartbeat"}""")]
    [InlineData("""{"type":"leave"}""")]
    public void What_comes_in_place_of_a_join_closes(string text)
    {
        Challenge(Connection);
        _world.Server.HandleMessage(Connection, Encoding.UTF8.GetBytes(text), _world.Now);
        AssertRefused(Connection, CoordinationErrorCode.BadMessage);
    }

    [Fact]
    public void A_members_nonsense_closes_its_connection_but_does_not_announce_it_gone()
    {
        var alice = _world.Join(_world.NewIdentity());
        var bob = _world.Join(_world.NewIdentity());
        alice.TakeEvents();
        _world.Server.HandleMessage(bob.Connection, "nonsense"u8, _world.Now);
        _world.Deliver();
        Assert.Equal([bob.Connection], _world.Closed);
        Assert.Equal(CoordinationErrorCode.BadMessage, Assert.IsType<Refused>(bob.Events[^1]).Code);
        Assert.Empty(alice.TakeEvents());
        Assert.Equal(2, _world.Server.MemberCount);
    }

    [Fact]
    public void Messages_of_closed_connections_change_nothing()
    {
        var bob = _world.Join(_world.NewIdentity());
        bob.Client.Leave(_world.Now);
        _world.Deliver();
        _world.Server.HandleMessage(bob.Connection, """{"type":"heartbeat"}"""u8, _world.Now);
        _world.Server.HandleDisconnected(bob.Connection);
        Assert.False(_world.Server.TryDequeueSend(out _, out _));
        Assert.False(_world.Server.TryDequeueClose(out _));
    }

    [Fact]
    public void A_room_holds_64_members()
    {
        var peers = Enumerable.Range(0, CoordinationLimits.MaxMembersPerRoom).Select(_ => _world.Join(_world.NewIdentity())).ToList();
        Assert.Equal(63, Assert.IsType<Welcomed>(peers[^1].Events[1]).Members.Count);
        Assert.Equal(2 + 63, peers[0].Events.Count);
        var late = _world.Connect(_world.NewIdentity());
        late.Client.ProvideBlob(1, "sealed"u8, _world.Now);
        AssertRefused(late, CoordinationErrorCode.RoomFull, members: 64);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(33)]
    public void A_tag_of_another_length_is_refused(int length)
    {
        _world.Server.HandleConnected(Connection, Endpoint.Parse("192.0.2.1:1"), CoordinationWorld.Host, new byte[length], [], _world.Now);
        AssertRefused(Connection, CoordinationErrorCode.BadMessage);
    }

    [Theory]
    [InlineData("""{"type":"welcome","address":"198.51.100.1:50000","heartbeatSeconds":5,"members":[]}""")]
    [InlineData("""{"type":"replaced"}""")]
    [InlineData("nonsense")]
    public void A_client_leaves_a_server_that_speaks_out_of_turn(string text)
    {
        var (key, instance) = _world.NewIdentity();
        var client = new CoordinationClient(key, instance, CoordinationWorld.Host, CoordinationWorld.Tag, [], _world.Now);
        client.HandleMessage(Encoding.UTF8.GetBytes(text), _world.Now);
        Assert.True(client.TryDequeueEvent(out var refused));
        Assert.Equal(CoordinationErrorCode.BadMessage, Assert.IsType<Refused>(refused).Code);
        Assert.True(client.IsOver);
    }

    [Fact]
    public void An_errors_text_reaches_nobody_with_control_characters_or_at_any_length()
    {
        var (key, instance) = _world.NewIdentity();
        var client = new CoordinationClient(key, instance, CoordinationWorld.Host, CoordinationWorld.Tag, [], _world.Now);
        client.HandleMessage(CoordinationJson.Write(new ErrorMessage("a\u001b[31m", new string('x', 300))), _world.Now);
        Assert.True(client.TryDequeueEvent(out var refused));
        Assert.Equal(new Refused("a[31m", new string('x', 256)), refused);
    }

    [Fact]
    public void A_client_keeps_no_more_members_than_a_room_has()
    {
        var alice = _world.Join(_world.NewIdentity());
        alice.TakeEvents();
        for (var i = 0; i <= CoordinationLimits.MaxMembersPerRoom; i++)
        {
            var id = new PeerId(_world.Random.NextBytes(PeerId.ByteLength));
            alice.Client.HandleMessage(CoordinationJson.Write(new JoinedMessage(new MemberEntry(id, new InstanceId(1), 1, default, []))), _world.Now);
        }
        _world.Deliver();
        var events = alice.TakeEvents();
        Assert.Equal(CoordinationLimits.MaxMembersPerRoom, events.OfType<MemberJoined>().Count());
        Assert.IsType<Refused>(events[^1]);
    }

    [Fact]
    public void A_lower_generation_is_ignored()
    {
        var alice = _world.Join(_world.NewIdentity());
        alice.TakeEvents();
        var member = new MemberEntry(new PeerId(new byte[32]), new InstanceId(1), 5, default, []);
        alice.Client.HandleMessage(CoordinationJson.Write(new JoinedMessage(member)), _world.Now);
        alice.Client.HandleMessage(CoordinationJson.Write(new UpdatedMessage(member with { Generation = 4 })), _world.Now);
        alice.Client.HandleMessage(CoordinationJson.Write(new UpdatedMessage(member with { Generation = 5 })), _world.Now);
        _world.Deliver();
        Assert.Equal([typeof(MemberJoined), typeof(MemberUpdated)], alice.TakeEvents().Select(e => e.GetType()));
    }

    [Theory]
    [InlineData(1UL)]
    [InlineData(2UL)]
    public void Mutated_conversations_never_throw(ulong seed)
    {
        var random = new SeededRandom(seed);
        var (key, instance) = _world.NewIdentity();
        byte[][] texts =
        [
            """{"type":"heartbeat"}"""u8.ToArray(), """{"type":"leave"}"""u8.ToArray(), CoordinationJson.Write(new UpdateMessage(9, [1, 2, 3])),
            CoordinationJson.Write(new JoinMessage(key.PublicKey.ToArray(), instance, 1, [1], new byte[32])),
        ];
        var joined = 0;
        for (var round = 0; round < 500; round++)
        {
            var peer = round % 2 == 0 ? _world.Join((key, instance), generation: (uint)round + 1) : _world.Connect((key, instance));
            for (var messages = 0; messages < 4; messages++)
            {
                var text = texts[random.NextInt32(texts.Length)].ToArray();
                if (random.NextInt32(2) == 0) text[random.NextInt32(text.Length)] = random.NextBytes(1)[0];
                _world.Server.HandleMessage(peer.Connection, text, _world.Now);
                _world.Deliver();
            }
            joined += _world.Server.MemberCount;
        }
        Assert.InRange(joined, 1, 499);
        _world.Pass(TimeSpan.FromSeconds(60));
        Assert.Equal(0, _world.Server.ConnectionCount);
    }

    private ChallengeMessage Challenge(long connection)
    {
        _world.Server.HandleConnected(connection, Endpoint.Parse("192.0.2.1:1"), CoordinationWorld.Host, CoordinationWorld.Tag, [], _world.Now);
        Assert.True(_world.Server.TryDequeueSend(out var to, out var utf8));
        Assert.Equal(connection, to);
        Assert.True(CoordinationJson.TryRead(utf8.Span, out ServerMessage? message));
        return Assert.IsType<ChallengeMessage>(message);
    }

    private static JoinMessage Answer(ChallengeMessage challenge, P256KeyPair key, InstanceId instance, byte[]? tag = null, byte[]? seen = null)
    {
        var blob = "sealed"u8.ToArray();
        var proven = new ProvenJoin
        {
            Host = CoordinationWorld.Host,
            Nonce = challenge.Nonce,
            Tag = tag ?? CoordinationWorld.Tag,
            CertificateKeyHash = seen ?? CoordinationWorld.CertificateKeyHash,
            PeerKey = key.PublicKey,
            ServerKey = challenge.Key,
            Instance = instance,
            Generation = 1,
            Blob = blob,
        };
        var mac = new byte[ProofOfKey.MacLength];
        Assert.True(ProofOfKey.TryProve(key, proven, mac));
        return new JoinMessage(key.PublicKey.ToArray(), instance, 1, blob, mac);
    }

    private void Submit(long connection, JoinMessage join) => _world.Server.HandleMessage(connection, CoordinationJson.Write(join), _world.Now);

    private void AssertRefused(Peer peer, string code, int members = 0)
    {
        _world.Deliver();
        Assert.Equal(code, Assert.IsType<Refused>(peer.Events[^1]).Code);
        Assert.Equal([peer.Connection], _world.Closed);
        Assert.Equal(members, _world.Server.MemberCount);
    }

    private void AssertRefused(long connection, string code, int members = 0)
    {
        ReadOnlyMemory<byte> last = default;
        while (_world.Server.TryDequeueSend(out var to, out var utf8))
        {
            if (to == connection) last = utf8;
        }
        Assert.True(CoordinationJson.TryRead(last.Span, out ServerMessage? message));
        Assert.Equal(code, Assert.IsType<ErrorMessage>(message).Code);
        Assert.True(_world.Server.TryDequeueClose(out var closed));
        Assert.Equal(connection, closed);
        Assert.Equal(members, _world.Server.MemberCount);
    }
}
