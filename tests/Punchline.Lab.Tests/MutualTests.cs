using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>Members introduce each other, behind the kernel's NATs.</summary>
public sealed class MutualTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    // A minute until what has not led to a connection is told again, and a search among all ports of 20 s at worst.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(150);

    [Fact]
    public async Task When_the_server_has_died_and_a_symmetric_router_forgotten_all_a_member_brings_its_peer_back_to_the_others()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.FullCone), new("b", LabNat.PortRestricted), new("c", LabNat.Symmetric)], TestContext.Current.CancellationToken);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var member = tool.Join(lab, "a1", "demo", server);
        await using var restricted = tool.Join(lab, "b1", "demo", server);
        await using var symmetric = tool.Join(lab, "c1", "demo", server);
        foreach (var peer in (ToolProcess[])[member, restricted, symmetric])
        {
            await peer.ReadEventAsync("connected", Patience);
            await peer.ReadEventAsync("connected", Patience);
        }
        server.Process.Kill();
        await symmetric.ReadEventAsync("server", Patience);

        // Of its flows none goes on: to the member from another port, which its full cone lets in, and to the other not at all.
        await lab.RunAsync("c-gw", "conntrack -F", TestContext.Current.CancellationToken);
        await symmetric.SayAsync("who hears me?");
        Assert.Equal("who hears me?", (await member.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal("who hears me?", (await restricted.ReadEventAsync("message", Patience))["text"]);
    }
}
