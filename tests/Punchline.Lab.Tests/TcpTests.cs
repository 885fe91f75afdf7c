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

    private static async Task<NatLab> UpAsync(LabNat first)
    {
        LabRequirement.Check();
        var lab = await NatLab.UpAsync([new("a", first), new("b", LabNat.PortRestricted)], TestContext.Current.CancellationToken);
        await lab.RunAsync("b-gw", "nft insert rule ip router forward meta l4proto udp drop", TestContext.Current.CancellationToken);
        return lab;
    }

    private async Task<(string? First, string? Second)> MeetAsync(NatLab lab)
    {
        var addresses = lab.AddressesOf("s1");
        await using var server = await tool.ServeAsync(lab, "s1", "--listen", $"{addresses[0]}", "--alternate", $"{addresses[1]}");
        await using var alice = tool.Join(lab, "a1", "demo", server);
        await using var bob = tool.Join(lab, "b1", "demo", server);
        var (first, second) = (await alice.ReadEventAsync("connected", Patience), await bob.ReadEventAsync("connected", Patience));
        Assert.Equal(("tcp", "tcp"), (first["path.transport"], second["path.transport"]));
        await alice.SayAsync("from alice");
        Assert.Equal("from alice", (await bob.ReadEventAsync("message", Patience))["text"]);
        return (first["path.kind"], second["path.kind"]);
    }
}
