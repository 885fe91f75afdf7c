using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>Where a router lets no UDP pass, by the published tool through the kernel's NATs.</summary>
public sealed class TcpTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    // A search that lasts longest, and processes that start.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    [Fact]
    public async Task Peers_meet_by_TCP_alone()
    {
        await using var lab = await UpAsync(LabNat.PortRestricted);
        Assert.Equal(("direct", "direct"), await MeetAsync(lab));
    }

    [Fact]
    public async Task A_router_that_rejects_UDP_is_named_while_TCP_is_tried()
    {
        await using var lab = await UpAsync(LabNat.PortRestricted);
        await lab.BlockAsync("a", "iifname lan0 meta l4proto udp reject");
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var alice = tool.Join(lab, "a1", "demo", server);
        await using var bob = tool.Join(lab, "b1", "demo", server);
        var trying = await alice.ReadEventAsync("trying", Patience);
        Assert.Equal(("tcp", "This network rejects UDP: 192.168.1.1 says so. TCP is tried."), (trying["means"], trying["detail"]));
        Assert.Equal("tcp", (await alice.ReadEventAsync("connected", Patience))["path.transport"]);
    }

    [Fact]
    public async Task A_port_that_a_gateway_maps_is_reached_by_TCP()
    {
        await using var lab = await UpAsync(LabNat.Symmetric);
        await using var gateway = await LabGateway.StartAsync(lab, "a", LabNat.Symmetric);
        Assert.Equal(("mapped", "mapped"), await MeetAsync(lab));
    }

    [Fact]
    public async Task Ports_of_a_router_that_draws_them_are_searched()
    {
        await using var lab = await UpAsync(LabNat.Symmetric);
        Assert.Equal(("direct", "direct"), await MeetAsync(lab));
    }

    // IPv4 is none for TCP: both routers give each destination another port.
    [Theory]
    [InlineData(LabIPv6Filter.Drop, true, LabIPv6Filter.Open, false)]
    [InlineData(LabIPv6Filter.Drop, true, LabIPv6Filter.Drop, false)]
    [InlineData(LabIPv6Filter.Drop, false, LabIPv6Filter.Drop, false)]
    [InlineData(LabIPv6Filter.Reject, false, LabIPv6Filter.Reject, false)]
    internal async Task Firewalls_of_IPv6_are_crossed_by_TCP(LabIPv6Filter first, bool firstPassesUdp, LabIPv6Filter second, bool secondPassesUdp)
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.Symmetric), new("b", LabNat.Symmetric)], TestContext.Current.CancellationToken);
        await LabIPv6.AddAsync(lab, ("a", first, firstPassesUdp), ("b", second, secondPassesUdp));
        foreach (var router in new[] { (Node: "a-gw", firstPassesUdp), (Node: "b-gw", secondPassesUdp) }.Where(router => !router.Item2))
            await lab.RunAsync(router.Node, "nft insert rule ip router forward meta l4proto udp drop", TestContext.Current.CancellationToken);
        Assert.Equal(("direct", "direct"), await MeetAsync(lab, "[2001:db8:a:"));
    }

    private static async Task<NatLab> UpAsync(LabNat first)
    {
        LabRequirement.Check();
        var lab = await NatLab.UpAsync([new("a", first), new("b", LabNat.PortRestricted)], TestContext.Current.CancellationToken);
        await lab.RunAsync("b-gw", "nft insert rule ip router forward meta l4proto udp drop", TestContext.Current.CancellationToken);
        return lab;
    }

    private async Task<(string? First, string? Second)> MeetAsync(NatLab lab, string remote = "")
    {
        var addresses = lab.AddressesOf("s1");
        await using var server = await tool.ServeAsync(lab, "s1", "--listen", $"{addresses[0]}", "--alternate", $"{addresses[1]}");
        await using var alice = tool.Join(lab, "a1", "demo", server);
        await using var bob = tool.Join(lab, "b1", "demo", server);
        var (first, second) = (await alice.ReadEventAsync("connected", Patience), await bob.ReadEventAsync("connected", Patience));
        Assert.Equal(("tcp", "tcp"), (first["path.transport"], second["path.transport"]));
        Assert.All(new[] { first, second }, connected => Assert.StartsWith(remote, connected["path.remote"], StringComparison.Ordinal));
        await alice.SayAsync("from alice");
        Assert.Equal("from alice", (await bob.ReadEventAsync("message", Patience))["text"]);
        return (first["path.kind"], second["path.kind"]);
    }
}
