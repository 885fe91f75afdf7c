using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>What can be expected of two networks: the table, from both sides the same.</summary>
public sealed class ProspectTests
{
    public static TheoryData<string, string, string> Table => new()
    {
        { "open", "symmetric", "Punch" },
        { "mapped", "symmetric", "Mapping" },
        { "full-cone", "symmetric-block", "Punch" },
        { "port-restricted", "port-restricted", "Punch" },
        { "port-restricted", "symmetric-sequence", "Search" },
        { "port-restricted", "symmetric-block", "Search" },
        { "port-restricted", "symmetric", "Search" },
        { "symmetric-sequence", "symmetric-sequence", "Search" },
        { "symmetric-sequence", "symmetric", "None" },
        { "symmetric-block", "symmetric-block", "None" },
        { "symmetric", "symmetric", "None" },
        { "udp-blocked", "port-restricted", "Tcp" },
        { "udp-blocked", "udp-blocked", "Tcp" },
        { "udp-blocked", "symmetric-sequence", "Search" },
        { "udp-blocked", "symmetric-block", "Search" },
        { "udp-blocked", "symmetric", "Search" },
        { "udp-blocked", "mapped", "Tcp" },
        { "ipv6", "ipv6", "IPv6" },
        { "ipv6", "symmetric", "None" },
    };

    [Theory]
    [MemberData(nameof(Table))]
    public void Two_networks(string one, string other, string expected)
    {
        var (first, second) = (Named(one), Named(other));
        Assert.Equal(expected, Prospect.Between(first, second).Kind.ToString());
        Assert.Equal(Prospect.Between(first, second), Prospect.Between(second, first));
    }

    [Fact]
    public void A_TCP_port_that_a_gateway_maps_is_reached_from_where_UDP_is_blocked()
    {
        var mapped = Named("symmetric") with { IsMapped = true, IsTcpMapped = true };
        Assert.Equal(ProspectKind.Tcp, Prospect.Between(mapped, Named("udp-blocked")).Kind);
        Assert.Equal(ProspectKind.Mapping, Prospect.Between(mapped, Named("symmetric")).Kind);
        Assert.Equal(ProspectKind.Search, Prospect.Between(mapped with { IsTcpMapped = false }, Named("udp-blocked")).Kind);
    }

    [Fact] // whatever their IPv4 routers do
    public void Where_UDP_is_blocked_and_both_have_IPv6_they_meet_by_that_over_TCP()
    {
        var ipv6 = Named("ipv6");
        var blocked = ipv6 with { Udp = false };
        Assert.Equal(new Prospect(ProspectKind.IPv6, 1, TcpPunchPlan.Patience), Prospect.Between(blocked, ipv6));
        Assert.Equal(ProspectKind.IPv6, Prospect.Between(blocked, blocked).Kind);
        Assert.True(Prospect.Between(ipv6, ipv6).Within < TcpPunchPlan.Patience);
        Assert.Equal(ProspectKind.None, Prospect.Between(blocked, ipv6 with { Tcp = false }).Kind);
        Assert.Equal(ProspectKind.None, Prospect.Between(blocked, Named("symmetric")).Kind);
    }

    [Fact]
    public void What_is_not_known_of_a_network_is_not_promised()
    {
        var unknown = new NetworkTraits(NetworkProfile.Unknown, FilteringBehavior.Unknown) { Udp = null, Tcp = null };
        foreach (var other in OtherNetworks.All.Where(other => !other.Traits.IsMapped)) Assert.Equal(ProspectKind.Unknown, Prospect.Between(unknown, other.Traits).Kind);
        // One server only has seen it, so it may be symmetric to others.
        var unclear = new NetworkTraits(new NetworkProfile { Mapping = MappingBehavior.NotPortDependent, Allocation = PortAllocation.Random }, FilteringBehavior.Unknown);
        Assert.Equal(ProspectKind.Unknown, Prospect.Between(unclear, Named("port-restricted")).Kind);
        // A symmetric router before it is known how it chooses.
        var early = new NetworkTraits(new NetworkProfile { Mapping = MappingBehavior.AddressAndPortDependent }, FilteringBehavior.Unknown);
        Assert.Equal(ProspectKind.Unknown, Prospect.Between(early, Named("port-restricted")).Kind);
        Assert.Equal(ProspectKind.Punch, Prospect.Between(early, Named("open")).Kind);
    }

    [Fact] // SearchPlan's arithmetic
    public void A_searchs_chance_and_time_are_those_of_its_plan()
    {
        var all = Prospect.Between(Named("port-restricted"), Named("symmetric"));
        Assert.Equal(SearchPlan.Sure, all.Chance, 9); // 1 − (1 − 256 / 64,512)^1872 would be more
        Assert.InRange(all.Within.TotalSeconds, 19, 19.2); // 1,737 probes, 128 while ports are opened, and 0.4 s
        var block = Prospect.Between(Named("port-restricted"), Named("symmetric-block"));
        Assert.Equal(SearchPlan.Sure, block.Chance, 9);
        Assert.InRange(block.Within.TotalSeconds, 1.7, 1.9); // 107 probes, and 32
        var small = new NetworkTraits(new NetworkProfile { Mapping = MappingBehavior.AddressAndPortDependent, Allocation = PortAllocation.Random, FirstPort = 30_000, LastPort = 30_511 }, FilteringBehavior.Unknown);
        var blocks = Prospect.Between(small, small);
        Assert.Equal(ProspectKind.Search, blocks.Kind);
        Assert.InRange(blocks.Chance, 0.221, 0.222);
    }

    private static NetworkTraits Named(string code) => OtherNetworks.All.Single(other => other.Code == code).Traits;
}
