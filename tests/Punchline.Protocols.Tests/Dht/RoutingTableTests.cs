using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

public sealed class RoutingTableTests
{
    private static readonly TimeSpan Quarter = DhtContact.GoodFor;

    private readonly SeededRandom _random = new(1);
    private readonly NodeId _self;
    private readonly RoutingTable _table;
    private uint _last = 0x1400_0000;

    public RoutingTableTests()
    {
        _self = NodeId.Generate(_random);
        _table = new RoutingTable(_self);
    }

    [Fact]
    public void A_bucket_holds_eight_and_then_eight_replacements()
    {
        for (var i = 0; i < 30; i++) _table.HandleAnswer(_self.RandomAt(3, _random), Next(), At(i));
        Assert.Equal(RoutingTable.BucketSize, _table.Count);
        var live = _table.Contacts.ToList();
        for (var i = 0; i < 8; i++)
        {
            Fail(live[i], DhtContact.MaxFailures - 1);
            Assert.Contains(live[i], _table.Contacts);
            Fail(live[i], 1);
            Assert.DoesNotContain(live[i], _table.Contacts);
            Assert.Equal(8, _table.UsableCount);
        }
        // The latest of the 22 that came after were kept.
        Assert.All(_table.Contacts, contact => Assert.True(contact.LastAnswer >= At(22)));
        var last = _table.Contacts.First();
        Fail(last, DhtContact.MaxFailures);
        Assert.Contains(last, _table.Contacts); // nobody to take its place
        Assert.Equal((8, 7), (_table.Count, _table.UsableCount));
        _table.HandleAnswer(_self.RandomAt(3, _random), Next(), At(99));
        Assert.Equal((8, 8), (_table.Count, _table.UsableCount));
    }

    [Fact]
    public void The_longest_silent_node_is_asked_before_a_newcomer_waits_in_vain()
    {
        for (var i = 0; i < 8; i++) Assert.Null(_table.HandleAnswer(_self.RandomAt(0, _random), Next(), At(i)));
        Assert.Null(_table.HandleAnswer(_self.RandomAt(0, _random), Next(), At(10)));
        var oldest = _table.Contacts.MinBy(contact => contact.LastAnswer);
        Assert.Same(oldest, _table.HandleAnswer(_self.RandomAt(0, _random), Next(), At(9) + Quarter));
    }

    [Fact]
    public void An_address_is_in_the_table_once_and_a_claimed_id_takes_nothing()
    {
        var (id, endpoint) = (_self.RandomAt(1, _random), Next());
        _table.HandleAnswer(id, endpoint, At(0));
        _table.HandleAnswer(_self.RandomAt(2, _random), endpoint.WithPort(7_000), At(1)); // another port
        Assert.Equal(1, _table.Count);
        _table.HandleAnswer(id, Next(), At(2)); // the same id elsewhere
        Assert.Equal(endpoint, Assert.Single(_table.Contacts).Endpoint);
        var renamed = _self.RandomAt(4, _random);
        _table.HandleAnswer(renamed, endpoint, At(3)); // the node has a new id
        Assert.Equal(renamed, Assert.Single(_table.Contacts).Id);
        _table.HandleAnswer(_self, Next(), At(4)); // ours
        Assert.Equal(1, _table.Count);
        Assert.False(_table.Wants(_self.RandomAt(9, _random), endpoint.WithPort(7_001)));
        Assert.True(_table.Wants(_self.RandomAt(9, _random), Next()));
    }

    [Fact]
    public void A_node_with_its_addresses_id_displaces_one_without()
    {
        while (_table.Count < 8)
        {
            var endpoint = Next();
            var id = _self.RandomAt(0, _random);
            if (!SecureNodeId.IsValid(id, endpoint)) _table.HandleAnswer(id, endpoint, At(0));
        }
        NodeId secure;
        Endpoint home;
        do
        {
            home = Next();
            secure = SecureNodeId.Create(home, _random);
        }
        while (_self.CommonPrefix(secure) != 0);
        _table.HandleAnswer(secure, home, At(1));
        Assert.Equal(8, _table.Count);
        Assert.Contains(_table.Contacts, contact => contact.Id == secure);
    }

    [Fact]
    public void The_closest_come_in_order_and_are_the_closest()
    {
        var all = new List<NodeId>();
        for (var i = 0; i < 60; i++)
        {
            var id = _self.RandomAt(i % 12, _random);
            all.Add(id);
            _table.HandleAnswer(id, Next(), At(0));
        }
        Assert.Equal(60, _table.Count);
        var target = NodeId.Generate(_random);
        var found = new DhtContact[8];
        Assert.Equal(8, _table.FindClosest(target, found));
        Assert.Equal(all.OrderBy(id => id ^ target).Take(8), found.Select(contact => contact.Id));
        Fail(found[0], DhtContact.MaxFailures);
        _table.FindClosest(target, found);
        Assert.Equal(all.OrderBy(id => id ^ target).Skip(1).Take(8), found.Select(contact => contact.Id));
    }

    [Fact]
    public void Buckets_are_stale_a_quarter_of_an_hour_after_their_last_change()
    {
        Assert.Equal(-1, _table.FindStale(At(0)));
        _table.HandleAnswer(_self.RandomAt(0, _random), Next(), At(1));
        _table.HandleAnswer(_self.RandomAt(2, _random), Next(), At(2));
        Assert.Equal(1, _table.FindStale(At(0))); // empty, and nodes behind it
        _table.Touch(1, At(3));
        Assert.Equal(-1, _table.FindStale(At(0)));
        Assert.Equal(0, _table.FindStale(At(1)));
    }

    private static Timestamp At(int seconds) => Timestamp.FromMilliseconds(1_000L * seconds);

    private void Fail(DhtContact contact, int times)
    {
        for (var i = 0; i < times; i++) _table.HandleFailure(contact.Id, contact.Endpoint);
    }

    private Endpoint Next() => Endpoint.FromIPv4(_last += 65_539, 6_881);
}
