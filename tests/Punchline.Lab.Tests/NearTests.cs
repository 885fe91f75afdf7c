using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>Two processes on one LAN, with no server that they could reach.</summary>
public sealed class NearTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private const string Secret = "a strong secret of many words 9281";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Without_any_server_members_on_one_LAN_find_each_other_and_talk()
    {
        await using var lab = await UpAsync();
        await using var alice = Join(lab, "a1");
        await using var bob = Join(lab, "a2");
        await MeetAsync(lab, alice, bob);
    }

    [Fact]
    public async Task A_server_that_cannot_be_reached_keeps_nobody_from_whom_is_near()
    {
        await using var lab = await UpAsync();
        // Nobody listens there, and nobody is there.
        await using var alice = Join(lab, "a1", "--server", "203.0.113.10:8080");
        await using var bob = Join(lab, "a2", "--server", "203.0.113.99:8080");
        await MeetAsync(lab, alice, bob);
        Assert.Equal("lost", (await alice.ReadEventAsync("server", Patience))["state"]);
    }

    [Fact]
    public async Task Two_processes_of_one_machine_find_each_other_too()
    {
        await using var lab = await UpAsync();
        await using var alice = Join(lab, "a1");
        await using var bob = Join(lab, "a1");
        Assert.Equal("lan", (await alice.ReadEventAsync("connected", Patience))["path.kind"]);
        Assert.Equal("lan", (await bob.ReadEventAsync("connected", Patience))["path.kind"]);
    }

    [Fact]
    public async Task Who_wants_no_multicast_DNS_is_told_that_a_server_is_missing()
    {
        await using var lab = await UpAsync();
        await using var alice = Join(lab, "a1", "--no-mdns");
        Assert.Equal(2, await alice.WaitForExitAsync(Patience));
    }

    private static async Task MeetAsync(NatLab lab, ToolProcess alice, ToolProcess bob)
    {
        foreach (var (peer, other) in new[] { (alice, "a2"), (bob, "a1") })
        {
            var connected = await peer.ReadEventAsync("connected", Patience);
            Assert.Equal("lan", connected["path.kind"]);
            Assert.StartsWith($"{lab.AddressOf(other)}:", connected["path.remote"], StringComparison.Ordinal);
        }
        await alice.SayAsync("hello");
        Assert.Equal("hello", (await bob.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal(0, await alice.LeaveAsync(Patience));
        Assert.Equal("left", (await bob.ReadEventAsync("left", Patience))["reason"]);
    }

    private ToolProcess Join(NatLab lab, string node, params IEnumerable<string> options) =>
        tool.Start(lab, node, ["join", "demo", "--secret", Secret, "--name", node, "--json", .. options]);

    private static async Task<NatLab> UpAsync()
    {
        LabRequirement.Check();
        return await NatLab.UpAsync([new("a", LabNat.PortRestricted) { Hosts = 2 }], TestContext.Current.CancellationToken);
    }
}
