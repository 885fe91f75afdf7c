using Punchline.Engine;

namespace Punchline.Cli.Verbs;

/// <summary>What is said once to a user: that a direct connection shows addresses (PROTOCOL §12).</summary>
internal static class FirstUse
{
    /// <summary>In the state directory once its user was told.</summary>
    public const string ToldFileName = "told";

    /// <summary>Null: it was said before, or is not remembered.</summary>
    public static string? Notice(string? stateDirectory, string sentence) =>
        stateDirectory is { } directory && !IsTold(directory) ? $"{sentence} (Said once.)" : null;

    private static bool IsTold(string directory)
    {
        var path = Path.Combine(directory, ToldFileName);
        if (File.Exists(path)) return true;
        AtomicFile.WriteAllText(path, "That a direct connection shows this machine's addresses to its other end.\n");
        return false;
    }
}
