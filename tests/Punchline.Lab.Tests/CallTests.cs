using System.Runtime.InteropServices;
using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>Calls by id, by the published tool through the kernel's NATs.</summary>
public sealed class CallTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    // Processes start on two cores that others use; none of this takes a second on an idle machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_end_of_the_input_ends_waiting()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.PortRestricted)], TestContext.Current.CancellationToken);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var waiting = tool.Start(lab, "a1", "join", "--wait", "--server", server.Option, "--state", "-", "--json");
        await waiting.ReadEventAsync("waiting", Patience);
        Assert.Equal(0, await waiting.LeaveAsync(Patience));
    }

    [Fact]
    public async Task A_call_is_asked_about_taken_and_goes_on_without_the_server()
    {
        LabRequirement.Check();
        await using var lab = await NatLab.UpAsync([new("a", LabNat.PortRestricted), new("b", LabNat.FullCone)], TestContext.Current.CancellationToken);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var callee = tool.Start(lab, "b1", "join", "--wait", "--server", server.Option, "--name", "bob", "--state", "-", "--json");
        var id = (await callee.ReadEventAsync("waiting", Patience))["peer"];

        // One who gives up.
        await using var impatient = tool.Start(lab, "a1", "call", id, "--server", server.Option, "--name", "eve", "--state", "-", "--json");
        Assert.Equal("eve", (await callee.ReadEventAsync("call", Patience))["name"]);
        Assert.True(impatient.Send(PosixSignal.SIGTERM));
        Assert.Equal(0, await impatient.WaitForExitAsync(Patience));
        await callee.ReadEventAsync("call-ended", Patience);

        await using var caller = tool.Start(lab, "a1", "call", id, "--server", server.Option, "--name", "alice", "--state", "-", "--json");
        Assert.Equal("alice", (await callee.ReadEventAsync("call", Patience))["name"]);
        await callee.SayAsync("yes");
        var seen = await caller.ReadEventAsync("connected", Patience);
        Assert.Equal(("direct", "bob"), (seen["path.kind"], seen["name"]));
        Assert.StartsWith($"{lab.AddressOf("b-gw")}:", seen["path.remote"], StringComparison.Ordinal);
        await callee.ReadEventAsync("connected", Patience);

        server.Process.Kill();
        Assert.Equal("connected", (await caller.ReadEventAsync("server", Patience))["state"]);
        Assert.Equal("lost", (await caller.ReadEventAsync("server", Patience))["state"]);
        await caller.SayAsync("can you hear me?");
        Assert.Equal("can you hear me?", (await callee.ReadEventAsync("message", Patience))["text"]);
        Assert.True(callee.Send(PosixSignal.SIGTERM));
        Assert.Equal("left", (await caller.ReadEventAsync("left", Patience))["reason"]);
        Assert.Equal(0, await caller.WaitForExitAsync(Patience));
        Assert.Equal(0, await callee.WaitForExitAsync(Patience));
    }
}
