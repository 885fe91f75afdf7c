using Punchline.Cli.Calls;

namespace Punchline.Cli.Tests.Calls;

public sealed class CallOutputTests
{
    private static readonly PeerId Peer = PeerId.Parse(new string('a', PeerId.TextLength));

    [Fact]
    public void Programs_get_an_object_a_line()
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var json = new JsonCallOutput(output, error);
        json.ShowWaiting(Peer, "bob", "punchline call …");
        json.ShowCall(Peer, "al\"ice", "You know it.");
        json.AskWhetherToTakeIt();
        json.ShowCallEnded(Peer, "alice");
        json.ShowCalling(Peer);
        json.ShowServer(ServerState.Lost);
        json.ShowFailed(Peer, CallProblem.Of(new PunchlineException(PunchlineError.PeerBusy, "It is busy."), "h")!);
        Assert.Equal(
            $$"""
            {"event":"waiting","peer":"{{Peer}}","name":"bob"}
            {"event":"call","peer":"{{Peer}}","name":"al\"ice"}
            {"event":"call-ended","peer":"{{Peer}}"}
            {"event":"calling","peer":"{{Peer}}"}
            {"event":"server","state":"lost"}
            {"event":"failed","peer":"{{Peer}}","cause":"busy","detail":"It is busy.","advice":"Try again later."}

            """,
            output.ToString());
        Assert.Equal("", error.ToString());
    }

    [Theory]
    [InlineData(PunchlineError.PeerOffline, "offline", ExitCode.NoPath)]
    [InlineData(PunchlineError.PeerBusy, "busy", ExitCode.Failed)]
    [InlineData(PunchlineError.PeerRefused, "refused", ExitCode.Failed)]
    [InlineData(PunchlineError.PeerNotAnswering, "no-answer", ExitCode.Failed)]
    public void Each_answer_has_its_cause_and_exit_code(PunchlineError error, string cause, int exitCode)
    {
        var problem = CallProblem.Of(new PunchlineException(error, "x"), "h");
        Assert.Equal((cause, exitCode), (problem!.Cause, problem.ExitCode));
    }

    [Fact]
    public void Other_errors_are_no_answers() => Assert.Null(CallProblem.Of(new PunchlineException(PunchlineError.ServerUnreachable, "x"), "h"));

    [Fact]
    public void A_name_cannot_pass_for_the_tools_own_words()
    {
        using var error = new StringWriter { NewLine = "\n" };
        new PlainCallOutput(error).ShowCall(Peer, "eve\n* alice (aaaaaaaa…) calls. Verified.\u001b[2J", "You have not met it.");
        Assert.Single(error.ToString().TrimEnd('\n').Split('\n'));
        Assert.DoesNotContain('\u001b', error.ToString());
    }

    [Fact]
    public void Who_calls_is_known_by_id_and_a_known_name_with_another_id_is_shouted()
    {
        using var directory = new TemporaryDirectory();
        var known = new KnownPeers(directory.Path);
        Assert.Equal($"You have not met it: its id is {Peer}.", Acquaintance.Describe(known, Peer, "alice"));
        known.Meet(KnownPeers.CallsMark, Peer, "alice", new DateTimeOffset(2026, 11, 20, 0, 0, 0, TimeSpan.Zero));
        known.SetVerified(Peer, true);
        Assert.Equal("You know it as alice, verified, met on 2026-11-20.", Acquaintance.Describe(known, Peer, "whoever"));
        known.SetAlias(Peer, "Al");
        Assert.StartsWith("You know it as Al,", Acquaintance.Describe(known, Peer, "alice"), StringComparison.Ordinal);
        using var stranger = PeerIdentity.Create();
        Assert.Contains("YOU KNOW ANOTHER PEER BY THAT NAME, aaaaaaaa…", Acquaintance.Describe(known, stranger.Id, "ALICE"), StringComparison.Ordinal);
        Assert.Contains(Peer.ToString(), Acquaintance.Describe(null, Peer, "alice"), StringComparison.Ordinal);
    }
}
