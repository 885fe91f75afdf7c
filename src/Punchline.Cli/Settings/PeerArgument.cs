using System.CommandLine;

namespace Punchline.Cli.Settings;

/// <summary>PEER, as every verb reads it that means one peer.</summary>
internal static class PeerArgument
{
    public static Argument<string> Create() => new("PEER")
    {
        Description = $"An id, an alias of yours, or the first characters of a known id, at least {KnownPeers.MinPrefixLength}. Never a name that the peer gave itself.",
    };

    /// <summary>Several stand with commas between them, or in several options.</summary>
    public static IEnumerable<string> Split(IEnumerable<string> lists) => lists.SelectMany(list => list.Split(',', StringSplitOptions.TrimEntries));

    /// <param name="typed">What was typed.</param>
    /// <param name="stateDirectory">Where known peers are kept; null: there are none.</param>
    /// <exception cref="UsageException">Nobody is meant, or several are.</exception>
    public static PeerId Resolve(string typed, string? stateDirectory)
    {
        if (stateDirectory is null)
            return PeerId.TryParse(typed, out var id) ? id : throw new UsageException($"With --state {StateSetting.Nowhere} no peers are known: give an id whole, {PeerId.TextLength} characters.");
        try
        {
            return new KnownPeers(stateDirectory).Resolve(typed);
        }
        catch (PunchlineException exception) when (exception.Error == PunchlineError.InvalidInput)
        {
            throw new UsageException($"{exception.Message} `punchline peers` lists whom this machine knows.");
        }
    }
}
