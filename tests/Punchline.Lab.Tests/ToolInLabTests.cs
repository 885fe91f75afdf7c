using System.Runtime.InteropServices;
using Punchline.Cli.Lab;
using Punchline.Lab.Tests.Harness;

namespace Punchline.Lab.Tests;

/// <summary>The harness that runs the published tool in a lab: what it reads, keeps, and tells when a wait is in vain.</summary>
public sealed class ToolInLabTests(PublishedTool tool) : IClassFixture<PublishedTool>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_published_tool_runs_in_a_node()
    {
        await using var lab = await UpAsync();
        await using var run = tool.Start(lab, "a1", "--version");

        Assert.Equal(0, await run.LeaveAsync(Patience));
    }

    [Fact]
    public async Task Events_are_read_in_the_order_that_the_test_asks_for()
    {
        await using var lab = await UpAsync();
        await using var run = Script(lab, """
            echo '{"event":"joined","peer":"b","name":"Bob"}'
            echo 'a line for people'
            echo '{"event":"connected","peer":"b","path":{"kind":"direct","local":"192.168.1.10:5000"},"rttMs":1.5}'
            read -r line
            echo "{\"event\":\"message\",\"text\":\"$line\"}"
            echo '{"event":"joined","peer":"c","name":"Carol"}'
            """);

        var connected = await run.ReadEventAsync("connected", Patience);
        Assert.Equal("direct", connected["path.kind"]);
        Assert.Equal("1.5", connected["rttMs"]);
        await run.SayAsync("hello");
        Assert.Equal("hello", (await run.ReadEventAsync("message", Patience))["text"]);
        Assert.Equal("Bob", (await run.ReadEventAsync("joined", Patience))["name"]);
        Assert.Equal("Carol", (await run.ReadEventAsync("joined", Patience))["name"]);
        Assert.Equal("a line for people", await run.ReadLineAsync("people", Patience));
        Assert.Equal(0, await run.LeaveAsync(Patience));
    }

    [Fact]
    public async Task A_wait_in_vain_ends_with_the_output_and_quotes_it()
    {
        await using var lab = await UpAsync();
        await using var run = Script(lab, "echo 'last words'; echo 'bad news' >&2; exit 1");
        Assert.Equal(1, await run.WaitForExitAsync(Patience));

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => run.ReadEventAsync("connected", Patience));

        Assert.Contains("its output has ended", failure.Message, StringComparison.Ordinal);
        Assert.Contains("last words", failure.Message, StringComparison.Ordinal);
        Assert.Contains("bad news", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signals_reach_the_program_and_killing_ends_it()
    {
        await using var lab = await UpAsync();
        await using var polite = Script(lab, "trap 'echo goodbye; exit 5' INT; echo up; while :; do sleep 0.05; done");
        await using var deaf = Script(lab, "trap '' INT TERM; echo up; while :; do sleep 0.05; done");
        await polite.ReadLineAsync("up", Patience);
        await deaf.ReadLineAsync("up", Patience);

        Assert.True(polite.Send(PosixSignal.SIGINT));
        await polite.ReadLineAsync("goodbye", Patience);
        Assert.Equal(5, await polite.WaitForExitAsync(Patience));
        Assert.False(polite.Send(PosixSignal.SIGINT));

        deaf.Kill();
        Assert.Equal(128 + 9, await deaf.WaitForExitAsync(Patience));
    }

    [Fact]
    public void The_servers_line_to_paste_has_the_option() =>
        Assert.Equal("203.0.113.10:8080#pin", ToolServer.OptionIn("  punchline join ROOM --server 203.0.113.10:8080#pin  (or scan)"));

    private static ToolProcess Script(NatLab lab, string script) => new("script", lab.Start("a1", "sh", "-c", script));

    private static async Task<NatLab> UpAsync()
    {
        LabRequirement.Check();
        return await NatLab.UpAsync([new("a", LabNat.PortRestricted)], TestContext.Current.CancellationToken);
    }
}
