using System.Buffers.Text;
using Punchline.Engine;
using Punchline.Protocols.Noise;

namespace Punchline;

/// <summary>A peer's key pair, and so who it is. Give it to a <see cref="PeerNode"/>, and dispose it after that.</summary>
public sealed class PeerIdentity : IDisposable
{
    /// <summary>The file's name in a state directory.</summary>
    public const string FileName = "identity";

    private const string LockFileName = "identity.lock";
    private const string FormatWord = "punchline-identity-1";

    private readonly FileStream? _lock;

    private PeerIdentity(P256KeyPair keyPair, FileStream? heldLock, bool isTemporary)
    {
        KeyPair = keyPair;
        Id = keyPair.DeriveId();
        _lock = heldLock;
        IsTemporary = isTemporary;
    }

    /// <summary>What others dial, and what a handshake proves.</summary>
    public PeerId Id { get; }

    /// <summary>Another process holds the directory's identity, so this one ends with this process.</summary>
    public bool IsTemporary { get; }

    internal P256KeyPair KeyPair { get; }

    /// <summary>A new identity, kept nowhere.</summary>
    public static PeerIdentity Create() => new(P256KeyPair.Generate(SystemRandomSource.Instance), null, isTemporary: false);

    /// <summary>
    /// The identity of a state directory, made when it is first asked for, and held until disposal: a second process gets
    /// a temporary one (<see cref="IsTemporary"/>), for one peer cannot be in two places.
    /// </summary>
    /// <exception cref="InvalidDataException">The file is damaged. It is never overwritten.</exception>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory cannot be used.</exception>
    public static PeerIdentity Open(string stateDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(stateDirectory);
        AtomicFile.CreateDirectory(stateDirectory);
        if (!TryLock(Path.Combine(stateDirectory, LockFileName), out var heldLock))
            return new PeerIdentity(P256KeyPair.Generate(SystemRandomSource.Instance), null, isTemporary: true);
        try
        {
            return new PeerIdentity(ReadOrCreate(Path.Combine(stateDirectory, FileName)), heldLock, isTemporary: false);
        }
        catch
        {
            heldLock!.Dispose();
            throw;
        }
    }

    /// <summary>Forgets the key and lets the directory go.</summary>
    public void Dispose()
    {
        KeyPair.Dispose();
        _lock?.Dispose();
    }

    private static P256KeyPair ReadOrCreate(string path)
    {
        if (File.Exists(path)) return Read(path);
        var scalar = new byte[P256KeyPair.PrivateKeyLength];
        P256KeyPair? keyPair;
        do
        {
            SystemRandomSource.Instance.Fill(scalar);
        }
        while (!P256KeyPair.TryImport(scalar, out keyPair));
        AtomicFile.WriteAllText(path, $"{FormatWord} {Base64Url.EncodeToString(scalar)}\n");
        return keyPair;
    }

    private static P256KeyPair Read(string path)
    {
        var words = File.ReadAllText(path).Trim().Split(' ');
        if (words is [FormatWord, var scalar] && Base64Url.IsValid(scalar) && P256KeyPair.TryImport(Base64Url.DecodeFromChars(scalar), out var keyPair)) return keyPair;
        throw new InvalidDataException($"{path} is not an identity of this program, or is damaged. Restore it from a copy, or move it away to become a new peer.");
    }

    private static bool TryLock(string path, out FileStream? heldLock)
    {
        try
        {
            // FileShare.None is an advisory lock (flock) on Unix, which ends with the process however it ends.
            heldLock = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (IOException) when (File.Exists(path))
        {
            heldLock = null;
            return false;
        }
    }
}
