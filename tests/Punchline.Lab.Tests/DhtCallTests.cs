using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>Calls by id with no server anywhere, by the published tool through the kernel's NATs.</summary>
public sealed class DhtCallTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly string[] NodeSites = ["m", "n", "o", "p", "q", "r", "t", "u"];

    [Fact]
    public async Task A_call_is_asked_about_and_refused_another_taken_and_one_to_nobody_is_told_so()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync(
            [new("a", LabNat.PortRestrictedRandomPort), new("b", LabNat.PortRestricted), .. NodeSites.Select(site => new LabSite(site, LabNat.Open))], TestContext.Current.CancellationToken);
        using var dht = await LabDht.StartAsync(lab, NodeSites.Select(site => site + "1"));
        await using var callee = tool.Start(lab, "b1", "join", "--wait", "--dht", "--reachable", "--bootstrap", dht.Bootstrap, "--name", "bob", "--state", "-", "--json");
        var id = (await callee.ReadEventAsync("waiting", Patience))["peer"];

        await using var unwanted = Call(lab, dht, id, "eve");
        Assert.Equal("eve", (await callee.ReadEventAsync("call", Patience))["name"]);
        await callee.SayAsync("no");
        Assert.Equal("refused", (await unwanted.ReadEventAsync("failed", Patience))["cause"]);

        await using var caller = Call(lab, dht, id, "alice");
        Assert.Equal("alice", (await callee.ReadEventAsync("call", Patience))["name"]);
        await callee.SayAsync("yes");
        var seen = await caller.ReadEventAsync("connected", Patience);
        Assert.Equal(("direct", "bob"), (seen["path.kind"], seen["name"]));
        Assert.StartsWith($"{lab.AddressOf("b-gw")}:", seen["path.remote"], StringComparison.Ordinal);
        await caller.SayAsync("can you hear me?");
        Assert.Equal("can you hear me?", (await callee.ReadEventAsync("message", Patience))["text"]);

        using var nobody = PeerIdentity.Create();
        await using var mistaken = Call(lab, dht, nobody.Id.ToString(), "alice");
        Assert.Equal("offline", (await mistaken.ReadEventAsync("failed", Patience))["cause"]);
    }

    private ToolProcess Call(NatLab lab, LabDht dht, string peer, string name) =>
        tool.Start(lab, "a1", "call", peer, "--dht", "--bootstrap", dht.Bootstrap, "--name", name, "--state", "-", "--json");
}
