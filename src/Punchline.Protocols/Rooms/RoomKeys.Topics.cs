using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Mdns;

namespace Punchline.Protocols.Rooms;

// Of a room whose members find each other in the DHT (PROTOCOL §2). An hour is one since 1970 in UTC.
internal sealed partial class RoomKeys
{
    /// <summary>What members announce themselves under for an hour: who watches it does not know the next one.</summary>
    public NodeId DeriveTopic(long hour)
    {
        Span<byte> topic = stackalloc byte[NodeId.ByteLength];
        ExpandFor(_roomKey, "dht topic"u8, hour, topic);
        return NodeId.Read(topic);
    }

    /// <summary>What stands in clear in an hour's contact packets, so that the receiver finds the room.</summary>
    public ulong DeriveContactHint(long hour)
    {
        Span<byte> hint = stackalloc byte[sizeof(ulong)];
        ExpandFor(HintKey, "dht"u8, hour, hint);
        return BinaryPrimitives.ReadUInt64BigEndian(hint);
    }

    /// <summary>Likewise in contact packets to, and in answer from, a member that was heard on a link under a label.</summary>
    public ulong DeriveLinkHint(ReadOnlySpan<byte> label)
    {
        Span<byte> hint = stackalloc byte[sizeof(ulong)];
        Span<byte> info = stackalloc byte["link"u8.Length + RoomLabel.Length];
        "link"u8.CopyTo(info);
        label.CopyTo(info["link"u8.Length..]);
        HKDF.Expand(HashAlgorithmName.SHA256, HintKey, hint, info);
        return BinaryPrimitives.ReadUInt64BigEndian(hint);
    }

    /// <summary>Seals an introduction from one member to another: nobody but these two has it, of all who have the room's keys.</summary>
    /// <param name="sender">Whose introduction it is.</param>
    /// <param name="receiver">For whom.</param>
    /// <param name="agreement">Diffie-Hellman of their static keys.</param>
    /// <param name="key">32 bytes.</param>
    public void DeriveContactPairKey(PeerId sender, PeerId receiver, ReadOnlySpan<byte> agreement, Span<byte> key)
    {
        Span<byte> info = stackalloc byte[2 * PeerId.ByteLength];
        sender.CopyTo(info);
        receiver.CopyTo(info[PeerId.ByteLength..]);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, agreement, key, salt: ContactKey, info);
    }

    private static void ExpandFor(ReadOnlySpan<byte> key, ReadOnlySpan<byte> label, long hour, Span<byte> output)
    {
        Span<byte> info = stackalloc byte[label.Length + sizeof(long)];
        label.CopyTo(info);
        BinaryPrimitives.WriteInt64BigEndian(info[label.Length..], hour);
        HKDF.Expand(HashAlgorithmName.SHA256, key, output, info);
    }
}
