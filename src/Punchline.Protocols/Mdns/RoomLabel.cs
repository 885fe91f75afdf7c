using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Mdns;

/// <summary>
/// What a member is called on its links: 16 bytes in base32, so 26 characters, which only members can tell from random ones:
/// <code>
/// nonce (8): random | proof (8): HMAC-SHA256 of the nonce under the room's key for this, its first bytes
/// </code>
/// Two labels of one room have nothing in common for whoever has not its key, and none says anything of the next one. Unlike a name of the
/// hour it needs no clock: a LAN without the internet has none that all agree on.
/// </summary>
internal static class RoomLabel
{
    public const int TextLength = 26;

    /// <summary>Bytes of a label that is decoded.</summary>
    public const int Length = 16;

    private const int NonceLength = 8;

    public static (byte[] Bytes, string Text) Create(ReadOnlySpan<byte> key, IRandomSource random)
    {
        var label = new byte[Length];
        random.Fill(label.AsSpan(0, NonceLength));
        WriteProof(key, label.AsSpan(0, NonceLength), label.AsSpan(NonceLength));
        return (label, Base32.Encode(label));
    }

    /// <summary>The bytes of a label that has the form of one.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> label, [NotNullWhen(true)] out byte[]? bytes)
    {
        bytes = null;
        return label.Length == TextLength && Base32.TryDecode(Encoding.ASCII.GetString(label), out bytes);
    }

    /// <summary>Whether a member of the room with that key made it, sometime.</summary>
    public static bool IsOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> bytes)
    {
        Span<byte> proof = stackalloc byte[Length - NonceLength];
        WriteProof(key, bytes[..NonceLength], proof);
        return CryptographicOperations.FixedTimeEquals(proof, bytes[NonceLength..]);
    }

    private static void WriteProof(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, Span<byte> proof)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, nonce, mac);
        mac[..proof.Length].CopyTo(proof);
    }
}
