using Punchline.Engine;
using Punchline.Protocols.Noise;

namespace Punchline;

/// <summary>
/// Who a peer is: a key pair, kept in a state directory or for this process only. A directory's identity is used by one
/// process at a time, since two peers with one id would replace each other at every server.
/// </summary>
public sealed class PeerIdentity : IDisposable
{
    private readonly FileStream? _lock;

    private PeerIdentity(P256KeyPair keyPair, FileStream? directoryLock, bool isTemporary)
    {
        KeyPair = keyPair;
        Id = keyPair.DeriveId();
        _lock = directoryLock;
        IsTemporary = isTemporary;
    }

    /// <summary>What others know the peer by.</summary>
    public PeerId Id { get; }

    /// <summary>Another process uses the directory's identity, so this is a new one that nobody will meet again.</summary>
    public bool IsTemporary { get; }

    internal P256KeyPair KeyPair { get; }

    /// <summary>A new identity that is kept nowhere.</summary>
    public static PeerIdentity Create() => new(P256KeyPair.Generate(SystemRandomSource.Instance), null, isTemporary: false);

    /// <summary>
    /// The identity kept in a directory, which is made, with a new identity in it, where there is none yet. Held for this
    /// object's lifetime; while another process holds it, the result is a temporary identity.
    /// </summary>
    /// <param name="stateDirectory">Where the file <c>identity</c> is.</param>
    /// <exception cref="InvalidDataException">The file is there and is not what was once written. It is left as it is.</exception>
    /// <exception cref="IOException">The directory cannot be used.</exception>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public static PeerIdentity Open(string stateDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(stateDirectory);
        var directoryLock = IdentityFile.TryLock(stateDirectory);
        if (directoryLock is null) return new PeerIdentity(P256KeyPair.Generate(SystemRandomSource.Instance), null, isTemporary: true);
        try
        {
            return new PeerIdentity(IdentityFile.TryRead(stateDirectory) ?? IdentityFile.Create(stateDirectory), directoryLock, isTemporary: false);
        }
        catch
        {
            directoryLock.Dispose();
            throw;
        }
    }

    /// <summary>The id kept in a directory, also while a process uses it; made where there is none yet.</summary>
    /// <inheritdoc cref="Open" path="/exception"/>
    internal static PeerId ReadId(string stateDirectory)
    {
        using var kept = IdentityFile.TryRead(stateDirectory);
        if (kept is not null) return kept.DeriveId();
        using var identity = Open(stateDirectory);
        // Temporary: at this moment another process makes the directory's first identity.
        return identity.IsTemporary
            ? throw new IOException($"Another process is making the identity in {stateDirectory} just now: try again.")
            : identity.Id;
    }

    /// <summary>Lets the directory go. Whoever uses the identity must be closed by then.</summary>
    public void Dispose()
    {
        KeyPair.Dispose();
        _lock?.Dispose();
    }
}
