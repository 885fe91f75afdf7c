using System.Runtime.InteropServices;
using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>The product's promise, by the published tool through the kernel's NATs: peers meet, talk, and talk on when the server is dead.</summary>
public sealed class JoinTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private const string Room = "demo";

    // Processes start on two cores that others use; none of this takes a second on an idle machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public Task Port_restricted_sites_meet_and_go_on_without_the_server() => MeetTalkAndGoOnAsync(LabNat.PortRestricted, LabNat.PortRestricted);

    [Fact]
    public Task Accepting_sites_meet_and_go_on_without_the_server() => MeetTalkAndGoOnAsync(LabNat.PortRestrictedAccepting, LabNat.PortRestrictedAccepting);

    [Fact]
    public async Task A_signal_leaves_at_once_and_is_told_to_the_others()
    {
        await using var lab = await UpAsync(LabNat.PortRestricted, LabNat.PortRestricted);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var alice = tool.Join(lab, "a1", Room, server);
        await using var bob = tool.Join(lab, "b1", Room, server);
        var aliceId = (await alice.ReadEventAsync("ready", Patience))["peer"];
        await bob.ReadEventAsync("connected", Patience);
        await alice.ReadEventAsync("connected", Patience);

        Assert.True(alice.Send(PosixSignal.SIGTERM));

        Assert.Equal(0, await alice.WaitForExitAsync(Patience));
        var left = await bob.ReadEventAsync("left", Patience);
        Assert.Equal(aliceId, left["peer"]);
        Assert.Equal("left", left["reason"]);
        Assert.True(bob.Send(PosixSignal.SIGINT));
        Assert.Equal(0, await bob.WaitForExitAsync(Patience));
        Assert.True(server.Process.Send(PosixSignal.SIGTERM));
        Assert.Equal(0, await server.Process.WaitForExitAsync(Patience));
    }

    [Fact]
    public async Task What_is_piped_in_is_delivered_before_leaving()
    {
        await using var lab = await UpAsync(LabNat.PortRestricted, LabNat.PortRestricted);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var bob = tool.Join(lab, "b1", Room, server);
        await bob.ReadEventAsync("ready", Patience);
        var megabyte = new string('m', 1 << 20);

        // The lines are there, and the input at its end, before anybody is connected.
        await using var alice = tool.Join(lab, "a1", Room, server);
        await alice.SayAsync("one");
        await alice.SayAsync(megabyte);
        await alice.SayAsync(megabyte + "and one more");
        await alice.SayAsync("the last");
        var exitCode = await alice.LeaveAsync(Patience);

        Assert.Equal("one", (await bob.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal(megabyte, (await bob.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal("the last", (await bob.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal("left", (await bob.ReadEventAsync("left", Patience))["reason"]);
        // One line was too long.
        Assert.Equal(1, exitCode);
    }

    [Fact]
    public async Task At_a_terminal_lines_can_be_corrected_and_control_d_leaves()
    {
        await using var lab = await UpAsync(LabNat.PortRestricted, LabNat.PortRestricted);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var alice = tool.Join(lab, "a1", Room, server);
        await using var terminal = new ToolProcess("terminal", lab.Start(
            "b1", "script", "--quiet", "--return", "--command", $"exec {PublishedTool.Program} join {Room} --lines --server {server.Option} --name typist --state -", "/dev/null"));
        await alice.ReadEventAsync("connected", Patience);

        await terminal.SayAsync("helpo\x7f\x7flo\n"); // backspace twice; then an empty line, which says nothing
        await terminal.SayAsync("bye\n\x04");

        Assert.Equal("hello", (await alice.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal("bye", (await alice.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal("left", (await alice.ReadEventAsync("left", Patience))["reason"]);
        Assert.Equal(0, await terminal.WaitForExitAsync(Patience));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Interactive_asks_for_what_is_missing_and_leaves_at_once(bool atTerminal)
    {
        await using var lab = await UpAsync(LabNat.PortRestricted, LabNat.PortRestricted);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var alice = tool.Join(lab, "a1", Room, server, "--secret", "between us two only");
        await alice.ReadEventAsync("ready", Patience);
        // exec: Ctrl+C is for the whole foreground, and some shells would end by it too.
        await using var typist = atTerminal
            ? new ToolProcess("terminal", lab.Start("b1", "script", "--quiet", "--return", "--command", $"exec {PublishedTool.Program} join --interactive --lines --state -", "/dev/null"))
            : tool.Start(lab, "b1", "join", "--interactive", "--state", "-");

        await typist.SayAsync($"{server.Option}\ntypist\n{Room}\nbetween us two only\nhello");
        var message = await alice.ReadEventAsync("message", Patience);
        Assert.Equal(("typist", "hello"), (message["name"], message["text"]));

        // Ctrl+C; or the end of what is piped in.
        if (atTerminal) await typist.SayAsync("\x03");
        Assert.Equal(0, atTerminal ? await typist.WaitForExitAsync(Patience) : await typist.LeaveAsync(Patience));
        Assert.Equal("left", (await alice.ReadEventAsync("left", Patience))["reason"]);
    }

    [Fact]
    public async Task Three_peers_of_one_home_directory_see_each_other()
    {
        await using var lab = await UpAsync(LabNat.PortRestricted, LabNat.PortRestricted);
        await using var server = await tool.ServeAsync(lab, "s1");
        var state = Directory.CreateTempSubdirectory("punchline-state-");
        try
        {
            // The first holds the identity; the others say that theirs are temporary.
            await using var one = tool.Join(lab, "a1", Room, server, "--state", state.FullName);
            await one.ReadEventAsync("ready", Patience);
            await using var two = tool.Join(lab, "a1", Room, server, "--state", state.FullName);
            await using var three = tool.Join(lab, "a1", Room, server, "--state", state.FullName);
            HashSet<string> seen = [];
            foreach (var peer in (ToolProcess[])[one, two, three])
            {
                seen.Add((await peer.ReadEventAsync("connected", Patience))["peer"]);
                seen.Add((await peer.ReadEventAsync("connected", Patience))["peer"]);
            }

            Assert.Equal(3, seen.Count);
            foreach (var peer in (ToolProcess[])[one, two, three]) Assert.Equal(0, await peer.LeaveAsync(Patience));
        }
        finally
        {
            state.Delete(recursive: true);
        }
    }

    private async Task MeetTalkAndGoOnAsync(LabNat aliceNat, LabNat bobNat)
    {
        await using var lab = await UpAsync(aliceNat, bobNat);
        await using var server = await tool.ServeAsync(lab, "s1");
        await using var alice = tool.Join(lab, "a1", Room, server);
        await using var bob = tool.Join(lab, "b1", Room, server);

        var seenByAlice = await alice.ReadEventAsync("connected", Patience);
        var seenByBob = await bob.ReadEventAsync("connected", Patience);
        Assert.Equal("direct", seenByAlice["path.kind"]);
        Assert.Equal("b1", seenByAlice["name"]);
        Assert.StartsWith($"{lab.AddressOf("b-gw")}:", seenByAlice["path.remote"], StringComparison.Ordinal);
        Assert.StartsWith($"{lab.AddressOf("a-gw")}:", seenByBob["path.remote"], StringComparison.Ordinal);
        Assert.StartsWith($"{lab.AddressOf("a1")}:", seenByAlice["path.local"], StringComparison.Ordinal);
        await TalkAsync(alice, bob, "before");

        server.Process.Kill();
        foreach (var peer in (ToolProcess[])[alice, bob])
        {
            Assert.Equal("connected", (await peer.ReadEventAsync("server", Patience))["state"]);
            Assert.Equal("lost", (await peer.ReadEventAsync("server", Patience))["state"]);
        }

        await TalkAsync(alice, bob, "after");
        Assert.Equal(0, await alice.LeaveAsync(Patience));
        Assert.Equal("left", (await bob.ReadEventAsync("left", Patience))["reason"]);
        Assert.Equal(0, await bob.LeaveAsync(Patience));
    }

    private static async Task TalkAsync(ToolProcess alice, ToolProcess bob, string text)
    {
        await alice.SayAsync($"{text}, from alice");
        await bob.SayAsync($"{text}, from bob");
        Assert.Equal($"{text}, from alice", (await bob.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal($"{text}, from bob", (await alice.ReadEventAsync("message", Patience))["text"]);
        await alice.ReadEventAsync("delivered", Patience);
        await bob.ReadEventAsync("delivered", Patience);
    }

    private static async Task<NatLab> UpAsync(LabNat aliceNat, LabNat bobNat)
    {
        LabRequirement.Check();
        return await NatLab.UpAsync([new("a", aliceNat), new("b", bobNat)], TestContext.Current.CancellationToken);
    }
}
