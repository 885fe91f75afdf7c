using System.CommandLine;
using System.Globalization;
using System.Runtime.CompilerServices;
using Punchline.Cli.Settings;

namespace Punchline.Cli.Tests;

/// <summary><c>docs/reference.md</c> is what help says, because it is made of the same descriptions.</summary>
public sealed class ReferenceTests
{
    private const string UpdateVariable = "PUNCHLINE_TEST_UPDATE_REFERENCE";

    [Fact]
    public async Task The_reference_is_the_recorded_one()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var file = Path.Combine(Path.GetDirectoryName(Here())!, "..", "..", "docs", "reference.md");
        var actual = Write(CommandLine.Parse([]).RootCommandResult.Command);
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1") await File.WriteAllTextAsync(file, actual, cancellation);
        var recorded = File.Exists(file) ? await File.ReadAllTextAsync(file, cancellation) : "";
        Assert.True(recorded == actual, $"docs/reference.md is not what the options say. Record it: {UpdateVariable}=1 dotnet test --project tests/Punchline.Cli.Tests --filter-class \"*ReferenceTests\"");
    }

    [Fact]
    public void Every_option_is_in_the_catalogue_and_every_setting_is_an_option()
    {
        var options = VerbsOf(CommandLine.Parse([]).RootCommandResult.Command).SelectMany(verb => verb.Options).Where(option => !option.Hidden).Select(option => option.Name).Distinct(StringComparer.Ordinal);
        Assert.Equal(SettingCatalogue.All.Select(setting => setting.OptionName).Order(StringComparer.Ordinal), options.Order(StringComparer.Ordinal));
        Assert.Equal(SettingCatalogue.All.Count, SettingCatalogue.All.Select(setting => setting.Variable).Distinct(StringComparer.Ordinal).Count());
    }

    private static string Write(Command root)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        text.Write("""
            # Reference

            Made from the descriptions that `--help` shows; a test keeps it so.


            """);
        foreach (var verb in VerbsOf(root))
        {
            var arguments = string.Concat(verb.Arguments.Select(argument => argument.Arity.MinimumNumberOfValues > 0 ? $" {argument.Name}" : $" [{argument.Name}]"));
            text.Write($"## {CommandLine.PathOf(verb)}{arguments}\n\n{verb.Description}");
            if (verb.Aliases.Count > 0) text.Write($" Also called {string.Join(", ", verb.Aliases)}.");
            text.Write("\n\n");
            foreach (var argument in verb.Arguments) text.Write($"`{argument.Name}`: {argument.Description}\n\n");
            text.Write("| option | variable | meaning |\n|---|---|---|\n");
            foreach (var option in verb.Options.Where(option => !option.Hidden))
            {
                var setting = SettingCatalogue.All.Single(setting => setting.OptionName == option.Name);
                // In a table, a bar would be the next column.
                var value = setting.ValueName is { } name ? $" {name.Replace("|", @"\|", StringComparison.Ordinal)}" : "";
                text.Write($"| `{setting.OptionName}{value}` | `{setting.Variable}` | {setting.Meaning} |\n");
            }
            text.Write('\n');
        }
        text.Write("""
            ## Where settings come from

            What is typed counts first, then the variable, then the configuration file: the one that `--config` or `PUNCHLINE_CONFIG` names, else
            `config` in the state directory, if it is there. It has lines `name = value`, in which a name is an option's without the dashes:

            ```
            # whom we meet at
            server = 203.0.113.10:8080
            name = alice
            secret = @/home/alice/.punchline-secret
            stay = true
            ```

            Lines that begin with `#` and empty ones say nothing. An option without a value is `true` or `false` here and in a variable, and `--stay false` turns off on the
            command line what these turn on. Several values of one option stand with spaces between them. Relative paths begin where the tool is run. `config` cannot stand in the file, nor `state` in the state
            directory's own. An empty variable says nothing.

            An option, variable or name that there is not is wrong usage (exit code 2), and the tool says which one may be meant. Variables that begin with
            `PUNCHLINE_TEST_`, and `PUNCHLINE_SEED`, `PUNCHLINE_SEEDS`, `PUNCHLINE_REQUIRE_LAB` and `PUNCHLINE_UPDATE_SURFACE`, belong to the project's tests and mean nothing to the tool.
            `punchline demo` heeds its own options only.

            """);
        return text.ToString();
    }

    private static IEnumerable<Command> VerbsOf(Command command) => command.Subcommands.SelectMany(verb => VerbsOf(verb).Prepend(verb));

    private static string Here([CallerFilePath] string path = "") => path;
}
