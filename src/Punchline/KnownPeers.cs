using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Punchline.Engine;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline;

/// <summary>A peer that was met before, in a room.</summary>
/// <param name="Id">Who.</param>
/// <param name="Name">What it called itself lately.</param>
/// <param name="FirstMet">The day of the first connection in this room, in UTC.</param>
/// <param name="IsVerified">Its id was compared with the person behind it, and matched.</param>
/// <param name="Alias">What this peer's user calls it; null: nothing yet.</param>
public sealed record KnownPeer(PeerId Id, string Name, DateOnly FirstMet, bool IsVerified, string? Alias = null);

/// <summary>What was known of a peer when it was met just now.</summary>
/// <param name="Before">The peer as it was known in this room; null: met for the first time.</param>
/// <param name="IsVerified">Its id was compared before, in this room or another.</param>
/// <param name="Namesakes">Other peers that were met in this room under the same name, the latest last.</param>
public sealed record PeerMeeting(KnownPeer? Before, bool IsVerified, IReadOnlyList<KnownPeer> Namesakes);

/// <summary>
/// Whom this peer has met, in the file <c>known-peers</c> of a state directory, one line a peer and room, and one more
/// where its user gave it an alias:
/// <code>
/// ID met|verified YYYY-MM-DD ROOM NAME
/// ID alias NAME
/// ID blocked
/// </code>
/// A line <c>blocked</c> stands alone, for somebody who was never met can be blocked too.
/// ROOM is 40 bits from the room's key, or <c>calls</c>, so the file does not say where somebody was met to who does not know that room.
/// Lines that are not understood are kept; people may edit it. Thread-safe.
/// </summary>
/// <param name="stateDirectory">Made when somebody is first remembered.</param>
public sealed partial class KnownPeers(string stateDirectory)
{
    /// <summary>
    /// Lines. Beyond these the oldest go, and last those of peers that are verified, blocked or have an alias: strangers cannot push out whom you named, compared ids with or want nothing of.
    /// </summary>
    public const int MaxLines = 1000;

    /// <summary>Peers that are blocked: they leave room for whom one meets.</summary>
    public const int MaxBlocked = MaxLines / 2;

    internal const string FileName = "known-peers";

    /// <summary>What stands for a room where somebody was met in a call: names are compared among all whom one calls or is called by.</summary>
    internal const string CallsMark = "calls";

    private const string MetWord = "met";
    private const string VerifiedWord = "verified";
    private const string AliasWord = "alias";
    private const string BlockedWord = "blocked";
    private const string DateFormat = "yyyy-MM-dd";

    // ID, word, date, room, name.
    private const int Columns = 5;

    // ID, word, alias.
    private const int AliasColumns = 3;

    // 8 characters of base32. Two rooms of one user share a mark once in 2^40 pairs, and then share namesakes.
    private const int RoomMarkBytes = 5;

    private readonly Lock _gate = new();
    private readonly string _path = Path.Combine(stateDirectory, FileName);

    /// <summary>Remembers a peer that proved its key in a room, and says what was known of it and its name.</summary>
    /// <exception cref="IOException">The file cannot be read or written.</exception>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public PeerMeeting Meet(Room room, PeerId peer, string name, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(room);
        return Meet(room.LocalMark, peer, name, now);
    }

    /// <summary>Notes that a peer's id was compared with the person behind it, in whichever rooms it was met.</summary>
    /// <returns>False: it was never met.</returns>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public bool SetVerified(PeerId peer, bool isVerified)
    {
        lock (_gate)
        {
            var isKnown = false;
            var lines = ReadLines();
            for (var i = 0; i < lines.Length; i++)
            {
                if (ParseMeeting(lines[i]) is not { } entry || entry.Peer.Id != peer) continue;
                lines[i] = Format(entry with { Peer = entry.Peer with { IsVerified = isVerified } });
                isKnown = true;
            }
            if (isKnown) Write(lines);
            return isKnown;
        }
    }

    /// <summary>
    /// Notes that nothing is wanted of a peer, met or not, or that this is over. What follows from that is the program's: <see cref="PeerNode.SetBlocked"/> keeps it out.
    /// </summary>
    /// <exception cref="InvalidOperationException"><see cref="MaxBlocked"/> peers are blocked.</exception>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public void SetBlocked(PeerId peer, bool isBlocked)
    {
        lock (_gate)
        {
            var lines = ReadLines();
            var others = Array.FindAll(lines, line => ParseBlocked(line) != peer);
            if (isBlocked == others.Length < lines.Length) return;
            if (isBlocked && others.Count(line => ParseBlocked(line) is not null) >= MaxBlocked) throw new InvalidOperationException($"At most {MaxBlocked} peers can be blocked.");
            Write(isBlocked ? [.. others, $"{peer} {BlockedWord}"] : others);
        }
    }

    /// <summary>The peers of whom nothing is wanted.</summary>
    /// <inheritdoc cref="Meet(Room, PeerId, string, DateTimeOffset)" path="/exception"/>
    public IReadOnlySet<PeerId> ListBlocked()
    {
        lock (_gate) return ReadLines().Select(ParseBlocked).OfType<PeerId>().ToHashSet();
    }

    /// <summary>What a state directory calls a room.</summary>
    internal static string MarkOf(RoomKeys keys)
    {
        Span<byte> mark = stackalloc byte[RoomMarkBytes];
        HKDF.Expand(HashAlgorithmName.SHA256, keys.IntroductionKey, mark, "known peers"u8);
        return Base32.Encode(mark);
    }

    internal PeerMeeting Meet(string room, PeerId peer, string name, DateTimeOffset now)
    {
        var cleaned = PeerText.Clean(name).Trim();
        lock (_gate)
        {
            // Read anew, since another process may have written meanwhile; of two at the same moment the later wins, and
            // whom the other met is met again as new.
            var lines = ReadLines();
            var entries = Parse(lines);
            var before = Array.FindLast(entries, entry => entry.Peer.Id == peer && IsSame(entry.Room, room))?.Peer;
            var isVerified = entries.Any(entry => entry.Peer.Id == peer && entry.Peer.IsVerified);
            KnownPeer[] namesakes = [.. entries.Where(entry => entry.Peer.Id != peer && IsSame(entry.Room, room) && AreAlike(entry.Peer.Name, cleaned)).Select(entry => entry.Peer)];
            if (before is null || !IsSame(before.Name, cleaned))
            {
                var met = new KnownPeer(peer, cleaned, before?.FirstMet ?? DateOnly.FromDateTime(now.UtcDateTime), isVerified);
                Write([.. lines.Where(line => ParseMeeting(line) is not { } entry || entry.Peer.Id != peer || !IsSame(entry.Room, room)), Format(new Entry(room, met))]);
            }
            return new PeerMeeting(before, isVerified, namesakes);
        }
    }

    /// <summary>Whether people would take one name for the other: case, width and composition aside (Unicode's form KC).</summary>
    internal static bool AreAlike(string one, string other) =>
        string.Equals(one.Normalize(NormalizationForm.FormKC), other.Normalize(NormalizationForm.FormKC), StringComparison.OrdinalIgnoreCase);

    private static bool IsSame(string one, string other) => string.Equals(one, other, StringComparison.Ordinal);

    private string[] ReadLines()
    {
        try
        {
            return File.ReadAllLines(_path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
    }

    private void Write(string[] lines)
    {
        var surplus = lines.Length - MaxLines;
        var kept = lines.ToList();
        if (surplus > 0)
        {
            var named = lines.Select(ParseAlias).OfType<(PeerId Id, string Alias)>().Select(line => line.Id).ToHashSet();
            kept.RemoveAll(line => surplus > 0 && !IsOfWeight(line, named) && surplus-- > 0);
        }
        AtomicFile.WriteAllText(_path, string.Concat(kept.TakeLast(MaxLines).Select(line => line + "\n")));
    }

    private static bool IsOfWeight(string line, HashSet<PeerId> named) =>
        ParseAlias(line) is not null || ParseBlocked(line) is not null || (ParseMeeting(line) is { } entry && (entry.Peer.IsVerified || named.Contains(entry.Peer.Id)));

    private static Entry[] Parse(string[] lines)
    {
        // Where somebody wrote a second alias by hand, the latter counts.
        var aliases = new Dictionary<PeerId, string>();
        foreach (var line in lines.Select(ParseAlias).OfType<(PeerId Id, string Alias)>()) aliases[line.Id] = line.Alias;
        return [.. lines.Select(ParseMeeting).OfType<Entry>().Select(entry => entry with { Peer = entry.Peer with { Alias = aliases.GetValueOrDefault(entry.Peer.Id) } })];
    }

    private static Entry? ParseMeeting(string line) =>
        line.Split(' ', Columns) is [var idText, MetWord or VerifiedWord, var day, var room, var name] columns
        && PeerId.TryParse(idText, out var id)
        && DateOnly.TryParseExact(day, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var firstMet)
            ? new Entry(room, new KnownPeer(id, name, firstMet, columns[1] is VerifiedWord))
            : null;

    private static (PeerId Id, string Alias)? ParseAlias(string line) =>
        line.Split(' ', AliasColumns) is [var idText, AliasWord, var alias] && PeerId.TryParse(idText, out var id) ? (id, alias) : null;

    private static PeerId? ParseBlocked(string line) => line.Split(' ') is [var idText, BlockedWord] && PeerId.TryParse(idText, out var id) ? id : null;

    private static string Format(Entry entry) =>
        $"{entry.Peer.Id} {(entry.Peer.IsVerified ? VerifiedWord : MetWord)} {entry.Peer.FirstMet.ToString(DateFormat, CultureInfo.InvariantCulture)} {entry.Room} {entry.Peer.Name}";

    private sealed record Entry(string Room, KnownPeer Peer);
}
