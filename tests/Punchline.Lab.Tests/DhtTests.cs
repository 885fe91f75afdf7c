using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>No server anywhere: peers find each other in a DHT on the public side of the kernel's NATs.</summary>
public sealed class DhtTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private const string Secret = "335v2-k3h52-22x47-djrbv";

    // Two who come at once meet within seconds; whoever comes later within a minute, when the others look again.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // What the first attempt has not brought about is tried again after a minute.
    private static readonly TimeSpan SearchPatience = TimeSpan.FromSeconds(150);

    private static readonly string[] NodeSites = ["m", "n", "o", "p", "q", "r", "t", "u"];

    [Fact]
    public async Task Peers_in_three_networks_meet_and_the_first_ones_death_changes_nothing_for_the_others()
    {
        LabRequirement.Check();
        await using var lab = await UpAsync(LabNat.PortRestrictedRandomPort, LabNat.PortRestricted, LabNat.AddressRestricted);
        using var dht = await LabDht.StartAsync(lab, NodeSites.Select(site => site + "1"));
        await using var alice = Join(lab, "a1", dht);
        await using var bob = Join(lab, "b1", dht);
        await using var carol = Join(lab, "c1", dht);
        ToolProcess[] peers = [alice, bob, carol];

        Dictionary<string, string> connected = [];
        foreach (var peer in peers)
        {
            for (var i = 0; i < peers.Length - 1; i++)
            {
                var said = await peer.ReadEventAsync("connected", Patience);
                Assert.Equal("direct", said["path.kind"]);
                connected[said["name"]] = said["peer"];
            }
        }
        Assert.Equal(["a1", "b1", "c1"], connected.Keys.Order(StringComparer.Ordinal));

        alice.Kill();
        Assert.Equal(connected["a1"], (await bob.ReadEventAsync("left", Patience))["peer"]);
        await bob.SayAsync("still here?");
        Assert.Equal("still here?", (await carol.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal(0, await bob.LeaveAsync(Patience));
        // In whichever order: the one said goodbye, the other fell silent.
        string[] gone = [(await carol.ReadEventAsync("left", Patience))["peer"], (await carol.ReadEventAsync("left", Patience))["peer"]];
        Assert.Equal(new[] { connected["a1"], connected["b1"] }.Order(StringComparer.Ordinal), gone.Order(StringComparer.Ordinal));
        Assert.Equal(0, await carol.LeaveAsync(Patience));
    }

    // Nodes say at which ports the routers let other sockets out, and the member who is connected to all passes on what they say of themselves.
    [Fact]
    public async Task Two_routers_that_count_and_a_port_restricted_one_meet_by_what_nodes_see_once_a_member_is_connected_to_all()
    {
        LabRequirement.Check();
        await using var lab = await UpAsync(LabNat.FullCone, LabNat.SymmetricSequential, LabNat.SymmetricSequential, LabNat.PortRestricted);
        using var dht = await LabDht.StartAsync(lab, NodeSites.Select(site => site + "1"));
        await using var member = Join(lab, "a1", dht);
        await using var one = Join(lab, "b1", dht);
        await using var other = Join(lab, "c1", dht);
        await using var restricted = Join(lab, "d1", dht);
        ToolProcess[] peers = [member, one, other, restricted];
        foreach (var peer in peers)
        {
            HashSet<string> connected = [];
            for (var i = 0; i < peers.Length - 1; i++) connected.Add((await peer.ReadEventAsync("connected", SearchPatience))["name"]);
            Assert.Equal(peers.Length - 1, connected.Count);
        }
        await one.SayAsync("who hears me?");
        foreach (var peer in (ToolProcess[])[member, other, restricted]) Assert.Equal("who hears me?", (await peer.ReadEventAsync("message", Patience))["text"]);
    }

    [Fact]
    public async Task Where_no_node_answers_it_says_so_and_what_to_do()
    {
        LabRequirement.Check();
        await using var lab = await UpAsync(LabNat.PortRestricted);
        await using var alice = tool.Start(lab, "a1", "join", "demo", "--dht", "--bootstrap", "203.0.113.99:6881", "--secret", Secret, "--state", "-");
        Assert.Equal(1, await alice.WaitForExitAsync(Patience));
        Assert.Contains("No node of the DHT answers: 203.0.113.99:6881 and those met earlier were asked for 15 s.", alice.ErrorTail, StringComparison.Ordinal);
    }

    private ToolProcess Join(NatLab lab, string node, LabDht dht) =>
        tool.Start(lab, node, "join", "demo", "--dht", "--bootstrap", dht.Bootstrap, "--secret", Secret, "--name", node, "--json");

    private static Task<NatLab> UpAsync(params LabNat[] nats) => NatLab.UpAsync(
        [.. nats.Select((nat, i) => new LabSite($"{(char)('a' + i)}", nat)), .. NodeSites.Select(site => new LabSite(site, LabNat.Open))], TestContext.Current.CancellationToken);
}
