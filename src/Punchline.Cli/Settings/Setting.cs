using System.CommandLine;

namespace Punchline.Cli.Settings;

/// <summary>An option whose value may also stand in the environment: what is typed counts first.</summary>
internal static class Setting
{
    private const string Prefix = "PUNCHLINE_";

    public static Option<string?> Option(string name, string valueName, string description, ArgumentArity? arity = null) =>
        new(name) { HelpName = valueName, Description = $"{description} [{VariableOf(name)}]", Arity = arity ?? ArgumentArity.ExactlyOne };

    /// <summary>Typed, but without a value.</summary>
    public static bool IsGivenBare(ParseResult parsed, Option<string?> option) => parsed.GetResult(option) is { Tokens.Count: 0 };

    /// <summary>Null where neither says anything; an empty variable says nothing.</summary>
    public static string? Read(ParseResult parsed, Option<string?> option, Func<string, string?> environment)
    {
        if (parsed.GetResult(option) is not null) return parsed.GetValue(option);
        return environment(VariableOf(option.Name)) is { Length: > 0 } value ? value : null;
    }

    private static string VariableOf(string option) => Prefix + option.TrimStart('-').ToUpperInvariant();
}
