using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Punchline.Protocols.Transport;

/// <summary>How far one key may be used (RFC 9001 §6.6 and appendix B.1); tests inject small ones.</summary>
/// <param name="MaxPackets">Packets that one key seals.</param>
/// <param name="MaxForgeries">Packets whose tag may fail before the connection closes.</param>
internal readonly record struct AeadLimits(ulong MaxPackets, ulong MaxForgeries)
{
    /// <summary>
    /// 2^28 packets of up to 2^11 bytes (2^7 blocks of 16 bytes, appendix B.1.1); 2^36 forgeries, the limit for
    /// packets of that size (appendix B.1.2).
    /// </summary>
    public static AeadLimits Default { get; } = new(1UL << 28, 1UL << 36);
}

/// <summary>Seals one direction's packets with AES-256-GCM. The nonce is Noise's: four zero bytes, then the packet number in 8 bytes big-endian.</summary>
internal sealed class PacketSealer(ReadOnlySpan<byte> key, ulong maxPackets) : IDisposable
{
    private readonly AesGcm _aead = new(key, PacketHeader.TagLength);

    /// <summary>The number that the next packet gets; also how many the key has sealed.</summary>
    public ulong NextNumber { get; private set; }

    public ulong PacketsLeft => maxPackets - NextNumber;

    /// <summary>
    /// Turns header room and frames into a packet, in place.
    /// </summary>
    /// <param name="packet">Header (written by this call), frames (already there), and room for the tag.</param>
    /// <param name="connectionId">The receiver's.</param>
    /// <returns>False, with nothing sealed, where the key's limit is reached.</returns>
    public bool TrySeal(Span<byte> packet, ulong connectionId)
    {
        if (PacketsLeft == 0) return false;
        PacketHeader.Write(packet, connectionId, NextNumber);
        Span<byte> nonce = stackalloc byte[12];
        PacketNonce.Write(nonce, NextNumber);
        var frames = packet[PacketHeader.Length..^PacketHeader.TagLength];
        _aead.Encrypt(nonce, frames, frames, packet[^PacketHeader.TagLength..], packet[..PacketHeader.Length]);
        NextNumber++;
        return true;
    }

    public void Dispose() => _aead.Dispose();
}

/// <summary>Opens the other direction's packets, and counts those whose tag fails.</summary>
internal sealed class PacketOpener(ReadOnlySpan<byte> key, ulong maxForgeries) : IDisposable
{
    private readonly AesGcm _aead = new(key, PacketHeader.TagLength);

    public ulong Forgeries { get; private set; }

    public bool IsExhausted => Forgeries >= maxForgeries;

    /// <summary>Decrypts a packet's frames into <paramref name="frames"/>, which is as long as they are.</summary>
    /// <returns>False where the packet does not authenticate.</returns>
    public bool TryOpen(ReadOnlySpan<byte> packet, ulong number, Span<byte> frames)
    {
        Span<byte> nonce = stackalloc byte[12];
        PacketNonce.Write(nonce, number);
        try
        {
            _aead.Decrypt(nonce, packet[PacketHeader.Length..^PacketHeader.TagLength], packet[^PacketHeader.TagLength..], frames, packet[..PacketHeader.Length]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            Forgeries++;
            return false;
        }
    }

    public void Dispose() => _aead.Dispose();
}

/// <summary>The nonce of a packet number: Noise revision 34 §12.3 (AESGCM).</summary>
file static class PacketNonce
{
    public static void Write(Span<byte> nonce, ulong number)
    {
        nonce[..4].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], number);
    }
}
