using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

/// <summary>What a node answers. Alone in the process: the heap is measured.</summary>
[Collection(nameof(DhtServingTests))]
[CollectionDefinition(nameof(DhtServingTests), DisableParallelization = true)]
public sealed class DhtServingTests
{
    private static readonly Endpoint Asker = Endpoint.Parse("198.51.100.7:6881");

    private readonly SeededRandom _random = new(2);
    private readonly ScriptedNode _scripted = new();
    private readonly NodeId _asker;
    private readonly NodeId _topic;

    public DhtServingTests()
    {
        _asker = SecureNodeId.Create(Asker, _random);
        _topic = NodeId.Generate(_random);
        _scripted.Node.SetReadOnly(false, _scripted.Now);
    }

    [Fact]
    public void A_ping_is_answered_with_our_id_and_the_askers_address_and_the_asker_is_asked_back()
    {
        _scripted.Receive(Asker, ScriptedNode.Query(KrpcMethod.Ping, _asker));
        var sent = _scripted.Drain();
        Assert.Equal([Asker, Asker], sent.Select(packet => packet.To));
        Assert.True(KrpcMessage.TryRead(sent[0].Bytes, out var answer));
        Assert.Equal((KrpcKind.Response, _scripted.Node.Id, Asker), (answer.Kind, answer.Id, answer.External));
        Assert.Equal("aa"u8, answer.Transaction);
        // Only who answers comes into the table.
        Assert.Equal(0, _scripted.Node.Statistics.Nodes);
        _scripted.Answer(sent[1], _asker);
        Assert.Equal(1, _scripted.Node.Statistics.Nodes);
        _scripted.Receive(Asker, ScriptedNode.Query(KrpcMethod.Ping, _asker));
        Assert.Single(_scripted.Drain());
    }

    [Fact] // BEP 43
    public void Who_is_read_only_is_answered_and_not_remembered()
    {
        _scripted.Receive(Asker, ScriptedNode.Query(KrpcMethod.Ping, _asker, isReadOnly: true));
        Assert.Single(_scripted.Drain());
    }

    [Fact]
    public void A_read_only_node_answers_nobody_and_a_silent_one_says_nothing()
    {
        _scripted.Node.SetReadOnly(true, _scripted.Now);
        _scripted.Receive(Asker, ScriptedNode.Query(KrpcMethod.Ping, _asker));
        Assert.Empty(_scripted.Drain());
        _scripted.Node.SetReadOnly(false, _scripted.Now);
        _scripted.Node.SetSilent(true, _scripted.Now);
        _scripted.Receive(Asker, ScriptedNode.Query(KrpcMethod.Ping, _asker));
        _scripted.Node.AddBootstrap(Asker, _scripted.Now);
        Assert.Empty(_scripted.RunFor(TimeSpan.FromMinutes(2)));
        _scripted.Node.SetSilent(false, _scripted.Now);
        Assert.NotEmpty(_scripted.RunFor(TimeSpan.FromMinutes(5)));
    }

    [Fact]
    public void Peers_are_announced_with_a_token_only_and_found_at_the_port_they_came_from()
    {
        Assert.Equal(KrpcErrorCode.Protocol, Ask(ScriptedNode.Query(KrpcMethod.AnnouncePeer, _asker, _topic, token: "aoeusnth"u8.ToArray())).Error);
        var token = Ask(ScriptedNode.Query(KrpcMethod.GetPeers, _asker, _topic)).Token;
        Assert.Null(Ask(ScriptedNode.Query(KrpcMethod.AnnouncePeer, _asker, _topic, token)).Error);
        Assert.Equal([Asker], Ask(ScriptedNode.Query(KrpcMethod.GetPeers, _asker, _topic)).Peers);
        Assert.Empty(Ask(ScriptedNode.Query(KrpcMethod.GetPeers, _asker, NodeId.Generate(_random))).Peers);
        Assert.Equal(1, _scripted.Node.Statistics.StoredPeers);
    }

    [Fact]
    public void Items_are_put_with_a_token_only_and_got_by_their_hash()
    {
        var value = "12:Hello World!"u8.ToArray();
        var target = ItemStore.TargetOf(value);
        Assert.Equal(KrpcErrorCode.Protocol, Ask(ScriptedNode.Query(KrpcMethod.Put, _asker, token: "aoeusnth"u8.ToArray(), value: value)).Error);
        var token = Ask(ScriptedNode.Query(KrpcMethod.Get, _asker, target)).Token;
        var large = "1000:"u8.ToArray().Concat(new byte[1_000]).ToArray();
        Assert.Equal(KrpcErrorCode.ValueTooBig, Ask(ScriptedNode.Query(KrpcMethod.Put, _asker, token: token, value: large)).Error);
        Assert.Null(Ask(ScriptedNode.Query(KrpcMethod.Put, _asker, token: token, value: value)).Error);
        Assert.Equal(value, Ask(ScriptedNode.Query(KrpcMethod.Get, _asker, target)).Value);
        Assert.Empty(Ask(ScriptedNode.Query(KrpcMethod.Get, _asker, _topic)).Value);
    }

    [Fact]
    public void An_unknown_method_gets_204()
    {
        Assert.Equal(KrpcErrorCode.MethodUnknown, Ask("d1:ad2:id20:abcdefghij0123456789e1:q4:vote1:t2:aa1:y1:qe"u8.ToArray()).Error);
    }

    [Fact] // BEP 32
    public void Nodes_of_either_family_are_told_to_who_wants_them()
    {
        var scripted = new ScriptedNode(families: DhtFamilies.Both);
        scripted.Node.SetReadOnly(false, scripted.Now);
        var six = Endpoint.Parse("[2001:db8:1::7]:6881");
        foreach (var (endpoint, id) in new[] { (Asker, _asker), (six, SecureNodeId.Create(six, _random)) })
        {
            scripted.Receive(endpoint, ScriptedNode.Query(KrpcMethod.Ping, id));
            scripted.Answer(scripted.Drain()[1], id);
        }
        Assert.Equal((26, 0), Lengths(KrpcWant.Unsaid, Asker));
        Assert.Equal((0, 38), Lengths(KrpcWant.Unsaid, six));
        Assert.Equal((26, 38), Lengths(KrpcWant.IPv4 | KrpcWant.IPv6, Asker));
        Assert.Equal((0, 38), Lengths(KrpcWant.IPv6, Asker));

        (int, int) Lengths(KrpcWant want, Endpoint from)
        {
            scripted.Receive(from, ScriptedNode.Query(KrpcMethod.FindNode, NodeId.Generate(_random), _topic, want: want, isReadOnly: true));
            Assert.True(KrpcMessage.TryRead(Assert.Single(scripted.Drain()).Bytes, out var answer));
            return (answer.Nodes.Length, answer.Nodes6.Length);
        }
    }

    [Fact]
    public void A_flood_from_one_address_gets_a_burst_of_answers()
    {
        for (var i = 0; i < 1_000; i++) _scripted.Receive(Asker, ScriptedNode.Query(KrpcMethod.Ping, _asker, isReadOnly: true));
        Assert.Equal(AnswerBudget.PerAddressBurst, _scripted.Drain().Count);
        Assert.Equal(1_000UL - AnswerBudget.PerAddressBurst, _scripted.Node.Statistics.Dropped);
    }

    [Theory]
    [InlineData("198.51.100.7:53")]
    [InlineData("224.0.0.1:6881")]
    [InlineData("0.0.0.0:6881")]
    [InlineData("255.255.255.255:6881")]
    [InlineData("[2001:db8::1]:6881")] // a family that this node is not in
    public void No_answer_goes_where_none_may(string source)
    {
        _scripted.Receive(Endpoint.Parse(source), ScriptedNode.Query(KrpcMethod.Ping, _asker));
        Assert.Empty(_scripted.Drain());
    }

    [Fact]
    public void A_node_that_is_offered_8000_contacts_holds_little_and_idles_quietly()
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var value = new byte[20];
        for (var i = 0; i < 8_000; i++)
        {
            var contact = Endpoint.FromIPv4(0x1400_0000u + (uint)(i * 65_539), 6_881);
            var id = SecureNodeId.Create(contact, _random);
            _scripted.Now += TimeSpan.FromMilliseconds(50);
            foreach (var token in new[] { null, AskFrom(contact, ScriptedNode.Query(KrpcMethod.GetPeers, id, id)).Token })
            {
                var topic = ItemStore.TargetOf(value = [.. "20:"u8, .. _random.NextBytes(20)]);
                _scripted.Receive(contact, ScriptedNode.Query(token is null ? KrpcMethod.Ping : KrpcMethod.AnnouncePeer, id, topic, token));
                if (token is not null) _scripted.Receive(contact, ScriptedNode.Query(KrpcMethod.Put, id, topic, token, value));
                foreach (var packet in _scripted.Drain())
                {
                    if (KrpcMessage.TryRead(packet.Bytes, out var query) && query.Kind == KrpcKind.Query) _scripted.Answer(packet, id, Asker);
                }
            }
        }
        var statistics = _scripted.Node.Statistics;
        Assert.InRange(statistics.Nodes, 64, NodeId.BitLength * RoutingTable.BucketSize);
        Assert.Equal((PeerStore.MaxTopics, ItemStore.MaxItems), (statistics.StoredTopics, statistics.StoredItems));
        // What earlier tests left may go meanwhile.
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 8_000_000);
        // Nobody is there any more: a node that looks after its table sends the most.
        var bytes = _scripted.RunFor(TimeSpan.FromHours(1)).Sum(packet => packet.Bytes.Length + 28L);
        Assert.InRange(bytes, 1, 10_000 * 3_600 / 10);
    }

    private Reply Ask(byte[] query) => AskFrom(Asker, query);

    private Reply AskFrom(Endpoint source, byte[] query)
    {
        _scripted.Receive(source, query);
        var sent = _scripted.Drain();
        Assert.True(KrpcMessage.TryRead(sent[0].Bytes, out var answer));
        foreach (var packet in sent.Skip(1)) _scripted.Answer(packet, SecureNodeId.Create(source, _random), Asker);
        var peers = new List<Endpoint>();
        foreach (var item in answer.Peers)
        {
            Assert.True(item.TryGetBytes(out var bytes));
            Assert.True(CompactAddress.TryRead(bytes, out var peer));
            peers.Add(peer);
        }
        return new Reply(answer.Kind == KrpcKind.Error ? (KrpcErrorCode)answer.ErrorCode : null, answer.Token.ToArray(), answer.Value.ToArray(), peers);
    }

    private sealed record Reply(KrpcErrorCode? Error, byte[] Token, byte[] Value, List<Endpoint> Peers);
}
