using System.CommandLine;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Tests.Settings;

public sealed class ConfigurationTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string State => _directory.Path;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void What_is_typed_counts_then_variables_then_the_file()
    {
        WriteState("""
            # a comment
            server = file.example#not a comment
              name=From File
            secret = a = b

            """);
        var configuration = Load(new() { ["PUNCHLINE_NAME"] = "From Variable", ["PUNCHLINE_SECRET"] = "" }, "--state", State);

        Assert.Equal("file.example#not a comment", configuration.Find("PUNCHLINE_SERVER"));
        Assert.Equal("From Variable", configuration.Find("PUNCHLINE_NAME"));
        Assert.Equal("a = b", configuration.Find("PUNCHLINE_SECRET"));
        Assert.Null(configuration.Find("PUNCHLINE_LISTEN"));
    }

    [Fact]
    public void A_named_file_takes_the_place_of_the_state_directorys()
    {
        WriteState("name = state");
        var named = Path.Combine(State, "named");
        File.WriteAllText(named, "name = named\nstate = /var/lib/punchline");
        Assert.Equal("named", Load([], "--state", State, "--config", named).Find("PUNCHLINE_NAME"));
        Assert.Equal("/var/lib/punchline", Load(new() { ["PUNCHLINE_CONFIG"] = named }).Find("PUNCHLINE_STATE"));
    }

    [Fact]
    public void Without_state_and_without_a_file_nothing_is_set()
    {
        WriteState("name = state");
        Assert.Null(Load([], "--state", "-").Find("PUNCHLINE_NAME"));
        Assert.Null(Load([], "--state", Path.Combine(State, "elsewhere")).Find("PUNCHLINE_NAME"));
    }

    [Theory]
    [InlineData("# one\nsevrer = h", "line 2: there is no setting sevrer. Did you mean server?")]
    [InlineData("colour = red", "line 1: there is no setting colour.")]
    [InlineData("PUNCHLINE_NAME = a", "line 1: there is no setting PUNCHLINE_NAME.")]
    [InlineData("name", "line 1: 'name' is not of the form name = value.")]
    [InlineData("name =", "line 1: 'name =' is not of the form name = value.")]
    [InlineData("name = a\nname = b", "line 2: name stands here a second time.")]
    [InlineData("state = /tmp", "line 1: state says where this file is, so it cannot stand in it.")]
    [InlineData("config = /tmp", "line 1: config says where this file is, so it cannot stand in it.")]
    public void A_line_that_is_wrong_is_named(string content, string message)
    {
        WriteState(content);
        Assert.EndsWith($"config, {message}", Assert.Throws<UsageException>(() => Load([], "--state", State)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_named_file_must_be_there_and_of_a_sensible_size()
    {
        Assert.Contains("/no/such/file", Assert.Throws<UsageException>(() => Load([], "--config", "/no/such/file")).Message, StringComparison.Ordinal);
        WriteState(new string('#', Configuration.MaxFileBytes + 1));
        Assert.Contains("too long", Assert.Throws<UsageException>(() => Load([], "--state", State)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("PUNCHLINE_SEVRER", "There is no variable PUNCHLINE_SEVRER, but it is set in the environment. Did you mean PUNCHLINE_SERVER?")]
    [InlineData("PUNCHLINE_COLOUR", "There is no variable PUNCHLINE_COLOUR, but it is set in the environment.")]
    [InlineData("PUNCHLINE_", "There is no variable PUNCHLINE_, but it is set in the environment.")]
    public void A_variable_that_is_none_is_named(string variable, string message) =>
        Assert.Equal(message, Assert.Throws<UsageException>(() => Configuration.CheckVariables(new[] { "PATH", "PUNCHLINE_NAME", variable })).Message);

    [Fact]
    public void Our_variables_and_the_tests_own_are_no_mistakes() => Configuration.CheckVariables(
        SettingCatalogue.All.Select(setting => setting.Variable)
            .Concat(["PATH", "PUNCHLINE", "PUNCHLINE_SEED", "PUNCHLINE_SEEDS", "PUNCHLINE_REQUIRE_LAB", "PUNCHLINE_UPDATE_SURFACE", "PUNCHLINE_TEST_ANYTHING"]).ToArray());

    [Theory]
    [InlineData("1", true)]
    [InlineData("true", true)]
    [InlineData("yes", true)]
    [InlineData("0", false)]
    [InlineData("false", false)]
    [InlineData("no", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Flags_are_words_outside_the_command_line(string? value, bool isOn)
    {
        var flag = SettingCatalogue.TrustFirst.ToFlag();
        var command = new Command("verb") { flag };
        Assert.Equal(isOn, Setting.ReadFlag(command.Parse([]), flag, variable => variable is "PUNCHLINE_TRUST_FIRST" ? value : null));
        Assert.True(Setting.ReadFlag(command.Parse(["--trust-first"]), flag, _ => value));
        Assert.False(Setting.ReadFlag(command.Parse(["--trust-first", "false"]), flag, _ => "1"));
        Assert.Throws<UsageException>(() => Setting.ReadFlag(command.Parse([]), flag, _ => "perhaps"));
    }

    [Fact]
    public void Lists_have_spaces_between_their_values()
    {
        var list = SettingCatalogue.Public.ToListOption();
        var command = new Command("verb") { list };
        Assert.Equal(["192.0.2.1", "192.0.2.2"], Setting.ReadList(command.Parse([]), list, _ => " 192.0.2.1  192.0.2.2 "));
        Assert.Equal(["192.0.2.3"], Setting.ReadList(command.Parse(["--public", "192.0.2.3"]), list, _ => "192.0.2.1"));
        Assert.Empty(Setting.ReadList(command.Parse([]), list, _ => null));
    }

    private void WriteState(string content) => File.WriteAllText(Path.Combine(State, "config"), content);

    private static Configuration Load(Dictionary<string, string> environment, params string[] args)
    {
        var (config, state) = (SettingCatalogue.Config.ToOption(), SettingCatalogue.State.ToOption());
        return Configuration.Load(new Command("verb") { config, state }.Parse(args), config, state, environment.GetValueOrDefault);
    }
}
