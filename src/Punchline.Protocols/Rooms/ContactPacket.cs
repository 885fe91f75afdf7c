using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Rooms;

/// <summary>Which of the three packets by which two members introduce themselves to each other, where no server does.</summary>
internal enum ContactKind : byte
{
    /// <summary>To an address under the topic: is there a member?</summary>
    Hello = 0xc5,

    /// <summary>There is one, and it receives what is sent here.</summary>
    Answer = 0xc6,

    /// <summary>To whoever has shown that it receives what is sent there: all that a server would have told it.</summary>
    Introduction = 0xc7,
}

/// <summary>
/// A packet between two addresses that do not know yet whether members of one room are there (PROTOCOL §2):
/// <code>
/// 0      1         2          10           22                                                      119        135
/// | type | version | hint (8) | nonce (12) | key (65) | sender's cookie (16) | receiver's (16)     | tag (16) | …
/// </code>
/// The part from the key on is sealed under the room's contact key. An introduction goes on with a blob's plaintext and its tag, sealed under the key of
/// the two, with the same nonce. Hello and answer have the same length, so that answering a forged source amplifies nothing.
/// </summary>
internal ref struct ContactPacket
{
    /// <summary>Of hello and answer.</summary>
    public const int Length = PrefixLength + SealedLength + TagLength;

    /// <summary>Of a blob's plaintext in an introduction, at most: no handshake packet has more than 1,200 bytes.</summary>
    public const int MaxBlobLength = HandshakePacket.MaxLength - Length - TagLength;

    private const int HeaderLength = 1 + 1 + HandshakePacket.HintLength;
    private const int NonceLength = 12;
    private const int PrefixLength = HeaderLength + NonceLength;
    private const int KeyLength = 65;
    private const int SealedLength = KeyLength + (2 * AddressCookies.Length);
    private const int TagLength = 16;

    private byte[] _opened;

    public ContactKind Kind { get; private set; }

    /// <summary>The sender's, as it says; only an introduction proves it.</summary>
    public readonly ReadOnlySpan<byte> PublicKey => _opened.AsSpan(0, KeyLength);

    /// <summary>To be returned to the sender.</summary>
    public readonly ReadOnlySpan<byte> Cookie => _opened.AsSpan(KeyLength, AddressCookies.Length);

    /// <summary>The receiver's own, returned; zeros in a hello.</summary>
    public readonly ReadOnlySpan<byte> ReturnedCookie => _opened.AsSpan(KeyLength + AddressCookies.Length, AddressCookies.Length);

    /// <summary>Reads the hint of a contact packet of our version.</summary>
    public static bool TryReadHint(ReadOnlySpan<byte> packet, out ulong hint)
    {
        hint = 0;
        if (packet.Length is < Length or > HandshakePacket.MaxLength || packet[1] != HandshakePacket.Version) return false;
        if (packet[0] is not ((byte)ContactKind.Hello or (byte)ContactKind.Answer or (byte)ContactKind.Introduction)) return false;
        if (packet.Length > Length != (packet[0] == (byte)ContactKind.Introduction)) return false;
        hint = BinaryPrimitives.ReadUInt64BigEndian(packet[2..]);
        return true;
    }

    /// <summary>Opens what a room's member wrote. False for anything else.</summary>
    /// <param name="keys">The room's.</param>
    /// <param name="packet">One whose hint was read.</param>
    /// <param name="contact">What it says.</param>
    public static bool TryOpen(RoomKeys keys, ReadOnlySpan<byte> packet, out ContactPacket contact)
    {
        contact = default;
        var opened = new byte[SealedLength];
        if (!TryOpen(keys.ContactKey, packet[HeaderLength..PrefixLength], packet.Slice(PrefixLength, SealedLength + TagLength), opened, packet[..HeaderLength])) return false;
        contact = new ContactPacket { Kind = (ContactKind)packet[0], _opened = opened };
        return true;
    }

    /// <summary>Writes a hello or an answer.</summary>
    /// <param name="kind">Which.</param>
    /// <param name="keys">The room's.</param>
    /// <param name="hint">The hour's.</param>
    /// <param name="publicKey">Ours.</param>
    /// <param name="cookie">To be returned to us.</param>
    /// <param name="returned">The receiver's; empty in a hello.</param>
    /// <param name="random">For the nonce.</param>
    public static byte[] Write(
        ContactKind kind, RoomKeys keys, ulong hint, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> cookie, ReadOnlySpan<byte> returned, IRandomSource random)
    {
        var packet = new byte[Length];
        WriteContact(packet, kind, keys, hint, publicKey, cookie, returned, random);
        return packet;
    }

    /// <summary>Likewise an introduction, with a blob's plaintext of <see cref="MaxBlobLength"/> bytes at most and the key of the two, from us to the other.</summary>
    public static byte[] WriteIntroduction(
        RoomKeys keys, ulong hint, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> cookie, ReadOnlySpan<byte> returned, ReadOnlySpan<byte> pairKey, ReadOnlySpan<byte> blob, IRandomSource random)
    {
        var packet = new byte[Length + blob.Length + TagLength];
        WriteContact(packet, ContactKind.Introduction, keys, hint, publicKey, cookie, returned, random);
        using var aes = new AesGcm(pairKey, TagLength);
        aes.Encrypt(packet.AsSpan(HeaderLength, NonceLength), blob, packet.AsSpan(Length, blob.Length), packet.AsSpan(Length + blob.Length), packet.AsSpan(0, Length));
        return packet;
    }

    /// <summary>Opens the blob of an introduction that opened. False where not the one wrote it whose key stands before it.</summary>
    public static bool TryOpenBlob(ReadOnlySpan<byte> pairKey, ReadOnlySpan<byte> packet, [NotNullWhen(true)] out IntroductionBlob? introduction)
    {
        introduction = null;
        if (packet.Length < Length + TagLength) return false;
        Span<byte> plaintext = stackalloc byte[packet.Length - Length - TagLength];
        return TryOpen(pairKey, packet[HeaderLength..PrefixLength], packet[Length..], plaintext, packet[..Length]) && IntroductionBlob.TryRead(plaintext, out introduction);
    }

    private static void WriteContact(
        Span<byte> packet, ContactKind kind, RoomKeys keys, ulong hint, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> cookie, ReadOnlySpan<byte> returned, IRandomSource random)
    {
        packet[0] = (byte)kind;
        packet[1] = HandshakePacket.Version;
        BinaryPrimitives.WriteUInt64BigEndian(packet[2..], hint);
        var nonce = packet[HeaderLength..PrefixLength];
        random.Fill(nonce);
        Span<byte> plaintext = stackalloc byte[SealedLength];
        plaintext.Clear();
        publicKey.CopyTo(plaintext);
        cookie.CopyTo(plaintext[KeyLength..]);
        returned.CopyTo(plaintext[(KeyLength + AddressCookies.Length)..]);
        using var aes = new AesGcm(keys.ContactKey, TagLength);
        aes.Encrypt(nonce, plaintext, packet.Slice(PrefixLength, SealedLength), packet.Slice(PrefixLength + SealedLength, TagLength), packet[..HeaderLength]);
    }

    private static bool TryOpen(ReadOnlySpan<byte> key, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, Span<byte> plaintext, ReadOnlySpan<byte> associated)
    {
        try
        {
            using var aes = new AesGcm(key, TagLength);
            aes.Decrypt(nonce, ciphertext[..^TagLength], ciphertext[^TagLength..], plaintext, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}
