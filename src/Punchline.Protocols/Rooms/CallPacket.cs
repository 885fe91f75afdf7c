using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// The packets of a call without a server that are not any room's (PROTOCOL §2). A signal:
/// <code>
/// 0      1         2          10
/// | 0xc8 | version | hint (8) | a <see cref="CallSignal"/>, sealed …
/// </code>
/// And the caller's introduction, which is a <see cref="ContactPacket"/>'s under a key pair of this call alone, so that nobody but the callee reads who calls,
/// with a proof behind it that it is the one whose key stands in its blob:
/// <code>
/// proof (16) = HMAC-SHA256( contact pair key of the two static keys, all before it ), the first 16 bytes
/// </code>
/// </summary>
internal static class CallPacket
{
    public const byte SignalType = 0xc8;

    /// <summary>Bytes of a sealed signal, at most: no handshake packet has more than 1,200 bytes.</summary>
    public const int MaxSignalLength = HandshakePacket.MaxLength - HeaderLength;

    private const int HeaderLength = 1 + 1 + HandshakePacket.HintLength;
    private const int ProofLength = 16;

    public static byte[] WriteSignal(ulong hint, ReadOnlySpan<byte> signal)
    {
        var packet = new byte[HeaderLength + signal.Length];
        (packet[0], packet[1]) = (SignalType, HandshakePacket.Version);
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(2), hint);
        signal.CopyTo(packet.AsSpan(HeaderLength));
        return packet;
    }

    /// <summary>Reads a signal's packet of our version; what it carries is not looked at.</summary>
    public static bool TryReadSignal(ReadOnlySpan<byte> packet, out ulong hint, out ReadOnlySpan<byte> signal)
    {
        hint = 0;
        signal = default;
        if (packet.Length is < HeaderLength or > HandshakePacket.MaxLength || packet[0] != SignalType || packet[1] != HandshakePacket.Version) return false;
        hint = BinaryPrimitives.ReadUInt64BigEndian(packet[2..]);
        signal = packet[HeaderLength..];
        return true;
    }

    /// <summary>The caller's introduction, with the proof.</summary>
    /// <param name="introduction">As <see cref="ContactPacket.WriteIntroduction"/> gives it.</param>
    /// <param name="proofKey">Of <see cref="TryDeriveKey"/>, for the two static keys.</param>
    public static byte[] Prove(ReadOnlySpan<byte> introduction, ReadOnlySpan<byte> proofKey)
    {
        var packet = new byte[introduction.Length + ProofLength];
        introduction.CopyTo(packet);
        Span<byte> proof = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(proofKey, introduction, proof);
        proof[..ProofLength].CopyTo(packet.AsSpan(introduction.Length));
        return packet;
    }

    /// <summary>Takes the proof off a caller's introduction, and opens its blob; the proof wants a key that follows from the blob.</summary>
    public static bool TryOpenIntroduction(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> pairKey, [NotNullWhen(true)] out IntroductionBlob? introduction)
    {
        introduction = null;
        return packet.Length > ContactPacket.Length + ProofLength && ContactPacket.TryOpenBlob(pairKey, packet[..^ProofLength], out introduction);
    }

    public static bool IsProven(ReadOnlySpan<byte> packet, ReadOnlySpan<byte> proofKey)
    {
        Span<byte> proof = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(proofKey, packet[..^ProofLength], proof);
        return CryptographicOperations.FixedTimeEquals(proof[..ProofLength], packet[^ProofLength..]);
    }

    /// <summary>The contact pair key from one key's owner to another's. False where the other's is no point of the curve.</summary>
    /// <param name="inbox">The callee's inbox's.</param>
    /// <param name="own">Ours: static, or of this call alone.</param>
    /// <param name="other">The other side's.</param>
    /// <param name="isOurs">It is for what we send.</param>
    /// <param name="key">32 bytes.</param>
    public static bool TryDeriveKey(RoomKeys inbox, P256KeyPair own, ReadOnlySpan<byte> other, bool isOurs, [NotNullWhen(true)] out byte[]? key)
    {
        key = null;
        Span<byte> agreement = stackalloc byte[P256KeyPair.SharedSecretLength];
        if (!own.TryAgree(other, agreement)) return false;
        key = new byte[RoomKeys.KeyLength];
        var (ownId, otherId) = (PeerIdDerivation.Derive(P256KeyPair.Suite, own.PublicKey), PeerIdDerivation.Derive(P256KeyPair.Suite, other));
        inbox.DeriveContactPairKey(isOurs ? ownId : otherId, isOurs ? otherId : ownId, agreement, key);
        CryptographicOperations.ZeroMemory(agreement);
        return true;
    }
}
