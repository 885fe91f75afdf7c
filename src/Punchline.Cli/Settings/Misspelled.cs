using System.CommandLine;
using System.CommandLine.Parsing;

namespace Punchline.Cli.Settings;

/// <summary>Verbs and options that there are not, and which ones may be meant.</summary>
internal static class Misspelled
{
    /// <summary>A sentence about the first of them, or null.</summary>
    public static string? Find(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = CommandLine.PathOf(command);
        var isRoot = !path.Contains(' ', StringComparison.Ordinal);
        // An argument that is optional takes what looks like an option, and the option's value is then one too many.
        var taken = parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value);
        foreach (var word in taken.Concat(parsed.UnmatchedTokens))
        {
            if (word.StartsWith("--", StringComparison.Ordinal) && word.Length > 2)
            {
                var name = word.Split('=')[0];
                var options = command.Options.Where(option => !option.Hidden).Select(option => option.Name);
                return $"There is no option {name}{(isRoot ? "" : $" for {path[(path.IndexOf(' ', StringComparison.Ordinal) + 1)..]}")}.{NearestName.Suggest(name, options.Append("--help"), "--")}";
            }
            if (command.Subcommands.Count > 0)
            {
                var verbs = command.Subcommands.SelectMany(verb => verb.Aliases.Append(verb.Name));
                return $"There is no {word}.{NearestName.Suggest(word, verbs)} `{path} --help` shows what there is.";
            }
        }
        return null;
    }
}
