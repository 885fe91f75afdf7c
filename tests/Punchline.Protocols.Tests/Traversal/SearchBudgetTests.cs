using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>What a search may cost: PROTOCOL §5.</summary>
public sealed class SearchBudgetTests
{
    private readonly SearchBudget _budget = new();
    private readonly object _search = new();

    [Fact]
    public void A_search_makes_256_mappings_100_a_second_and_the_next_waits_for_a_minute()
    {
        Assert.True(_budget.TryBegin(_search, Timestamp.Zero));
        var now = Timestamp.Zero;
        var taken = 0;
        for (; taken < 1_000 && now < Timestamp.FromMilliseconds(10_000); now = Timestamp.Max(_budget.NextAllowed(now), now + TimeSpan.FromMilliseconds(1)))
        {
            while (_budget.TryTakeMapping(now)) taken++;
            if (taken == SearchBudget.MaxMappings) break;
        }
        Assert.Equal(256, taken);
        Assert.InRange((now - Timestamp.Zero).TotalMilliseconds, 2_500, 2_600);
        _budget.End(_search);
        Assert.False(_budget.TryBegin(_search, now + TimeSpan.FromSeconds(59)));
        Assert.True(_budget.TryBegin(_search, now + TimeSpan.FromSeconds(61)));
        Assert.Equal((256UL, 0UL), (_budget.Mappings, _budget.Probes));
    }

    [Fact]
    public void What_TCP_has_spent_is_spent_for_as_long_as_routers_remember_it()
    {
        Assert.True(_budget.TryBegin(_search, Timestamp.Zero));
        var now = Timestamp.Zero;
        for (; !_budget.IsProbesExhausted; now = _budget.NextAllowed(now)) _budget.TryTakeProbe(now, Carrier.Tcp);
        _budget.End(_search);
        Assert.False(_budget.TryBegin(_search, now + TimeSpan.FromSeconds(149)));
        Assert.True(_budget.TryBegin(_search, now + TimeSpan.FromSeconds(151)));
    }

    [Fact]
    public void A_search_tries_2000_ports_in_20_seconds()
    {
        Assert.True(_budget.TryBegin(_search, Timestamp.Zero));
        var (now, taken) = (Timestamp.Zero, 0);
        for (; !_budget.IsProbesExhausted; now = _budget.NextAllowed(now))
        {
            while (_budget.TryTakeProbe(now)) taken++;
        }
        Assert.Equal(2_000, taken);
        Assert.InRange((now - Timestamp.Zero).TotalMilliseconds, 19_950, 20_050);
    }

    [Fact]
    public void What_needs_more_than_is_left_does_not_begin_before_all_is_forgotten()
    {
        Assert.True(_budget.TryBegin(_search, Timestamp.Zero, SearchPlan.EnoughSockets));
        var now = Timestamp.Zero;
        for (var i = 0; i < SearchBudget.MaxMappings - SearchPlan.EnoughSockets + 1; i++, now = _budget.NextAllowed(now)) Assert.True(_budget.TryTakeMapping(now));
        _budget.End(_search);
        Assert.False(_budget.TryBegin(_search, now, SearchPlan.EnoughSockets));
        Assert.True(_budget.TryBegin(_search, now, SearchPlan.EnoughSockets - 1));
        Assert.True(_budget.TryBegin(_search, now + SearchBudget.Pause, SearchPlan.EnoughSockets));
    }

    [Fact]
    public void One_search_at_a_time()
    {
        var other = new object();
        Assert.True(_budget.TryBegin(_search, Timestamp.Zero));
        Assert.True(_budget.TryBegin(_search, Timestamp.Zero));
        Assert.False(_budget.TryBegin(other, Timestamp.Zero));
        _budget.End(other); // is not its own
        Assert.False(_budget.TryBegin(other, Timestamp.Zero));
        _budget.End(_search);
        Assert.True(_budget.TryBegin(other, Timestamp.Zero));
    }

    [Theory]
    [InlineData(9)]
    [InlineData(1_024)]
    [InlineData(64_512)]
    public void A_scan_comes_by_every_port_once_before_it_begins_again(int ports)
    {
        var first = Endpoint.Parse("198.51.100.1:1024");
        var scan = new PortScan(new PortOffer(1, first, (ushort)(1_023 + ports), 1), new SeededRandom(3));
        for (var round = 0; round < 2; round++)
        {
            var seen = Enumerable.Range(0, ports).Select(_ => scan.Next().Port).ToHashSet();
            Assert.Equal(ports, seen.Count);
            Assert.Equal((1_024, 1_023 + ports), (seen.Min(), seen.Max()));
        }
    }

    [Fact]
    public void What_was_tried_while_the_other_side_opened_its_sockets_is_tried_once_more()
    {
        var scan = new PortScan(new PortOffer(1, Endpoint.Parse("198.51.100.1:1024"), 65_535, Sockets: 256), new SeededRandom(3));
        Assert.False(scan.HasRepeats);
        Endpoint[] tried = [.. Enumerable.Range(0, 2_000).Select(_ => scan.Next())];
        var repeated = new List<Endpoint>();
        while (scan.HasRepeats) repeated.Add(scan.Repeat());
        Assert.Equal(tried[..256], repeated);
    }
}
