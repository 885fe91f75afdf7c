using System.CommandLine;

namespace Punchline.Cli.Settings;

/// <summary><c>--state</c>: where a peer keeps who it is and whom it trusts.</summary>
internal static class StateSetting
{
    /// <summary>Says that nothing is to be kept.</summary>
    public const string Nowhere = "-";

    /// <summary>Null: nothing is kept.</summary>
    /// <exception cref="UsageException">No directory is given, and this user has no place for one.</exception>
    public static string? Read(ParseResult parsed, Option<string?> option, Func<string, string?> environment)
    {
        switch (Setting.Read(parsed, option, environment))
        {
            case Nowhere:
                return null;
            case "":
                throw new UsageException($"--state wants a directory, or {Nowhere} to keep nothing.");
            case { } directory:
                return Path.GetFullPath(directory);
            default:
                try
                {
                    return StateDirectory.Default;
                }
                catch (InvalidOperationException)
                {
                    throw new UsageException($"This user has no home directory to keep an identity in: add --state DIRECTORY, or --state {Nowhere} to keep nothing.");
                }
        }
    }
}
