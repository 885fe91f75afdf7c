using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>
/// A sample of the matrix, by the published tool through the kernel's NATs: every kind of network at least once. The whole
/// matrix is measured in simulation (Punchline.Simulation.Tests, MeetingTests).
/// </summary>
public sealed class MatrixTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private const string Room = "demo";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly LabSite[] Networks =
    [
        new("open", LabNat.Open),
        new("firewall", LabNat.Firewall),
        new("full", LabNat.FullCone),
        new("address", LabNat.AddressRestricted),
        new("port", LabNat.PortRestricted),
        new("moved", LabNat.PortRestrictedRandomPort),
        new("accepts", LabNat.PortRestrictedAccepting),
        new("rejects", LabNat.PortRestrictedRejecting),
        new("carrier", LabNat.PortRestricted) { Carrier = LabNat.PortRestricted },
        new("sym", LabNat.Symmetric),
        new("mobile", LabNat.PortRestricted) { Carrier = LabNat.Symmetric },
    ];

    [Theory]
    [InlineData("open", "firewall")]
    [InlineData("firewall", "accepts")] // only because hosts with public addresses send openers too
    [InlineData("moved", "rejects")]
    [InlineData("carrier", "accepts")]
    [InlineData("address", "port")]
    [InlineData("sym", "full")]
    [InlineData("address", "sym")]
    [InlineData("sym", "open")]
    [InlineData("mobile", "port")] // a search, whose openers have to pass two NATs
    public async Task Peers_in_two_networks_meet_and_talk_without_the_server(string first, string second)
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([Named(first), Named(second)], TestContext.Current.CancellationToken);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var alice = tool.Join(lab, first + "1", Room, server);
        await using var bob = tool.Join(lab, second + "1", Room, server);
        Assert.Equal("direct", (await alice.ReadEventAsync("connected", Patience))["path.kind"]);
        Assert.Equal("direct", (await bob.ReadEventAsync("connected", Patience))["path.kind"]);

        server.Process.Kill();
        await alice.SayAsync("from alice");
        await bob.SayAsync("from bob");
        Assert.Equal("from alice", (await bob.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal("from bob", (await alice.ReadEventAsync("message", Patience))["text"]);
    }

    private static LabSite Named(string name) => Networks.Single(site => string.Equals(site.Name, name, StringComparison.Ordinal));
}
