using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

/// <summary>What a node keeps for others, and the limits of what it says and asks.</summary>
public sealed class DhtStoreTests
{
    private static readonly Endpoint Asker = Endpoint.Parse("198.51.100.7:6881");

    private readonly SeededRandom _random = new(1);

    [Fact]
    public void Tokens_hold_for_one_address_and_five_to_ten_minutes()
    {
        var tokens = new AnnounceTokens(_random);
        var token = new byte[AnnounceTokens.TokenLength];
        tokens.Write(Asker, token, At(0));
        Assert.True(tokens.Verify(Asker, token, At(299)));
        Assert.True(tokens.Verify(Asker.WithPort(1), token, At(299)));
        Assert.False(tokens.Verify(Endpoint.Parse("198.51.100.8:6881"), token, At(299)));
        Assert.False(tokens.Verify(Asker, token.AsSpan(1), At(299)));
        Assert.True(tokens.Verify(Asker, token, At(301)));
        Assert.False(tokens.Verify(Asker, token, At(602)));
        tokens.Write(Asker, token, At(700));
        Assert.False(tokens.Verify(Asker, token, At(5_000)));
    }

    [Fact]
    public void Peers_are_kept_half_an_hour_and_told_to_their_family()
    {
        var store = new PeerStore();
        var topic = NodeId.Generate(_random);
        store.Add(topic, Asker, At(0));
        store.Add(topic, Endpoint.Parse("[2001:db8::1]:6881"), At(10));
        store.Add(topic, Asker, At(20)); // again
        Assert.Equal((1, 2), (store.TopicCount, store.PeerCount));
        Assert.Equal([Asker], Find(store, topic, isIPv4: true, At(1_800)));
        Assert.Equal([Endpoint.Parse("[2001:db8::1]:6881")], Find(store, topic, isIPv4: false, At(1_800)));
        Assert.Empty(Find(store, topic, isIPv4: true, At(1_820)));
        Assert.Equal((0, 0), (store.TopicCount, store.PeerCount));
    }

    [Fact]
    public void No_announcement_makes_the_store_larger_than_its_limits()
    {
        var store = new PeerStore();
        var first = NodeId.Generate(_random);
        for (var i = 0; i < 200; i++) store.Add(first, Endpoint.FromIPv4(0x1400_0000u + (uint)(i / 20), (ushort)(2_000 + i)), At(i));
        // Ten addresses with eight ports each at most, and 64 in all.
        Assert.Equal(PeerStore.MaxPeersPerTopic, store.PeerCount);
        for (var i = 0; i < 20_000; i++)
        {
            store.Add(NodeId.Generate(_random), Asker, At(300));
            Assert.InRange(store.TopicCount, 1, PeerStore.MaxTopics);
        }
        Assert.Empty(Find(store, first, isIPv4: true, At(301)));
        Assert.Equal(PeerStore.MaxTopics, store.PeerCount);
        for (var t = 0; t < 200; t++)
        {
            var topic = NodeId.Generate(_random);
            for (var i = 0; i < 64; i++) store.Add(topic, Endpoint.FromIPv4(0x1400_0000u + (uint)i, 2_000), At(400));
        }
        Assert.InRange(store.PeerCount, 64 * 100, PeerStore.MaxPeers);
    }

    [Fact] // BEP 44, test vector 3.
    public void An_item_is_where_its_hash_says()
    {
        var value = "12:Hello World!"u8;
        Assert.Equal("e5f96f6f38320f0f33959cb4d3d656452117aadb", ItemStore.TargetOf(value).ToString());
        var store = new ItemStore();
        store.Add(value, At(0));
        Assert.Equal(value, store.Find(ItemStore.TargetOf(value), At(7_199)));
        Assert.True(store.Find(ItemStore.TargetOf(value), At(7_200)).IsEmpty);
        for (var i = 0; i < 1_000; i++) store.Add("20:"u8.ToArray().Concat(_random.NextBytes(20)).ToArray(), At(i));
        Assert.Equal(ItemStore.MaxItems, store.Count);
    }

    [Fact]
    public void An_address_gets_few_answers_and_all_together_a_bounded_number()
    {
        var budget = new AnswerBudget();
        Assert.Equal(AnswerBudget.PerAddressBurst, Enumerable.Range(0, 100).Count(_ => budget.TryTake(Asker, At(0))));
        Assert.Equal(AnswerBudget.PerAddressPerSecond, Enumerable.Range(0, 100).Count(_ => budget.TryTake(Asker, At(1))));
        Assert.InRange(
            Enumerable.Range(0, 60_000).Count(i => budget.TryTake(Endpoint.FromIPv4((uint)(0x1400_0000 + i), 6_881), Timestamp.FromMilliseconds(1_000 + i))),
            60 * AnswerBudget.PerSecond * 9 / 10, (60 * AnswerBudget.PerSecond) + AnswerBudget.Burst);
    }

    [Fact]
    public void A_read_only_node_writes_to_64_addresses_until_the_first_is_two_minutes_old()
    {
        var budget = new QueryBudget();
        for (var i = 0; i < 64; i++) Assert.True(budget.TryTake(Address(i), isReadOnly: true, At(i)));
        Assert.False(budget.TryTake(Address(64), isReadOnly: true, At(64)));
        Assert.Equal(At(120), budget.NextAllowed(Address(64), isReadOnly: true, At(64)));
        Assert.True(budget.TryTake(Address(0), isReadOnly: true, At(100))); // one of them
        Assert.False(budget.TryTake(Address(64), isReadOnly: true, At(120)));
        Assert.Equal(At(121), budget.NextAllowed(Address(64), isReadOnly: true, At(120)));
        Assert.True(budget.TryTake(Address(64), isReadOnly: true, At(121)));
        Assert.False(budget.TryTake(Address(65), isReadOnly: true, At(121)));
        Assert.True(budget.TryTake(Address(65), isReadOnly: false, At(121)));
    }

    [Fact]
    public void Either_family_has_its_64_addresses()
    {
        var budget = new QueryBudget();
        for (var i = 0; i < 64; i++)
        {
            Assert.True(budget.TryTake(Address(i), isReadOnly: true, At(i)));
            Assert.True(budget.TryTake(Endpoint.Parse($"[2001:db8::{i + 1:x}]:6881"), isReadOnly: true, At(i)));
        }
        Assert.False(budget.TryTake(Address(64), isReadOnly: true, At(64)));
        Assert.False(budget.TryTake(Endpoint.Parse("[2001:db8::ffff]:6881"), isReadOnly: true, At(64)));
        Assert.Equal(128, budget.EndpointCount);
    }

    [Fact]
    public void Queries_are_paced()
    {
        var budget = new QueryBudget();
        Assert.Equal(QueryBudget.Burst, Enumerable.Range(0, 100).Count(_ => budget.TryTake(Asker, isReadOnly: true, At(0))));
        Assert.Equal(QueryBudget.PerSecond, Enumerable.Range(0, 100).Count(_ => budget.TryTake(Asker, isReadOnly: true, At(1))));
    }

    [Fact]
    public void The_majority_says_where_we_are_and_one_address_has_one_vote()
    {
        var votes = new ExternalAddressVotes();
        var us = Endpoint.Parse("203.0.113.5:40000");
        Assert.False(votes.Add(Address(0), us));
        for (var i = 0; i < 10; i++) Assert.False(votes.Add(Address(0), us));
        Assert.False(votes.Add(Address(1), Endpoint.Parse("192.0.2.1:1")));
        Assert.True(votes.Add(Address(2), us));
        Assert.Equal(new ExternalView(us.WithPort(40_000)), votes.View);
        // Liars below one half change nothing.
        for (var i = 3; i < 9; i++) votes.Add(Address(i), us);
        for (var i = 10; i < 16; i++) Assert.False(votes.Add(Address(i), Endpoint.Parse("192.0.2.1:1")));
        Assert.Equal(us, votes.View?.Mapped);
        // Those who see us there are who else may be asked.
        Assert.Equal(8, votes.Agreeing.Count());
        Assert.DoesNotContain(Address(10), votes.Agreeing);
    }

    [Fact]
    public void Another_port_at_each_node_shows_a_mapping_that_depends_on_the_destination()
    {
        var votes = new ExternalAddressVotes();
        for (var i = 0; i < 6; i++) votes.Add(Address(i), Endpoint.Parse("203.0.113.5:0").WithPort((ushort)(40_000 + i)));
        Assert.True(votes.View?.IsMappingDependent);
        // The mapping moved: as soon as most votes are of now.
        for (var i = 0; i < 16; i++) votes.Add(Address(i), Endpoint.Parse("203.0.113.5:50000"));
        Assert.Equal(Endpoint.Parse("203.0.113.5:50000"), votes.View?.Mapped);
    }

    private static Timestamp At(int seconds) => Timestamp.FromMilliseconds(1_000L * seconds);

    private static Endpoint Address(int number) => Endpoint.FromIPv4(0x1400_0000u + (uint)number, 6_881);

    private List<Endpoint> Find(PeerStore store, NodeId topic, bool isIPv4, Timestamp now)
    {
        var peers = new Endpoint[16];
        return [.. peers.AsSpan(0, store.Find(topic, isIPv4, peers, _random, now))];
    }
}
