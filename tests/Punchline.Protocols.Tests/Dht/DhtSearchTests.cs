using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

/// <summary>What a node asks, and what it makes of the answers.</summary>
public sealed class DhtSearchTests
{
    private static readonly Endpoint Host = Endpoint.Parse("20.1.1.1:6881");

    private readonly SeededRandom _random = new(3);
    private readonly ScriptedNode _scripted = new();
    private readonly NodeId _host;
    private readonly NodeId _topic;

    public DhtSearchTests()
    {
        _host = SecureNodeId.Create(Host, _random);
        _topic = NodeId.Generate(_random);
    }

    [Fact]
    public void A_bootstrap_host_is_asked_for_our_own_id_and_again_after_5_10_and_20_seconds()
    {
        var start = _scripted.Now;
        _scripted.Node.AddBootstrap(Host, start);
        var times = new List<double>();
        for (var i = 0; i < 4; i++)
        {
            _scripted.Now = Timestamp.Max(_scripted.Now, _scripted.Node.NextTimeout);
            _scripted.Node.HandleTimeout(_scripted.Now);
            var sent = _scripted.Drain();
            while (sent.Count == 0)
            {
                _scripted.Now = _scripted.Node.NextTimeout;
                _scripted.Node.HandleTimeout(_scripted.Now);
                sent = _scripted.Drain();
            }
            var query = Assert.Single(sent);
            Assert.Equal(Host, query.To);
            Assert.True(KrpcMessage.TryRead(query.Bytes, out var read));
            Assert.Equal((KrpcMethod.FindNode, _scripted.Node.Id, true), (read.Method, read.Target, read.IsReadOnly));
            times.Add((_scripted.Now - start).TotalSeconds);
        }
        Assert.Equal([0, 5, 15, 35], times);
    }

    [Fact]
    public void A_search_without_anybody_to_ask_ends_at_once()
    {
        var search = _scripted.Node.FindPeers(_topic, _scripted.Now);
        var ended = Assert.IsType<DhtEvent.SearchEnded>(Assert.Single(_scripted.Events()));
        Assert.Equal((search!.Value, 0), (ended.Search, ended.Outcome.Asked));
    }

    [Fact]
    public void A_search_asks_nearer_nodes_tells_peers_and_stores_with_the_tokens()
    {
        _scripted.Node.AddBootstrap(Host, _scripted.Now);
        var search = _scripted.Node.Announce(_topic, 7_000, _scripted.Now);
        var first = Assert.Single(_scripted.Drain());
        var next = Enumerable.Range(1, 3).Select(i => Endpoint.FromIPv4(0x1502_0000u + (uint)(i * 70_000), 6_881)).Select(at => (Id: SecureNodeId.Create(at, _random), Endpoint: at)).ToArray();
        var peer = Endpoint.Parse("198.51.100.9:40000");
        _scripted.Answer(first, _host, nodes: ScriptedNode.Compact(next), token: [1]);
        var stores = new List<(Endpoint To, byte[] Bytes)>();
        for (var queries = _scripted.Drain(); queries.Count > 0; queries = _scripted.Drain())
        {
            // Two of those that the host named, and the third when one of them was there.
            Assert.InRange(queries.Count, 1, 4);
            foreach (var query in queries)
            {
                Assert.True(KrpcMessage.TryRead(query.Bytes, out var read));
                Assert.Equal(_topic, read.Target);
                if (read.Method == KrpcMethod.AnnouncePeer) stores.Add(query);
                // The same peer from three nodes, and what may not be sent to.
                else _scripted.Answer(query, next.Single(node => node.Endpoint == query.To).Id, token: [2], peers: [peer, Endpoint.Parse("127.0.0.1:7000"), Endpoint.Parse("192.168.1.1:7000"), Endpoint.Parse("8.8.8.8:53")]);
            }
        }
        Assert.Equal(new DhtEvent.PeerFound(search!.Value, peer), Assert.Single(_scripted.Events()));
        Assert.Equal(4, stores.Count);
        foreach (var query in stores)
        {
            Assert.True(KrpcMessage.TryRead(query.Bytes, out var read));
            Assert.Equal(0, read.Port); // implied
            Assert.Equal([query.To == Host ? (byte)1 : (byte)2], read.Token.ToArray());
            _scripted.Answer(query, query.To == Host ? _host : next.Single(node => node.Endpoint == query.To).Id);
        }
        var outcome = Assert.IsType<DhtEvent.SearchEnded>(Assert.Single(_scripted.Events())).Outcome;
        Assert.Equal(new DhtSearchOutcome(4, 4, 2, 1, 4, TimeSpan.Zero), outcome);
    }

    [Fact]
    public void An_item_counts_if_its_hash_is_the_target()
    {
        var value = "12:Hello World!"u8.ToArray();
        _scripted.Node.AddBootstrap(Host, _scripted.Now);
        var search = _scripted.Node.GetItem(ItemStore.TargetOf(value), _scripted.Now);
        _scripted.Answer(Assert.Single(_scripted.Drain()), _host, value: "12:Hello world!"u8.ToArray());
        Assert.Equal(0, Assert.IsType<DhtEvent.SearchEnded>(Assert.Single(_scripted.Events())).Outcome.Stored);
        search = _scripted.Node.GetItem(ItemStore.TargetOf(value), _scripted.Now);
        _scripted.Answer(Assert.Single(_scripted.Drain()), _host, value: value);
        var events = _scripted.Events();
        Assert.Equal(value, Assert.IsType<DhtEvent.ItemFound>(events[0]).Value);
        Assert.Equal(search, Assert.IsType<DhtEvent.SearchEnded>(events[1]).Search);
    }

    [Fact]
    public void Answers_count_from_the_node_asked_with_the_transaction_asked_and_once()
    {
        _scripted.Node.AddBootstrap(Host, _scripted.Now);
        _scripted.Node.FindPeers(_topic, _scripted.Now);
        var query = Assert.Single(_scripted.Drain());
        _scripted.Answer((Host.WithPort(6_882), query.Bytes), _host);
        _scripted.Answer((Endpoint.Parse("20.1.1.2:6881"), query.Bytes), _host);
        var other = query.Bytes.ToArray();
        other[other.AsSpan().IndexOf("1:t4:"u8) + 5] ^= 1;
        _scripted.Answer((Host, other), _host);
        Assert.Equal(0UL, _scripted.Node.Statistics.Answers);
        Assert.Equal(0, _scripted.Node.Statistics.Nodes);
        _scripted.Answer(query, _host);
        _scripted.Answer(query, _host);
        Assert.Equal(1UL, _scripted.Node.Statistics.Answers);
    }

    [Fact]
    public void A_node_that_answers_as_another_is_none()
    {
        _scripted.Node.AddBootstrap(Host, _scripted.Now);
        _scripted.Node.FindPeers(_topic, _scripted.Now);
        var named = Endpoint.Parse("21.1.1.1:6881");
        _scripted.Answer(Assert.Single(_scripted.Drain()), _host, nodes: ScriptedNode.Compact((SecureNodeId.Create(named, _random), named)));
        _scripted.Answer(Assert.Single(_scripted.Drain()), NodeId.Generate(_random), peers: [Endpoint.Parse("198.51.100.9:40000")]);
        Assert.IsType<DhtEvent.SearchEnded>(Assert.Single(_scripted.Events()));
        Assert.Equal(1, _scripted.Node.Statistics.Nodes);
    }

    [Fact]
    public void A_search_ends_however_long_nobody_answers()
    {
        _scripted.Node.AddBootstrap(Host, _scripted.Now);
        _scripted.Node.Announce(_topic, 1, _scripted.Now);
        _scripted.RunFor(DhtNode.LostAfter);
        var outcome = Assert.IsType<DhtEvent.SearchEnded>(Assert.Single(_scripted.Events())).Outcome;
        Assert.Equal(new DhtSearchOutcome(1, 0, 0, 0, 0, DhtNode.LostAfter), outcome);
    }

    [Fact]
    public void No_answer_makes_a_search_ask_more_than_32_or_tell_of_more_than_32()
    {
        _scripted.Node.AddBootstrap(Host, _scripted.Now);
        _scripted.Node.FindPeers(_topic, _scripted.Now);
        var (asked, told) = (0, 0);
        var nodes = new Dictionary<Endpoint, NodeId> { [Host] = _host };
        var queries = _scripted.Drain();
        for (var turn = 0; turn < 200; turn++)
        {
            foreach (var query in queries)
            {
                asked++;
                // Ever nearer ones, and ever other peers.
                var named = Enumerable.Range(0, 16).Select(_ => Endpoint.FromIPv4(0x1500_0000u + ((uint)_random.NextUInt64() >> 8), 6_881)).Select(at => (Id: SecureNodeId.Create(at, _random), Endpoint: at)).ToArray();
                foreach (var (id, at) in named) nodes[at] = id;
                _scripted.Answer(query, nodes[query.To], nodes: ScriptedNode.Compact(named), peers: [.. Enumerable.Range(0, 16).Select(_ => Endpoint.FromIPv4(0x6400_0000u + ((uint)_random.NextUInt64() >> 10), 40_000))]);
            }
            queries = _scripted.RunFor(TimeSpan.FromMilliseconds(200));
            told += _scripted.Events().OfType<DhtEvent.PeerFound>().Count();
        }
        Assert.InRange(told, Lookup.Width * DhtSearch.MaxPeersPerAnswer / 2, DhtSearch.MaxPeers);
        Assert.InRange(asked, Lookup.Width, 3 * Lookup.MaxAsked); // with two of its own
    }

    [Fact]
    public void The_id_becomes_one_of_our_external_address_and_the_table_stays()
    {
        var us = Endpoint.Parse("203.0.113.5:40000");
        var before = _scripted.Node.Id;
        for (var i = 0; i < 3; i++)
        {
            var host = Endpoint.FromIPv4(0x1500_0000u + (uint)(i * 70_000), 6_881);
            _scripted.Node.AddBootstrap(host, _scripted.Now);
            _scripted.Node.FindPeers(_topic, _scripted.Now);
            foreach (var query in _scripted.Drain().Where(query => query.To == host)) _scripted.Answer(query, SecureNodeId.Create(host, _random), us);
        }
        Assert.Equal(new ExternalView(us), Assert.Single(_scripted.Events().OfType<DhtEvent.ExternalSeen>()).View);
        Assert.NotEqual(before, _scripted.Node.Id);
        Assert.True(SecureNodeId.IsValid(_scripted.Node.Id, us));
        Assert.Equal(3, _scripted.Node.Statistics.Nodes);
        // What is saved is what the next run begins with.
        var saved = _scripted.Node.Save();
        var again = new ScriptedNode(seed: 9);
        Assert.True(again.Node.Load(saved, again.Now));
        Assert.Equal(_scripted.Node.Id, again.Node.Id);
        again.Node.HandleTimeout(again.Now);
        Assert.Equal(3, again.Drain().Count);
    }

    [Fact]
    public void A_file_that_is_no_table_is_not_loaded()
    {
        var saved = _scripted.Node.Save();
        for (var i = 0; i < saved.Length; i++) Assert.False(_scripted.Node.Load(saved.AsSpan(0, i), _scripted.Now));
        Assert.False(_scripted.Node.Load(new byte[DhtNode.MaxSavedLength + 1], _scripted.Now));
        Assert.True(_scripted.Node.Load("d5:nodes3:abce"u8, _scripted.Now));
        Assert.Equal(Timestamp.Never, _scripted.Node.NextTimeout);
    }

    [Fact]
    public void Nine_searches_are_one_too_many()
    {
        _scripted.Node.AddBootstrap(Host, _scripted.Now);
        for (var i = 0; i < DhtNode.MaxSearches; i++) Assert.NotNull(_scripted.Node.FindPeers(NodeId.Generate(_random), _scripted.Now));
        Assert.Null(_scripted.Node.FindPeers(_topic, _scripted.Now));
        _scripted.Node.Cancel(1, _scripted.Now);
        Assert.NotNull(_scripted.Node.FindPeers(_topic, _scripted.Now));
    }
}
