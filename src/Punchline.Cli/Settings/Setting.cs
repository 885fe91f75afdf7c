using System.CommandLine;

namespace Punchline.Cli.Settings;

/// <summary>
/// Something that can be set: by an option, by a variable in the environment, in the configuration file; the earlier of
/// these counts. All of them are in <see cref="SettingCatalogue"/>.
/// </summary>
/// <param name="OptionName">With its dashes.</param>
/// <param name="ValueName">What its value is called in help; null: it has none, and is on where it is given.</param>
/// <param name="Meaning">In a sentence or two: help and reference show it.</param>
internal sealed record Setting(string OptionName, string? ValueName, string Meaning)
{
    public const string VariablePrefix = "PUNCHLINE_";

    public string Variable => VariableOf(OptionName);

    /// <summary>In the configuration file.</summary>
    public string Key => OptionName.TrimStart('-');

    public Option<string?> ToOption() => new(OptionName) { HelpName = ValueName, Description = Description, Arity = ArgumentArity.ExactlyOne };

    /// <summary>An option that may stand without its value, which is then asked for.</summary>
    public Option<string?> ToAskingOption() => new(OptionName) { HelpName = ValueName, Description = Description, Arity = ArgumentArity.ZeroOrOne };

    public Option<string[]> ToListOption() => new(OptionName) { HelpName = ValueName, Description = Description };

    public Option<bool> ToFlag() => new(OptionName) { Description = Description };

    /// <summary>Null where nothing says anything; an empty variable says nothing.</summary>
    public static string? Read(ParseResult parsed, Option<string?> option, Func<string, string?> environment) =>
        parsed.GetResult(option) is not null ? parsed.GetValue(option) : Find(option, environment);

    /// <summary>In the environment and the file, several values stand with spaces between them.</summary>
    public static string[] ReadList(ParseResult parsed, Option<string[]> option, Func<string, string?> environment) =>
        parsed.GetResult(option) is not null ? parsed.GetValue(option) ?? [] : Find(option, environment)?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <exception cref="UsageException">The environment or the file says neither yes nor no.</exception>
    public static bool ReadFlag(ParseResult parsed, Option<bool> option, Func<string, string?> environment) =>
        parsed.GetResult(option) is { Implicit: false }
            ? parsed.GetValue(option)
            : Find(option, environment) switch
            {
                null or "0" or "false" or "no" => false,
                "1" or "true" or "yes" => true,
                var other => throw new UsageException($"'{other}' is neither true nor false, as {VariableOf(option.Name)} or {option.Name[2..]} in the configuration file should be."),
            };

    /// <summary>Typed, but without a value.</summary>
    public static bool IsGivenBare(ParseResult parsed, Option<string?> option) => parsed.GetResult(option) is { Tokens.Count: 0 };

    private string Description => $"{Meaning} [{Variable}]";

    private static string? Find(Option option, Func<string, string?> environment) => environment(VariableOf(option.Name)) is { Length: > 0 } value ? value : null;

    private static string VariableOf(string option) => VariablePrefix + option.TrimStart('-').Replace('-', '_').ToUpperInvariant();
}
