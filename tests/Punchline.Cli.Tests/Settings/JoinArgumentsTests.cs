using System.CommandLine;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Tests.Settings;

public sealed class JoinArgumentsTests
{
    // Not the name of a file.
    private const string Typed = "@typed";

    [Fact]
    public void All_that_can_be_said()
    {
        var settings = Read([], "lounge", "--server", "host.example:9000", "--secret", "s", "--name", "Ann", "--state", "/tmp/x", "--stay", "--json", "--trust-first");

        Assert.Equal("lounge", settings.Room);
        Assert.False(settings.IsRoomInvented);
        Assert.Equal("host.example:9000", settings.Server);
        Assert.Equal(new RoomSecret("s", false), settings.Secret);
        Assert.Equal("Ann", settings.Name);
        Assert.Equal("/tmp/x", settings.StateDirectory);
        Assert.True(settings.Stays);
        Assert.True(settings.IsJson);
        Assert.True(settings.TrustsFirst);
        Assert.Equal("punchline join lounge --server host.example:9000 --secret s", settings.InvitationLine);
    }

    [Fact]
    public void Who_may_be_connected_to_is_a_list_of_peers()
    {
        using var state = new TemporaryDirectory();
        var (known, other) = (PeerId.Parse("abcdefgh2a" + new string('a', 42)), PeerId.Parse("zzzzzzzz2a" + new string('a', 42)));
        File.WriteAllText(Path.Combine(state.Path, "known-peers"), $"{known} met 2026-11-16 aaaaaaaa Bob\n{known} alias bobby\n");
        string[] always = ["lounge", "--server", "h", "--state", state.Path];

        Assert.Null(Read([], always).AllowedPeers);
        Assert.False(Read([], always).HidesHostCandidates);
        Assert.Equal([known, other], Read([], [.. always, "--allow", $"bobby, {other}"]).AllowedPeers);
        Assert.Equal([other, known], Read([], [.. always, "--allow", other.ToString(), "--allow", "abcdefgh2"]).AllowedPeers);
        Assert.Equal([known, other], Read(new() { ["PUNCHLINE_ALLOW"] = $"bobby {other}" }, always).AllowedPeers);
        Assert.True(Read([], [.. always, "--no-host-candidates"]).HidesHostCandidates);
        foreach (var wrong in (string[])["Bob", "bobby,", "", "zzzzzzzz2"]) Assert.Throws<UsageException>(() => Read([], [.. always, "--allow", wrong]));
        Assert.Throws<UsageException>(() => Read([], "lounge", "--server", "h", "--state", "-", "--allow", "bobby"));
    }

    [Fact]
    public void The_environment_fills_in_and_what_is_typed_counts_first()
    {
        Dictionary<string, string> environment = new()
        {
            ["PUNCHLINE_SERVER"] = "one.example",
            ["PUNCHLINE_SECRET"] = "from-the-environment",
            ["PUNCHLINE_NAME"] = "Env",
            ["PUNCHLINE_STATE"] = "-",
        };

        var settings = Read(environment, "lounge", "--server", "two.example");

        Assert.Equal("two.example", settings.Server);
        Assert.Equal("from-the-environment", settings.Secret.Text);
        Assert.Equal("Env", settings.Name);
        Assert.Null(settings.StateDirectory);
    }

    [Fact]
    public void A_secret_without_a_value_is_asked_for_whatever_the_environment_says()
    {
        Assert.Equal(new RoomSecret(Typed, false), Read(new() { ["PUNCHLINE_SECRET"] = "s" }, "lounge", "--server", "h", "--state", "-", "--secret").Secret);
        Assert.Equal(new RoomSecret(Typed, false), Read([], "lounge", "--secret", "--server", "h", "--state", "-").Secret);
    }

    [Fact]
    public void Qlog_files_are_asked_for_by_option_or_variable()
    {
        Assert.Null(Read([], "lounge", "--server", "h", "--state", "-").QlogDirectory);
        Assert.Equal(Path.GetFullPath("logs"), Read([], "lounge", "--server", "h", "--state", "-", "--qlog", "logs").QlogDirectory);
        Assert.Equal("/var/log/q", Read(new() { ["PUNCHLINE_QLOG"] = "/var/log/q" }, "lounge", "--server", "h", "--state", "-").QlogDirectory);
        Assert.Throws<UsageException>(() => Read([], "lounge", "--server", "h", "--state", "-", "--qlog", ""));
    }

    [Fact]
    public void An_empty_variable_says_nothing()
    {
        var settings = Read(new() { ["PUNCHLINE_SERVER"] = "one.example", ["PUNCHLINE_SECRET"] = "" }, "lounge", "--state", "-");
        Assert.Equal("", settings.Secret.Text);
    }

    [Fact]
    public void Without_a_room_one_is_made_up_with_a_strong_secret()
    {
        var settings = Read([], "--server", "one.example", "--state", "-");

        Assert.True(settings.IsRoomInvented);
        Assert.Matches("^([bdfghjklmnprstv][aeiou]){3}$", settings.Room);
        Assert.True(settings.Secret.IsInvented);
        Assert.Equal($"punchline join {settings.Room} --server one.example --secret {settings.Secret.Text}", settings.InvitationLine);
    }

    [Fact]
    public void A_room_of_a_given_name_without_secret_is_open() => Assert.Equal(RoomSecret.None, Read([], "lounge", "--server", "h", "--state", "-").Secret);

    [Fact]
    public void Without_a_server_it_says_what_to_type()
    {
        var message = Assert.Throws<UsageException>(() => Read([], "our lounge")).Message;
        Assert.Contains("punchline serve", message, StringComparison.Ordinal);
        Assert.Contains("punchline join 'our lounge' --server HOST:8080#PIN", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--server", "http://x", "a")]
    [InlineData("--server", "h", "")]
    [InlineData("--server", "h", "--nope")]
    [InlineData("--server", "h", "--state", "", "a")]
    [InlineData("--server", "h", "--name", "", "a")]
    [InlineData("--server", "h", "--name", "\a\b", "a")]
    public void Wrong_usage(params string[] args) => Assert.Throws<UsageException>(() => Read([], args));

    [Fact]
    public void Names_and_rooms_have_limits()
    {
        Assert.Throws<UsageException>(() => Read([], new string('r', 129), "--server", "h"));
        Assert.Throws<UsageException>(() => Read([], "r", "--server", "h", "--name", new string('n', 65)));
        Assert.Equal(64, Read([], new string('r', 128), "--server", "h", "--name", new string('n', 64), "--state", "-").Name.Length);
    }

    [Fact]
    public void Waiting_for_calls_takes_no_room_and_reads_whom_to_accept()
    {
        var (bob, carol) = (new string('a', PeerId.TextLength), new string('b', PeerId.TextLength - 1) + "a");
        var waiting = ReadWaiting([], "--wait", "--server", "h", "--state", "-", "--accept", $"{bob},{carol}", "--refuse-others", "--stay");
        Assert.Equal([PeerId.Parse(bob), PeerId.Parse(carol)], waiting!.AcceptedPeers);
        Assert.Equal((false, true, true), (waiting.AcceptsAnyone, waiting.RefusesOthers, waiting.Meeting.Stays));
        Assert.True(waiting.Accepts(PeerId.Parse(bob)));
        Assert.Equal($"punchline call {bob} --server h", waiting.CallLine(PeerId.Parse(bob)));

        Assert.True(ReadWaiting(new() { ["PUNCHLINE_WAIT"] = "1", ["PUNCHLINE_ACCEPT"] = "anyone", ["PUNCHLINE_SECRET"] = "s" }, "--server", "h", "--state", "-")!.AcceptsAnyone);
        Assert.Null(ReadWaiting([], "lounge", "--server", "h"));
        Assert.Throws<UsageException>(() => ReadWaiting([], "lounge", "--wait", "--server", "h"));
        Assert.Throws<UsageException>(() => ReadWaiting([], "--wait", "--secret", "s", "--server", "h"));
        Assert.Throws<UsageException>(() => ReadWaiting([], "--accept", "anyone", "--server", "h"));
        Assert.Throws<UsageException>(() => ReadWaiting([], "--wait", "--accept", "bob", "--server", "h", "--state", "-"));
        Assert.Contains("punchline join --wait --server HOST", Assert.Throws<UsageException>(() => ReadWaiting([], "--wait")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo", "demo")]
    [InlineData("192.0.2.1:8080#abc", "192.0.2.1:8080#abc")]
    [InlineData("[::1]:8080", "'[::1]:8080'")]
    [InlineData("it's", @"'it'\''s'")]
    [InlineData("", "''")]
    [InlineData("#1", "'#1'")]
    public void What_is_pasted_survives_the_shell(string word, string quoted) => Assert.Equal(quoted, ShellWord.Quote(word));

    private static WaitSettings? ReadWaiting(Dictionary<string, string> environment, params string[] args)
    {
        var arguments = new JoinArguments();
        var command = new Command("join");
        arguments.AddTo(command);
        return arguments.ReadWaiting(command.Parse(args), environment.GetValueOrDefault);
    }

    private static JoinSettings Read(Dictionary<string, string> environment, params string[] args)
    {
        var arguments = new JoinArguments();
        var command = new Command("join");
        arguments.AddTo(command);
        var parsed = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        return arguments.Read(parsed, environment.GetValueOrDefault, () => Typed);
    }
}
