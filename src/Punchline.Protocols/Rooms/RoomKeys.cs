using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// All keys of a room, from its name and secret alone. Each has its own HKDF label (RFC 5869), so that knowing the tag,
/// as a server does, tells nothing of the others.
/// </summary>
internal sealed partial class RoomKeys
{
    public const int KeyLength = 32;

    /// <summary>Bytes of a room's name in UTF-8, at most.</summary>
    public const int MaxNameBytes = 128;

    /// <summary>Bytes of a room's secret in UTF-8, at most.</summary>
    public const int MaxSecretBytes = 1024;

    // About 190 ms on the machine where this was chosen: once for each join, and for each guess of an attacker.
    private const int Iterations = 600_000;

    private static readonly byte[] Label = "punchline room 1"u8.ToArray();
    private static readonly byte[] InboxLabel = "punchline inbox 1"u8.ToArray();

    private readonly byte[] _roomKey;

    /// <summary>From the key that <see cref="DeriveRoomKey"/> gave, which callers may keep.</summary>
    /// <exception cref="ArgumentException">Not 32 bytes.</exception>
    public RoomKeys(ReadOnlySpan<byte> roomKey)
    {
        if (roomKey.Length != KeyLength) throw new ArgumentException($"A room key has {KeyLength} bytes, not {roomKey.Length}.", nameof(roomKey));
        _roomKey = roomKey.ToArray();
        Tag = Expand("tag"u8);
        PresharedKey = Expand("psk"u8);
        HintKey = Expand("hint"u8);
        IntroductionKey = Expand("introduction"u8);
        LinkKey = Expand("link"u8);
        ContactKey = Expand("contact"u8);
    }

    /// <summary>What the server knows the room by; as text, base32.</summary>
    public byte[] Tag { get; }

    public byte[] PresharedKey { get; }

    public byte[] HintKey { get; }

    /// <summary>Seals the blobs that members give each other through the server.</summary>
    public byte[] IntroductionKey { get; }

    /// <summary>Tells members on our links from everybody else there.</summary>
    public byte[] LinkKey { get; }

    /// <summary>Seals what members that found each other under the room's topic say first.</summary>
    public byte[] ContactKey { get; }

    /// <summary>
    /// The room key: PBKDF2-HMAC-SHA256 (RFC 8018), 600,000 rounds, over the secret, salted with the label, the name's
    /// length and the name in Unicode's form C. Takes about 0.2 s. An empty secret makes an open room.
    /// </summary>
    /// <exception cref="ArgumentException">The name is empty or longer than 128 bytes, or the secret longer than 1,024.</exception>
    public static byte[] DeriveRoomKey(string name, string secret)
    {
        var nameBytes = Encoding.UTF8.GetBytes(name.Normalize(NormalizationForm.FormC));
        var secretBytes = Encoding.UTF8.GetBytes(secret);
        if (nameBytes.Length is 0 or > MaxNameBytes)
            throw new ArgumentException($"A room's name has 1 to {MaxNameBytes} bytes in UTF-8; this one has {nameBytes.Length}.", nameof(name));
        if (secretBytes.Length > MaxSecretBytes)
            throw new ArgumentException($"A room's secret has at most {MaxSecretBytes} bytes in UTF-8; this one has {secretBytes.Length}.", nameof(secret));
        Span<byte> salt = stackalloc byte[Label.Length + sizeof(ushort) + nameBytes.Length];
        var writer = new SpanWriter(salt);
        writer.WriteBytes(Label);
        writer.WriteUInt16((ushort)nameBytes.Length);
        writer.WriteBytes(nameBytes);
        return Rfc2898DeriveBytes.Pbkdf2(secretBytes, salt, Iterations, HashAlgorithmName.SHA256, KeyLength);
    }

    /// <summary>
    /// Of the inbox in which a peer takes calls: HKDF over its id. Whoever knows the id has these keys, the server included.
    /// </summary>
    public static RoomKeys OfInbox(PeerId id)
    {
        Span<byte> bytes = stackalloc byte[PeerId.ByteLength];
        id.CopyTo(bytes);
        Span<byte> roomKey = stackalloc byte[KeyLength];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, bytes, roomKey, salt: [], InboxLabel);
        return new RoomKeys(roomKey);
    }

    private byte[] Expand(ReadOnlySpan<byte> label)
    {
        var key = new byte[KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, _roomKey, key, label);
        return key;
    }

    /// <summary>
    /// The pre-shared key of one introduction: of these two ids in these two processes alone. Other members have the room's
    /// key too, but not what the two static keys agree on: so none of them can write a message 1 in another's name.
    /// </summary>
    /// <param name="one">Either of the two.</param>
    /// <param name="other">The other one.</param>
    /// <param name="agreement">Diffie-Hellman of their static keys.</param>
    public byte[] DerivePairKey(in IntroducedPeer one, in IntroducedPeer other, ReadOnlySpan<byte> agreement)
    {
        var key = new byte[KeyLength];
        Span<byte> info = stackalloc byte[PairInfoLength];
        // Both sides must write the same bytes: the lower id first.
        if (one.Id < other.Id) WritePairInfo(one, other, info);
        else WritePairInfo(other, one, info);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, agreement, key, salt: PresharedKey, info);
        return key;
    }

    /// <summary>What stands in message 1 from <paramref name="sender"/> to <paramref name="receiver"/>, so that the receiver finds the key.</summary>
    public ulong DeriveHint(in IntroducedPeer sender, in IntroducedPeer receiver)
    {
        Span<byte> info = stackalloc byte[PairInfoLength];
        WritePairInfo(sender, receiver, info);
        Span<byte> hint = stackalloc byte[sizeof(ulong)];
        HKDF.Expand(HashAlgorithmName.SHA256, HintKey, hint, info);
        return BinaryPrimitives.ReadUInt64BigEndian(hint);
    }

    private const int PairInfoLength = 2 * (PeerId.ByteLength + InstanceId.ByteLength);

    private static void WritePairInfo(in IntroducedPeer first, in IntroducedPeer second, Span<byte> info)
    {
        var writer = new SpanWriter(info);
        first.Id.CopyTo(writer.Free);
        writer.Advance(PeerId.ByteLength);
        second.Id.CopyTo(writer.Free);
        writer.Advance(PeerId.ByteLength);
        first.Instance.CopyTo(writer.Free);
        writer.Advance(InstanceId.ByteLength);
        second.Instance.CopyTo(writer.Free);
        writer.Advance(InstanceId.ByteLength);
    }
}

/// <summary>One process of a peer, as an introduction names it.</summary>
/// <param name="Id">The peer.</param>
/// <param name="Instance">Its process.</param>
internal readonly record struct IntroducedPeer(PeerId Id, InstanceId Instance);
