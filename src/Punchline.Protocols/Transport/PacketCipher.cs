using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Punchline.Protocols.Transport;

/// <summary>
/// One key of one direction: AES-256-GCM over a packet's frames, with its header as associated data. The nonce is Noise's:
/// four zero bytes, then the packet number in 8 bytes big-endian (Noise revision 34 §12.3).
/// </summary>
internal sealed class PacketCipher(ReadOnlySpan<byte> key) : IDisposable
{
    public const int KeyLength = 32;

    private readonly AesGcm _aead = new(key, PacketHeader.TagLength);

    /// <summary>Seals the frames of a packet whose header stands before them, in place.</summary>
    public void Seal(Span<byte> packet, ulong number)
    {
        Span<byte> nonce = stackalloc byte[12];
        WriteNonce(nonce, number);
        var frames = packet[PacketHeader.Length..^PacketHeader.TagLength];
        _aead.Encrypt(nonce, frames, frames, packet[^PacketHeader.TagLength..], packet[..PacketHeader.Length]);
    }

    /// <summary>Opens a packet's frames into <paramref name="frames"/>, which is as long as they are.</summary>
    /// <returns>False where the tag does not hold.</returns>
    public bool TryOpen(ReadOnlySpan<byte> packet, ulong number, Span<byte> frames)
    {
        Span<byte> nonce = stackalloc byte[12];
        WriteNonce(nonce, number);
        try
        {
            _aead.Decrypt(nonce, packet[PacketHeader.Length..^PacketHeader.TagLength], packet[^PacketHeader.TagLength..], frames, packet[..PacketHeader.Length]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>
    /// The key after this one: Noise's REKEY (§4.2), the first 32 bytes of ENCRYPT(k, 2^64 − 1, no associated data, 32 zeros).
    /// No packet has that number, and from the new key there is no way back to this one.
    /// </summary>
    public PacketCipher CreateNext()
    {
        Span<byte> nonce = stackalloc byte[12];
        WriteNonce(nonce, ulong.MaxValue);
        Span<byte> next = stackalloc byte[KeyLength];
        Span<byte> tag = stackalloc byte[PacketHeader.TagLength];
        next.Clear();
        _aead.Encrypt(nonce, next, next, tag);
        var cipher = new PacketCipher(next);
        CryptographicOperations.ZeroMemory(next);
        return cipher;
    }

    public void Dispose() => _aead.Dispose();

    private static void WriteNonce(Span<byte> nonce, ulong number)
    {
        nonce[..4].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], number);
    }
}
