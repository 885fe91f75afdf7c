using System.Security.Cryptography;
using System.Text;
using Punchline.Engine;
using Punchline.Protocols.Primitives;

namespace Punchline.Cli.Session;

/// <summary>
/// What was said in rooms and calls, in the directory <c>history</c> of a state directory: a file each, sealed by a key that comes from the identity, as do the
/// files' names. Whoever has the identity as well reads it.
/// </summary>
internal sealed class HistoryStore
{
    public const string DirectoryName = "history";

    /// <summary>Of rooms and calls; the ones that were silent for longest go first.</summary>
    public const int MaxFiles = 64;

    // 16 characters of base32. Two rooms of one user share a name once in 2^80 pairs.
    private const int NameBytes = 10;

    private readonly string _directory;
    private readonly byte[] _key = new byte[SHA256.HashSizeInBytes];

    public HistoryStore(string stateDirectory, PeerIdentity identity)
    {
        _directory = Path.Combine(stateDirectory, DirectoryName);
        identity.KeyPair.DeriveKey("punchline history 1"u8, _key);
    }

    /// <summary>Null: nothing is kept, for there is no place, it is not wanted, or the identity is one that comes never again.</summary>
    public static HistoryStore? Create(string? stateDirectory, PeerIdentity identity, bool isWanted) =>
        stateDirectory is { } directory && isWanted && !identity.IsTemporary ? new HistoryStore(directory, identity) : null;

    /// <inheritdoc cref="Open(string)"/>
    // The state directory has one mark for all calls.
    public RoomHistory Open(Room room) => Open(string.Equals(room.LocalMark, KnownPeers.CallsMark, StringComparison.Ordinal) ? $"call {room.Name}" : $"room {room.LocalMark}");

    /// <summary>A room's history; where it cannot be used, that is its <see cref="RoomHistory.Problem"/>.</summary>
    public RoomHistory Open(string mark)
    {
        Span<byte> name = stackalloc byte[NameBytes];
        var key = new byte[_key.Length];
        HKDF.Expand(HashAlgorithmName.SHA256, _key, name, Encoding.UTF8.GetBytes($"name {mark}"));
        HKDF.Expand(HashAlgorithmName.SHA256, _key, key, Encoding.UTF8.GetBytes($"key {mark}"));
        var path = Path.Combine(_directory, Base32.Encode(name));
        try
        {
            AtomicFile.CreateDirectory(_directory);
            RemoveOldest(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Opening it says what is wrong.
        }
        return new RoomHistory(path, key);
    }

    private void RemoveOldest(string opened)
    {
        var others = new DirectoryInfo(_directory).GetFiles().Where(file => !string.Equals(file.FullName, Path.GetFullPath(opened), StringComparison.Ordinal));
        foreach (var file in others.OrderByDescending(file => file.LastWriteTimeUtc).Skip(MaxFiles - 1)) file.Delete();
    }
}
