using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline;

// Whom somebody means. Names that peers give themselves never count here, for anybody can take any.
public sealed partial class KnownPeers
{
    /// <summary>Characters of an id's beginning that stand for it, at least: 40 bits, which a stranger does not hit by chance.</summary>
    public const int MinPrefixLength = 8;

    /// <summary>Bytes of an alias in UTF-8, at most.</summary>
    public const int MaxAliasBytes = 64;

    // In a message that asks for more of an id.
    private const int MaxIdsShown = 4;

    /// <summary>All known peers, each once: with its latest name, and the first day in any room. Who was met or changed last stands last.</summary>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public IReadOnlyList<KnownPeer> List()
    {
        lock (_gate) return Merge(Parse(ReadLines()));
    }

    /// <summary>What is known of a peer, or null.</summary>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public KnownPeer? Find(PeerId peer) => List().FirstOrDefault(known => known.Id == peer);

    /// <summary>
    /// Whom somebody means by an id (also of a peer never met), an alias, or the beginning of a known id with at least
    /// <see cref="MinPrefixLength"/> characters. Case makes no difference.
    /// </summary>
    /// <exception cref="PunchlineException"><see cref="PunchlineError.InvalidInput"/>: nobody is meant, or several are.</exception>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public PeerId Resolve(string peer)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (PeerId.TryParse(peer, out var id)) return id;
        var known = List();
        // An alias is the user's own word, so it counts before what a stranger's id begins with.
        if (known.FirstOrDefault(candidate => candidate.Alias is { } alias && AreAlike(alias, peer)) is { } named) return named.Id;
        var begun = known.Where(candidate => Begins(candidate.Id, peer)).Select(candidate => candidate.Id).ToList();
        return begun switch
        {
            [var only] when peer.Length >= MinPrefixLength => only,
            [_, _, ..] when peer.Length >= MinPrefixLength => throw NotOne(
                $"{begun.Count} known peers have ids that begin with {peer}: {string.Join(", ", begun.Take(MaxIdsShown))}{(begun.Count > MaxIdsShown ? ", …" : "")}. Give more of the id."),
            [_, ..] when peer.Length > 0 => throw NotOne($"{peer} is too short for the beginning of an id: at least {MinPrefixLength} characters."),
            _ => throw NotOne(
                $"There is no known peer {PeerText.Clean(peer)}: give an id, an alias, or at least the first {MinPrefixLength} characters of the id of a peer that was met."
                + (known.Any(candidate => AreAlike(candidate.Name, peer)) ? " A name that a peer gives itself does not count, for anybody can take it." : "")),
        };
    }

    /// <summary>Gives a known peer a name of this user's own; null takes it away.</summary>
    /// <returns>False: the peer was never met.</returns>
    /// <exception cref="PunchlineException">
    /// <see cref="PunchlineError.InvalidInput"/>: another peer has that alias, or it is empty, longer than
    /// <see cref="MaxAliasBytes"/>, not printable, begins with a dash, or could be taken for an id.
    /// </exception>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public bool SetAlias(PeerId peer, string? alias)
    {
        lock (_gate)
        {
            var lines = ReadLines();
            var known = Merge(Parse(lines));
            if (known.All(candidate => candidate.Id != peer)) return false;
            if (alias is not null) CheckAlias(peer, alias, known);
            var others = lines.Where(line => ParseAlias(line)?.Id != peer);
            Write(alias is null ? [.. others] : [.. others, $"{peer} {AliasWord} {alias}"]);
            return true;
        }
    }

    /// <summary>Forgets a peer: its names, its alias, and that it was verified.</summary>
    /// <returns>False: it was never met.</returns>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public bool Forget(PeerId peer)
    {
        lock (_gate)
        {
            var lines = ReadLines();
            string[] others = [.. lines.Where(line => ParseMeeting(line)?.Peer.Id != peer && ParseAlias(line)?.Id != peer)];
            if (others.Length < lines.Length) Write(others);
            return others.Length < lines.Length;
        }
    }

    private static IReadOnlyList<KnownPeer> Merge(Entry[] entries) =>
    [
        .. entries.Index().GroupBy(entry => entry.Item.Peer.Id).OrderBy(ofPeer => ofPeer.Max(entry => entry.Index)).Select(ofPeer => ofPeer.Last().Item.Peer with
        {
            FirstMet = ofPeer.Min(entry => entry.Item.Peer.FirstMet),
            IsVerified = ofPeer.Any(entry => entry.Item.Peer.IsVerified),
        }),
    ];

    private static void CheckAlias(PeerId peer, string alias, IReadOnlyList<KnownPeer> known)
    {
        var length = Encoding.UTF8.GetByteCount(alias);
        if (length is 0 or > MaxAliasBytes) throw NotOne($"An alias has 1 to {MaxAliasBytes} bytes in UTF-8; this one has {length}.");
        if (!IsSame(PeerText.Clean(alias).Trim(), alias)) throw NotOne("An alias has printable characters only, and no spaces at its ends.");
        if (alias[0] == '-') throw NotOne("An alias does not begin with a dash, as options do.");
        if (known.FirstOrDefault(other => other.Id != peer && other.Alias is { } taken && AreAlike(taken, alias)) is { } owner)
            throw NotOne($"{owner.Alias} is the alias of {owner.Id} already.");
        if (LooksLikeId(alias) || (alias.Length >= MinPrefixLength && known.Any(candidate => Begins(candidate.Id, alias))))
            throw NotOne($"{alias} could be taken for an id, or the beginning of one.");
    }

    // Words of eight letters and more are in base32's alphabet too, but four of five ids have a digit among their first eight.
    private static bool LooksLikeId(string alias) =>
        PeerId.TryParse(alias, out _) || (alias.Length >= MinPrefixLength && alias.All(Base32.IsInAlphabet) && alias.Any(char.IsAsciiDigit));

    private static bool Begins(PeerId peer, string prefix) => peer.ToString().StartsWith(prefix, StringComparison.OrdinalIgnoreCase);

    private static PunchlineException NotOne(string message) => new(PunchlineError.InvalidInput, message);
}
