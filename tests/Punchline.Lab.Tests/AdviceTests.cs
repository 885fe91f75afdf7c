using System.Net;
using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>Two networks between which there is no way, the advice that is given, and the way that there is where it was followed to the letter.</summary>
public sealed class AdviceTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private const int Port = 40_000;
    private const string BrowsersOnly = "iifname lan0 meta l4proto udp drop\niifname lan0 tcp dport != { 80, 443 } drop";

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
        await using var lab = await UpAsync(new("a", LabNat.Symmetric), new("b", LabNat.Symmetric), new("c", LabNat.Symmetric) { Carrier = LabNat.PortRestricted });
        await using var server = await ServeAsync(lab);
        // The first's is what the third's would be without the outer NAT.
        Assert.Equal("public-address", CodesIn(await ExamineAsync(lab, "c1", server), "advice")[0]);
        Assert.Equal("enable-mapping", CodesIn(await ExamineAsync(lab, "b1", server), "advice")[0]);
        await using var gateway = await LabGateway.StartAsync(lab, "a", LabNat.Symmetric, allows: false);
        Assert.Equal("allow-mapping", CodesIn(await ExamineAsync(lab, "a1", server), "advice")[0]);
        Assert.Equal("symmetric-both", (await FailAsync(lab, server, new("a1"), new("b1"))).First["cause"]);

        await gateway.RestartAsync(allows: true);
        Assert.Empty(CodesIn(await ExamineAsync(lab, "a1", server), "advice"));
        Assert.Equal(("mapped udp", "mapped udp"), await MeetAsync(lab, server, new("a1"), new("b1")));
    }

    [Fact] // pairs that fail side by side, for each takes its 20 s
    public async Task Where_nothing_comes_or_nothing_goes()
    {
        await using var lab = await UpAsync(
            new("blocked", LabNat.PortRestricted), new("peer", LabNat.PortRestricted),
            new("web", LabNat.PortRestricted), new("behind", LabNat.PortRestricted),
            new("liar", LabNat.PortRestricted), new("other", LabNat.PortRestricted),
            new("sends", LabNat.PortRestricted), new("hears", LabNat.PortRestricted),
            new("four", LabNat.PortRestricted), new("six", LabNat.PortRestricted));
        var servers = string.Join(", ", lab.AddressesOf("s1"));
        await lab.BlockAsync("blocked", $"iifname lan0 ip daddr != {{ {servers} }} drop\nmeta l4proto udp drop");
        await lab.BlockAsync("web", BrowsersOnly);
        // Two routers that show servers one port for all, and everybody else another each.
        foreach (var site in (string[])["liar", "other"])
            await lab.RunAsync(site + "-gw", $"nft insert rule ip router outbound oifname wan0 ip daddr != '{{ {servers} }}' snat to {lab.AddressOf(site + "-gw")} fully-random", Token);
        await lab.BlockAsync("hears", $"iifname wan0 ip saddr {lab.AddressOf("sends-gw")} drop");
        await lab.AddIPv6Async("six");
        await lab.RunAsync("six1", "ip -4 address flush dev eth0", Token);
        await using var server = await ServeAsync(lab);
        await using var serverForBrowsers = await tool.ServeAtAsync(lab, "s1", 443, "--listen", $"{lab.AddressOf("s1")}");
        await using var serverOfBoth = await tool.ServeAtAsync(lab, "s1", 8090);
        var sixth = new Peer("six1") { Server = serverOfBoth.Option.Replace($"{lab.AddressOf("s1")}", $"[{LabChanges.ServerIPv6}]", StringComparison.Ordinal) };
        var failed = await Task.WhenAll(
            FailAsync(lab, server, new("blocked1"), new("peer1")),
            FailAsync(lab, serverForBrowsers, new("web1"), new("behind1")),
            FailAsync(lab, server, new("liar1"), new("other1"), "liars"),
            FailAsync(lab, server, new("sends1"), new("hears1"), "firewall"),
            FailAsync(lab, serverOfBoth, new("four1"), sixth));
        Assert.Equal(
            ["udp-blocked udp-blocked", "udp-blocked udp-blocked", "no-answer no-answer", "one-way no-answer", "no-common-family no-common-family"],
            failed.Select(pair => $"{pair.First["cause"]} {pair.Second["cause"]}"));
        Assert.Contains("Allow outgoing UDP in its firewall", failed[0].First["advice"], StringComparison.Ordinal);
        Assert.Contains("Allow outgoing UDP in the peer's network", failed[0].Second["advice"], StringComparison.Ordinal);
        Assert.Contains("the other peer is reached at TCP port 443: it runs with --tcp-port 443, and its router forwards that port", failed[1].First["advice"], StringComparison.Ordinal);
        Assert.Contains("forward a UDP port on one side, and name it there (--udp-port)", failed[2].First["advice"], StringComparison.Ordinal);
        Assert.Contains("Have its router forward a UDP port, and name it there (--udp-port)", failed[3].First["advice"], StringComparison.Ordinal);
        Assert.Contains("Use a network that has both on one side", failed[4].First["advice"], StringComparison.Ordinal);

        await lab.UnblockAsync("blocked");
        await lab.ForwardAsync("behind", "tcp", 443);
        await lab.ForwardAsync("other", "udp", Port);
        await lab.ForwardAsync("hears", "udp", Port);
        await lab.RunAsync("hears-gw", $"nft insert rule ip blocks forward iifname wan0 udp dport {Port} accept", Token);
        await lab.RunAsync("six1", $"ip address add {lab.AddressOf("six1")}/24 dev eth0; ip route add default via {Gateway(lab, "six1")}", Token);
        string[] chosen = ["--udp-port", $"{Port}"];
        Assert.Equal(
            ["direct udp", "direct tcp", "direct udp", "direct udp", "direct udp"],
            (await Task.WhenAll(
                MeetAsync(lab, server, new("blocked1"), new("peer1")),
                MeetAsync(lab, serverForBrowsers, new("web1"), new("behind1", "--tcp-port", "443")),
                MeetAsync(lab, server, new("liar1"), new("other1", chosen), "liars"),
                MeetAsync(lab, server, new("sends1"), new("hears1", chosen), "firewall"),
                MeetAsync(lab, serverOfBoth, new("four1"), sixth))).Select(met => met.First));
    }

    [Fact]
    public async Task A_network_for_browsers_reaches_a_server_at_port_443_and_a_peer_there()
    {
        await using var lab = await UpAsync(new("web", LabNat.PortRestricted), new("b", LabNat.Open));
        await lab.BlockAsync("web", BrowsersOnly);
        await using (var elsewhere = await tool.ServeAsync(lab, "s1"))
        {
            var network = await ExamineAsync(lab, "web1", elsewhere);
            Assert.Equal(("web-only", "port-443 allow-udp"), (network["kind"], string.Join(' ', CodesIn(network, "advice"))));
        }

        await using var server = await tool.ServeAtAsync(lab, "s1", 443);
        Assert.Equal(("direct tcp", "direct tcp"), await MeetAsync(lab, server, new("web1"), new("b1", "--tcp-port", "443")));
    }

    [Fact]
    public async Task Where_luck_is_against_a_search_a_forwarded_port_needs_none()
    {
        await using var lab = await UpAsync(new("a", LabNat.Symmetric), new("b", LabNat.Symmetric));
        foreach (var site in (string[])["a", "b"])
            await lab.RunAsync(site + "-gw", $"nft insert rule ip router outbound oifname wan0 meta l4proto udp snat to {lab.AddressOf(site + "-gw")}:30000-30511 fully-random", Token);
        // One of five attempts would meet.
        await lab.RunAsync("wan", "nft -f - <<'END'\ntable ip luck {\nchain forward {\ntype filter hook forward priority filter;\nudp sport 30000-30511 udp dport 30000-30511 drop\n}\n}\nEND", Token);
        await using var server = await ServeAsync(lab);
        var (failed, _) = await FailAsync(lab, server, new("a1"), new("b1"));
        Assert.Equal("search-failed", failed["cause"]);
        Assert.Contains("forward a UDP port there and name it (--udp-port)", failed["advice"], StringComparison.Ordinal);

        await lab.ForwardAsync("b", "udp", Port);
        Assert.Equal(("mapped udp", "mapped udp"), await MeetAsync(lab, server, new("a1"), new("b1", "--udp-port", $"{Port}")));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<NatLab> UpAsync(params IReadOnlyList<LabSite> sites)
    {
        LabRequirement.Check();
        return await NatLab.UpAsync(sites, Token);
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

    private async Task<(ToolEvent First, ToolEvent Second)> FailAsync(NatLab lab, ToolServer server, Peer one, Peer other, string room = "demo")
    {
        await using var first = Join(lab, server, one, room);
        await using var second = Join(lab, server, other, room);
        return (await first.ReadEventAsync("failed", Patience), await second.ReadEventAsync("failed", Patience));
    }

    // How each sees the path, and that it carries.
    private async Task<(string First, string Second)> MeetAsync(NatLab lab, ToolServer server, Peer one, Peer other, string room = "demo")
    {
        await using var first = Join(lab, server, one, room);
        await using var second = Join(lab, server, other, room);
        var (here, there) = (await first.ReadEventAsync("connected", Patience), await second.ReadEventAsync("connected", Patience));
        await first.SayAsync("from the first");
        Assert.Equal("from the first", (await second.ReadEventAsync("message", Patience))["text"]);
        return (WayOf(here), WayOf(there));
    }

    private ToolProcess Join(NatLab lab, ToolServer server, Peer peer, string room) => tool.Join(lab, peer.Node, room, peer.Server is { } option ? server with { Option = option } : server, peer.Options);

    private static IPAddress Gateway(NatLab lab, string host)
    {
        var address = lab.AddressOf(host).GetAddressBytes();
        address[^1] = 1;
        return new IPAddress(address);
    }

    private static string WayOf(ToolEvent connected) => $"{connected["path.kind"]} {connected["path.transport"]}";

    /// <param name="Node">Where it runs.</param>
    /// <param name="Options">What was typed beside the server.</param>
    private sealed record Peer(string Node, params IReadOnlyList<string> Options)
    {
        /// <summary>How it reaches the server, where that is another way than others'.</summary>
        public string? Server { get; init; }
    }
}
