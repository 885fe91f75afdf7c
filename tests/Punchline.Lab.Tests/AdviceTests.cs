using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>Two networks between which there is no way, the advice that is given, and the way that there is where it was followed to the letter.</summary>
public sealed class AdviceTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private const int Port = 40_000;

    // An attempt, and processes that start.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(45);

    [Fact]
    public async Task Between_symmetric_routers_a_forwarded_UDP_port_or_another_network_does_it()
    {
        await using var lab = await UpAsync(new("a", LabNat.Symmetric), new("b", LabNat.Symmetric), new("c", LabNat.AddressRestricted));
        await using var server = await ServeAsync(lab);
        var (first, second) = await FailAsync(lab, server, new("a1"), new("b1"));
        Assert.Equal(("symmetric-both", "symmetric-both"), (first["cause"], second["cause"]));
        Assert.Contains("forward a UDP port there and name it (--udp-port), or use another network", first["advice"], StringComparison.Ordinal);

        Assert.Equal("direct udp", (await MeetAsync(lab, server, new("a1"), new("c1"))).First);

        var network = await ExamineAsync(lab, "a1", server);
        Assert.Equal(["enable-mapping", "ipv6"], CodesIn(network, "advice"));
        Assert.Contains($"to the same port of this machine ({lab.AddressOf("a1")}), and name it with --udp-port", network.Json.ToString(), StringComparison.Ordinal);
        network = await ExamineAsync(lab, "a1", server, "--udp-port", $"{Port}");
        Assert.Equal(("False", "forward"), (network["forward.isForwarded"], CodesIn(network, "advice")[0]));
        await lab.ForwardAsync("a", "udp", Port);
        network = await ExamineAsync(lab, "a1", server, "--udp-port", $"{Port}");
        Assert.Equal(("True", 0), (network["forward.isForwarded"], CodesIn(network, "advice").Count));
        Assert.Equal(("mapped udp", "mapped udp"), await MeetAsync(lab, server, new("a1", "--udp-port", $"{Port}"), new("b1")));
    }

    [Fact]
    public async Task Between_symmetric_routers_IPv6_on_both_sides_does_it()
    {
        await using var lab = await UpAsync(new("a", LabNat.Symmetric), new("b", LabNat.Symmetric));
        await using var server = await tool.ServeAsync(lab, "s1");
        var (failed, _) = await FailAsync(lab, server, new("a1"), new("b1"));
        Assert.Equal("symmetric-both", failed["cause"]);
        Assert.Contains("IPv6 on both sides", failed["advice"], StringComparison.Ordinal);

        await lab.AddIPv6Async("a", "b");
        await using var reached = await tool.ServeAtAsync(lab, "s1", 8090);
        Assert.Equal(("direct udp", "direct udp"), await MeetAsync(lab, reached, new("a1"), new("b1")));
    }

    [Fact]
    public async Task A_symmetric_router_that_begins_to_map_ports_lets_in_everybody()
    {
        await using var lab = await UpAsync(new("a", LabNat.Symmetric), new("b", LabNat.Symmetric));
        await using var server = await ServeAsync(lab);
        Assert.Equal("enable-mapping", CodesIn(await ExamineAsync(lab, "b1", server), "advice")[0]);
        await using var gateway = await LabGateway.StartAsync(lab, "a", LabNat.Symmetric, allows: false);
        Assert.Equal("allow-mapping", CodesIn(await ExamineAsync(lab, "a1", server), "advice")[0]);
        Assert.Equal("symmetric-both", (await FailAsync(lab, server, new("a1"), new("b1"))).First["cause"]);

        await gateway.RestartAsync(allows: true);
        Assert.Empty(CodesIn(await ExamineAsync(lab, "a1", server), "advice"));
        Assert.Equal(("mapped udp", "mapped udp"), await MeetAsync(lab, server, new("a1"), new("b1")));
    }

    [Fact]
    public async Task Of_two_NATs_one_goes()
    {
        await using (var lab = await UpAsync(new LabSite("a", LabNat.Symmetric) { Carrier = LabNat.PortRestricted }))
        {
            await using var server = await ServeAsync(lab);
            var network = await ExamineAsync(lab, "a1", server);
            Assert.Equal(("2", "public-address"), (network["natLayers"], CodesIn(network, "advice")[0]));
        }
        await using (var lab = await UpAsync(new("a", LabNat.Symmetric), new("b", LabNat.Symmetric)))
        {
            await using var server = await ServeAsync(lab);
            await using var gateway = await LabGateway.StartAsync(lab, "a", LabNat.Symmetric);
            Assert.Equal(("mapped udp", "mapped udp"), await MeetAsync(lab, server, new("a1"), new("b1")));
        }
    }

    private static async Task<NatLab> UpAsync(params IReadOnlyList<LabSite> sites)
    {
        LabRequirement.Check();
        return await NatLab.UpAsync(sites, TestContext.Current.CancellationToken);
    }

    private Task<ToolServer> ServeAsync(NatLab lab)
    {
        var addresses = lab.AddressesOf("s1");
        return tool.ServeAsync(lab, "s1", "--listen", $"{addresses[0]}", "--alternate", $"{addresses[1]}");
    }

    private async Task<ToolEvent> ExamineAsync(NatLab lab, string node, ToolServer server, params IEnumerable<string> options)
    {
        await using var doctor = tool.Start(lab, node, ["doctor", "--server", server.Option, "--json", .. options]);
        var network = await doctor.ReadEventAsync("network", Patience);
        await doctor.WaitForExitAsync(Patience);
        return network;
    }

    private static List<string> CodesIn(ToolEvent network, string list) => [.. network.Json.GetProperty(list).EnumerateArray().Select(one => one.GetProperty("code").GetString()!)];

    private async Task<(ToolEvent First, ToolEvent Second)> FailAsync(NatLab lab, ToolServer server, Peer one, Peer other)
    {
        await using var first = tool.Join(lab, one.Node, "demo", server, one.Options);
        await using var second = tool.Join(lab, other.Node, "demo", server, other.Options);
        return (await first.ReadEventAsync("failed", Patience), await second.ReadEventAsync("failed", Patience));
    }

    // How each sees the path, and that it carries.
    private async Task<(string First, string Second)> MeetAsync(NatLab lab, ToolServer server, Peer one, Peer other)
    {
        await using var first = tool.Join(lab, one.Node, "demo", server, one.Options);
        await using var second = tool.Join(lab, other.Node, "demo", server, other.Options);
        var (here, there) = (await first.ReadEventAsync("connected", Patience), await second.ReadEventAsync("connected", Patience));
        await first.SayAsync("from the first");
        Assert.Equal("from the first", (await second.ReadEventAsync("message", Patience))["text"]);
        return (WayOf(here), WayOf(there));
    }

    private static string WayOf(ToolEvent connected) => $"{connected["path.kind"]} {connected["path.transport"]}";

    /// <param name="Node">Where it runs.</param>
    /// <param name="Options">What was typed beside the server.</param>
    private sealed record Peer(string Node, params IReadOnlyList<string> Options);
}
