using System.CommandLine;
using Punchline.Cli.Chat;
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
        Assert.False(Read([], always).MapsNoPort);
        Assert.Equal([known, other], Read([], [.. always, "--allow", $"bobby, {other}"]).AllowedPeers);
        Assert.Equal([other, known], Read([], [.. always, "--allow", other.ToString(), "--allow", "abcdefgh2"]).AllowedPeers);
        Assert.Equal([known, other], Read(new() { ["PUNCHLINE_ALLOW"] = $"bobby {other}" }, always).AllowedPeers);
        Assert.True(Read([], [.. always, "--no-host-candidates"]).HidesHostCandidates);
        Assert.True(Read([], [.. always, "--no-port-mapping"]).MapsNoPort);
        foreach (var wrong in (string[])["Bob", "bobby,", "", "zzzzzzzz2"]) Assert.Throws<UsageException>(() => Read([], [.. always, "--allow", wrong]));
        Assert.Throws<UsageException>(() => Read([], "lounge", "--server", "h", "--state", "-", "--allow", "bobby"));
    }

    [Fact]
    public void The_DHT_takes_the_servers_place_and_what_is_typed_counts_first()
    {
        const string Strong = "335v2-k3h52-22x47-djrbv";
        string[] always = ["lounge", "--secret", Strong, "--state", "-"];
        var settings = Read([], [.. always, "--dht", "--bootstrap", "one.example:6881", "--bootstrap", "192.0.2.1:6881"]);
        Assert.Null(settings.Server);
        Assert.Equal(["one.example:6881", "192.0.2.1:6881"], settings.Bootstraps);
        Assert.Equal($"punchline join lounge --dht --bootstrap one.example:6881 --bootstrap 192.0.2.1:6881 --secret {Strong}", settings.InvitationLine);
        Assert.Null(Read([], [.. always, "--dht"]).Bootstraps);

        Assert.Null(Read(new() { ["PUNCHLINE_DHT"] = "yes" }, always).Server);
        Assert.Null(Read(new() { ["PUNCHLINE_SERVER"] = "h" }, [.. always, "--dht"]).Server);
        Assert.Equal("h", Read(new() { ["PUNCHLINE_DHT"] = "yes" }, [.. always, "--server", "h"]).Server);
        Assert.Throws<UsageException>(() => Read([], [.. always, "--dht", "--server", "h"]));
        Assert.Throws<UsageException>(() => Read(new() { ["PUNCHLINE_DHT"] = "yes", ["PUNCHLINE_SERVER"] = "h" }, always));
        foreach (var wrong in (string[])["one.example", "one.example:0", ":6881", "one.example:x", ""]) Assert.Throws<UsageException>(() => Read([], [.. always, "--dht", "--bootstrap", wrong]));
    }

    [Fact]
    public void In_the_DHT_a_secret_is_strong_or_its_absence_meant()
    {
        Assert.Throws<UsageException>(() => Read([], "lounge", "--dht", "--state", "-"));
        Assert.Throws<UsageException>(() => Read([], "lounge", "--dht", "--secret", "weak", "--state", "-"));
        Assert.Equal("punchline join lounge --dht --open", Read([], "lounge", "--dht", "--open", "--state", "-").InvitationLine);
        Assert.True(Read([], "lounge", "--dht", "--secret", "auto", "--state", "-").Secret.IsInvented);
        Assert.True(Read([], "--dht", "--state", "-").Secret.IsInvented);
    }

    [Fact]
    public void Ports_are_numbers()
    {
        string[] always = ["lounge", "--server", "h", "--state", "-"];
        Assert.Null(Read([], always).UdpPort);
        Assert.Equal(40_000, Read(new() { ["PUNCHLINE_UDP_PORT"] = "50000" }, [.. always, "--udp-port", "40000"]).UdpPort);
        Assert.Equal(50_000, Read(new() { ["PUNCHLINE_UDP_PORT"] = "50000" }, always).UdpPort);
        Assert.Null(Read([], always).TcpPort);
        Assert.Equal(443, Read([], [.. always, "--tcp-port", "443"]).TcpPort);
        Assert.Equal(8443, Read(new() { ["PUNCHLINE_TCP_PORT"] = "8443" }, always).TcpPort);
        foreach (var wrong in (string[])["0", "65536", "-1", "x", ""])
        {
            foreach (var option in (string[])["--udp-port", "--tcp-port"]) Assert.Throws<UsageException>(() => Read([], [.. always, option, wrong]));
        }
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

    [Fact]
    public void Json_is_for_programs_and_prompts_are_for_people()
    {
        Assert.Contains("--interactive", Assert.Throws<UsageException>(() => Read([], "lounge", "--server", "h", "--interactive", "--json")).Message, StringComparison.Ordinal);
        Assert.Throws<UsageException>(() => Read(new() { ["PUNCHLINE_JSON"] = "1" }, "lounge", "--server", "h", "--interactive"));
    }

    [Fact]
    public void What_is_missing_is_asked_for_until_it_will_do()
    {
        var settings = Ask([], ["http://x", " host.example ", new string('n', 65), "Ann", "-r", "lounge", "s"], out var asked, "--state", "-", "--interactive");
        Assert.Equal(("host.example", "lounge", "Ann"), (settings.Server, settings.Room, settings.Name));
        Assert.Equal(new RoomSecret("hidden s", false), settings.Secret);
        Assert.True(settings.IsInteractive);
        Assert.Equal(
            ["Server", "Server", "Name", "Name", "Room", "Room", "Secret"],
            asked.Split('\n').Where(line => line.EndsWith(": ", StringComparison.Ordinal)).Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public void Nothing_is_asked_for_that_is_given()
    {
        var environment = new Dictionary<string, string> { ["PUNCHLINE_NAME"] = "Ann", ["PUNCHLINE_SECRET"] = "s" };
        Assert.Equal("lounge", Ask(environment, [], out var asked, "lounge", "--server", "h", "--state", "-", "--interactive").Room);
        Assert.Equal("", asked);
    }

    [Fact]
    public void Who_just_presses_enter_gets_a_new_room_and_the_usual_name()
    {
        var settings = Ask([], ["", ""], out _, "--server", "h", "--state", "-", "--interactive");
        Assert.True(settings.IsRoomInvented);
        Assert.True(settings.Secret.IsInvented);
        Assert.Equal(Read([], "--server", "h", "--state", "-").Name, settings.Name);
        Assert.Equal(RoomSecret.None, Ask([], ["", ""], out _, "lounge", "--server", "h", "--state", "-", "--secret", "--interactive").Secret);
    }

    [Fact]
    public void The_end_of_input_is_an_answer_to_nothing()
    {
        Assert.Throws<OperationCanceledException>(() => Ask([], ["host.example"], out _, "--state", "-", "--interactive"));
    }

    private static WaitSettings? ReadWaiting(Dictionary<string, string> environment, params string[] args)
    {
        var arguments = new JoinArguments();
        var command = new Command("join");
        arguments.AddTo(command);
        return arguments.ReadWaiting(command.Parse(args), environment.GetValueOrDefault);
    }

    private static JoinSettings Ask(Dictionary<string, string> environment, string[] answers, out string asked, params string[] args)
    {
        var next = 0;
        InputLine? Answer() => next < answers.Length ? new InputLine(answers[next++], 0) : null;
        using var output = new StringWriter { NewLine = "\n" };
        var questions = new Questions(Answer, () => Answer() is { Text: { Length: > 0 } text } ? new InputLine($"hidden {text}", 0) : new InputLine("", 0), output, showsEnter: false);
        var settings = Read(environment, args, () => questions);
        asked = output.ToString();
        return settings;
    }

    private static JoinSettings Read(Dictionary<string, string> environment, params string[] args) =>
        Read(environment, args, () => throw new InvalidOperationException("Nothing may be asked."));

    private static JoinSettings Read(Dictionary<string, string> environment, string[] args, Func<Questions> questions)
    {
        var arguments = new JoinArguments();
        var command = new Command("join");
        arguments.AddTo(command);
        var parsed = command.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        return arguments.Read(parsed, environment.GetValueOrDefault, () => Typed, questions);
    }
}
