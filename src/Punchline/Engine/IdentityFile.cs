using System.Security.Cryptography;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Engine;

/// <summary>
/// A peer's key in a state directory, as text of three lines:
/// <code>
/// punchline-identity-1
/// SCALAR      the private key, 32 bytes in base32
/// ID          the peer's id
/// </code>
/// The id is not needed, but a scalar with one wrong character is a valid key too, of somebody else: the id tells.
/// </summary>
internal static class IdentityFile
{
    public const string FileName = "identity";
    public const string LockFileName = "identity.lock";

    private const string Version = "punchline-identity-1";

    /// <summary>Takes the directory's identity for as long as the result is open; null: another process has it.</summary>
    public static FileStream? TryLock(string directory)
    {
        AtomicFile.CreateDirectory(directory);
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            // A lock of the operating system's, so it ends with the process, however that ends. The file stays: deleting
            // it could take away the lock of whoever comes next.
            return new FileStream(Path.Combine(directory, LockFileName), options);
        }
        catch (IOException exception) when (IsHeldByAnother(exception))
        {
            return null;
        }
    }

    /// <summary>The key that the directory holds; null where it holds none.</summary>
    /// <exception cref="InvalidDataException">The file is not what was once written.</exception>
    public static P256KeyPair? TryRead(string directory)
    {
        var path = Path.Combine(directory, FileName);
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        if (lines is [Version, var scalarText, var idText] && Base32.TryDecode(scalarText, out var scalar) && PeerId.TryParse(idText, out var id)
            && P256KeyPair.TryImport(scalar, out var keyPair))
        {
            CryptographicOperations.ZeroMemory(scalar);
            if (keyPair.DeriveId() == id) return keyPair;
            keyPair.Dispose();
        }
        throw new InvalidDataException(lines is [Version, ..] or [] or [""]
            ? $"The identity in {path} is damaged. Restore the file from a backup, or move it away: then this peer gets a new identity."
            : $"{path} is not an identity that this version reads. Use the version that wrote it, or move it away: then this peer gets a new identity.");
    }

    /// <summary>Makes a new key and writes it down. Only under the lock, and only where there is none.</summary>
    public static P256KeyPair Create(string directory)
    {
        Span<byte> scalar = stackalloc byte[P256KeyPair.PrivateKeyLength];
        P256KeyPair? keyPair;
        // All but one in 2^32 draws are keys.
        do RandomNumberGenerator.Fill(scalar);
        while (!P256KeyPair.TryImport(scalar, out keyPair));
        AtomicFile.WriteAllText(Path.Combine(directory, FileName), $"{Version}\n{Base32.Encode(scalar)}\n{keyPair.DeriveId()}\n");
        CryptographicOperations.ZeroMemory(scalar);
        return keyPair;
    }

    // What .NET makes of flock's EWOULDBLOCK (11 on Linux, 35 on macOS and the BSDs) and of ERROR_SHARING_VIOLATION (32) on Windows.
    private static bool IsHeldByAnother(IOException exception) => (exception.HResult & 0xffff) is 11 or 35 or 32;
}
