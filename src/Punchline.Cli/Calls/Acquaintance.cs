using System.Globalization;
using Punchline.Cli.Chat;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Calls;

/// <summary>What is known of a caller before its call is taken. Its name proves nothing; its id does.</summary>
internal static class Acquaintance
{
    /// <param name="known">Null: nobody is remembered.</param>
    /// <param name="peer">Who calls.</param>
    /// <param name="name">What it calls itself.</param>
    /// <returns>A sentence or two.</returns>
    public static string Describe(KnownPeers? known, PeerId peer, string name)
    {
        try
        {
            return known is null ? $"Its id is {peer}." : Describe(known.List(), peer, name);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return $"Its id is {peer}; whether you know it cannot be read: {exception.Message}";
        }
    }

    private static string Describe(IReadOnlyList<KnownPeer> known, PeerId peer, string name)
    {
        if (known.FirstOrDefault(candidate => candidate.Id == peer) is { } acquaintance)
        {
            var called = acquaintance.Alias ?? acquaintance.Name;
            return $"You know it as {PeerText.Clean(called)}, {Since(acquaintance)}.";
        }
        return known.LastOrDefault(candidate => KnownPeers.AreAlike(candidate.Name, PeerText.Clean(name).Trim())) is { } namesake
            ? $"You have not met it: its id is {peer}. YOU KNOW ANOTHER PEER BY THAT NAME, {PlainOutput.ShortId(namesake.Id)}…, {Since(namesake)}."
            : $"You have not met it: its id is {peer}.";
    }

    private static string Since(KnownPeer peer) =>
        $"{(peer.IsVerified ? "verified, " : "")}met on {peer.FirstMet.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}";
}
