using System.Globalization;
using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>The doctor, behind the kernel's NATs: it names each for what it is.</summary>
public sealed class DoctorTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static TheoryData<string, string, string> Kinds => new()
    {
        { nameof(LabNat.Open), "open", "" },
        { nameof(LabNat.Firewall), "firewall", "drops" },
        { nameof(LabNat.FullCone), "full-cone", "" },
        { nameof(LabNat.AddressRestricted), "address-restricted", "drops" },
        { nameof(LabNat.PortRestricted), "port-restricted", "drops" },
        { nameof(LabNat.PortRestrictedRejecting), "port-restricted", "rejects" },
        { nameof(LabNat.PortRestrictedAccepting), "port-restricted-accepting", "rejects" },
        { nameof(LabNat.Symmetric), "symmetric", "drops" },
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task With_a_servers_second_address_a_router_is_named_rightly(string nat, string kind, string unsolicited)
    {
        var network = await ExamineAsync((LabNat)typeof(LabNat).GetProperty(nat)!.GetValue(null)!, carrier: null, withAlternate: true);
        Assert.Equal((kind, unsolicited), (network["kind"], network["unsolicited"]));
    }

    [Fact]
    public async Task A_carriers_NAT_in_front_is_seen()
    {
        var network = await ExamineAsync(LabNat.PortRestricted, carrier: LabNat.PortRestricted, withAlternate: true);
        Assert.Equal(("port-restricted", "2"), (network["kind"], network["natLayers"]));
    }

    [Fact]
    public async Task Without_a_second_address_whom_the_router_lets_in_is_not_claimed()
    {
        var network = await ExamineAsync(LabNat.FullCone, carrier: null, withAlternate: false);
        Assert.Equal("cone", network["kind"]);
        Assert.Equal(["mapping", "filtering", "nat-layers"], UnknownIn(network));
    }

    [Fact] // a router that is symmetric by address looks like another one to a server with one
    public async Task What_one_address_does_not_show_a_second_server_does_as_the_doctor_says()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.PortRestrictedRandomPort)], TestContext.Current.CancellationToken);
        await using var first = await tool.ServeAsync(lab, "s1");
        await using var second = await tool.ServeAsync(lab, "s2");
        var (one, other) = ($"{lab.AddressOf("s1")}:8080", $"{lab.AddressOf("s2")}:8080");
        Assert.Equal(["mapping", "filtering", "tcp-mapping", "nat-layers"], UnknownIn(await ExamineAsync(lab, "--stun", one)));
        Assert.Equal(["filtering", "nat-layers"], UnknownIn(await ExamineAsync(lab, "--stun", one, "--stun", other)));
    }

    [Theory]
    [InlineData("reject", "rejects")]
    [InlineData("drop", "drops")]
    public async Task UDP_that_is_rejected_is_told_from_UDP_that_is_dropped(string verdict, string refusal)
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.PortRestricted)], TestContext.Current.CancellationToken);
        await lab.BlockAsync("a", $"iifname lan0 meta l4proto udp {verdict}");
        await using var server = await tool.ServeAsync(lab, "s1");
        var network = await ExamineAsync(lab, "--server", server.Option);
        Assert.Equal(("udp-blocked", refusal), (network["kind"], network["udpRefusal"]));
    }

    [Fact]
    public async Task Without_any_server_the_DHT_says_how_its_nodes_see_this_machine()
    {
        LabRequirement.Check();
        string[] sites = ["m", "n", "o", "p"];
        await using var lab = await NatLab.UpAsync(
            [new("a", LabNat.PortRestricted), new("b", LabNat.Symmetric), .. sites.Select(site => new LabSite(site, LabNat.Open))], TestContext.Current.CancellationToken);
        using var dht = await LabDht.StartAsync(lab, sites.Select(site => site + "1"));
        foreach (var site in (string[])["a", "b"])
        {
            await using var doctor = tool.Start(lab, site + "1", "doctor", "--dht", "--bootstrap", dht.Bootstrap, "--state", "-", "--json");
            var said = await doctor.ReadEventAsync("dht", Patience);
            Assert.Equal(0, await doctor.WaitForExitAsync(Patience));
            Assert.Equal(($"{lab.AddressOf(site + "-gw")}", "true"), (said["ipv4.address"], said["ipv4.idOfAddress"].ToLowerInvariant()));
            Assert.Equal(site == "b", said["ipv4.port"].Length == 0);
            Assert.InRange(int.Parse(said["ipv4.nodes"], CultureInfo.InvariantCulture), 1, sites.Length);
        }
    }

    private static List<string> UnknownIn(ToolEvent network) => [.. network.Json.GetProperty("unknown").EnumerateArray().Select(one => one.GetProperty("code").GetString()!)];

    private async Task<ToolEvent> ExamineAsync(LabNat nat, LabNat? carrier, bool withAlternate)
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", nat) { Carrier = carrier }], TestContext.Current.CancellationToken);
        var addresses = lab.AddressesOf("s1");
        await using var server = await tool.ServeAsync(lab, "s1", withAlternate ? ["--listen", $"{addresses[0]}", "--alternate", $"{addresses[1]}"] : []);
        return await ExamineAsync(lab, "--server", server.Option);
    }

    private async Task<ToolEvent> ExamineAsync(NatLab lab, params IEnumerable<string> options)
    {
        await using var doctor = tool.Start(lab, "a1", ["doctor", "--json", .. options]);
        var network = await doctor.ReadEventAsync("network", Patience);
        Assert.Equal(0, await doctor.WaitForExitAsync(Patience));
        return network;
    }
}
