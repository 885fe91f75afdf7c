using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Engine;

/// <summary>
/// Room keys that were derived before, in a state directory, which spares a start the 600,000 rounds. A text file:
/// <code>
/// punchline-room-keys-1 SALT         16 random bytes, of this directory alone, in base32
/// MARK SEALED                        a room: 16 bits in hexadecimal; nonce, sealed room key and tag in base32
/// </code>
/// Mark and sealing key come from name, secret and salt by PBKDF2 with fewer rounds: a room's key is opened by who has
/// its secret, not by who has the file, and a guess at a secret costs that person 2^14 rounds instead of 2^19. A file
/// that is not understood is one that keeps nothing yet: everything in it can be derived again. Thread-safe.
/// </summary>
/// <param name="directory">The state directory; made when something is first kept.</param>
internal sealed class KeptRoomKeys(string directory)
{
    public const string FileName = "room-keys";

    /// <summary>The oldest go first.</summary>
    public const int MaxRooms = 64;

    // A 32nd of a room key's 600,000: 6 ms where those take 190, and five bits less for a guess with the file in hand.
    private const int Iterations = 18_750;

    private const string Version = "punchline-room-keys-1";
    private const int SaltLength = 16;
    private const int MarkLength = 2;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int SealedLength = NonceLength + RoomKeys.KeyLength + TagLength;

    private static readonly byte[] Label = "punchline kept room key 1"u8.ToArray();

    private readonly Lock _gate = new();
    private readonly string _path = Path.Combine(directory, FileName);

    /// <summary>Null: this room's key is not kept, or the file cannot be read.</summary>
    public byte[]? Find(string name, string secret)
    {
        lock (_gate)
        {
            if (!TryRead(out var salt, out var lines) || lines.Count == 0) return null;
            var (mark, sealingKey) = Derive(name, secret, salt);
            foreach (var line in lines)
            {
                if (line.Mark == mark && TryOpen(line.Sealed, sealingKey) is { } roomKey) return roomKey;
            }
            return null;
        }
    }

    /// <summary>Where it cannot be kept, it is derived again the next time, and nobody need be told.</summary>
    public void Keep(string name, string secret, ReadOnlySpan<byte> roomKey)
    {
        lock (_gate)
        {
            // Read anew, since another process may have written meanwhile; of two at the same moment the later wins.
            if (!TryRead(out var salt, out var lines)) (salt, lines) = (RandomNumberGenerator.GetBytes(SaltLength), []);
            var (mark, sealingKey) = Derive(name, secret, salt);
            lines.Add(new Line(mark, Seal(roomKey, sealingKey)));
            var text = new StringBuilder($"{Version} {Base32.Encode(salt)}\n");
            foreach (var line in lines.TakeLast(MaxRooms)) text.Append(CultureInfo.InvariantCulture, $"{line.Mark:x4} {Base32.Encode(line.Sealed)}\n");
            try
            {
                AtomicFile.WriteAllText(_path, text.ToString());
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // A full disk is no reason not to join.
            }
        }
    }

    private bool TryRead(out byte[] salt, out List<Line> lines)
    {
        (salt, lines) = ([], []);
        string[] text;
        try
        {
            text = File.ReadAllLines(_path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
        if (text.Length == 0 || text[0].Split(' ') is not [Version, var saltText] || !Base32.TryDecode(saltText, out var read) || read.Length != SaltLength) return false;
        salt = read;
        foreach (var line in text.Skip(1).TakeLast(MaxRooms))
        {
            if (line.Split(' ') is [var markText, var sealedText]
                && ushort.TryParse(markText, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var mark)
                && Base32.TryDecode(sealedText, out var @sealed) && @sealed.Length == SealedLength) lines.Add(new Line(mark, @sealed));
        }
        return true;
    }

    private static (ushort Mark, byte[] SealingKey) Derive(string name, string secret, byte[] salt)
    {
        var nameBytes = Encoding.UTF8.GetBytes(name.Normalize(NormalizationForm.FormC));
        byte[] fullSalt = [.. Label, .. salt, .. nameBytes];
        var local = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(secret), fullSalt, Iterations, HashAlgorithmName.SHA256, RoomKeys.KeyLength);
        Span<byte> mark = stackalloc byte[MarkLength];
        HKDF.Expand(HashAlgorithmName.SHA256, local, mark, "mark"u8);
        var sealingKey = new byte[RoomKeys.KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, local, sealingKey, "seal"u8);
        return ((ushort)((mark[0] << 8) | mark[1]), sealingKey);
    }

    private static byte[] Seal(ReadOnlySpan<byte> roomKey, byte[] sealingKey)
    {
        var @sealed = new byte[SealedLength];
        var nonce = @sealed.AsSpan(0, NonceLength);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(sealingKey, TagLength);
        cipher.Encrypt(nonce, roomKey, @sealed.AsSpan(NonceLength, RoomKeys.KeyLength), @sealed.AsSpan(NonceLength + RoomKeys.KeyLength));
        return @sealed;
    }

    private static byte[]? TryOpen(byte[] @sealed, byte[] sealingKey)
    {
        var roomKey = new byte[RoomKeys.KeyLength];
        using var cipher = new AesGcm(sealingKey, TagLength);
        try
        {
            cipher.Decrypt(@sealed.AsSpan(0, NonceLength), @sealed.AsSpan(NonceLength, RoomKeys.KeyLength), @sealed.AsSpan(NonceLength + RoomKeys.KeyLength), roomKey);
            return roomKey;
        }
        catch (AuthenticationTagMismatchException)
        {
            // Another room whose mark is the same, or a damaged line.
            return null;
        }
    }

    private readonly record struct Line(ushort Mark, byte[] Sealed);
}
