using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>What a node keeps from one run to the next: its ids and the nodes that were there, so that it begins without bootstrap hosts.</summary>
internal sealed partial class DhtNode
{
    /// <summary>The longest that <see cref="Save"/> gives: ids, and the nodes of both families, 26 and 38 bytes each.</summary>
    public const int MaxSavedLength = 128 + (DhtNetwork.MaxRemembered * (CompactAddress.IPv4NodeLength + CompactAddress.IPv6NodeLength));

    /// <summary>A bencoded dictionary: <c>id</c> and <c>nodes</c> of IPv4, <c>id6</c> and <c>nodes6</c> of IPv6.</summary>
    public byte[] Save()
    {
        var buffer = new byte[MaxSavedLength];
        var writer = new BencodeWriter(buffer);
        writer.BeginDictionary();
        foreach (var network in _networks) writer.Write(network.IsIPv4 ? "id"u8 : "id6"u8, network.Id);
        foreach (var network in _networks) writer.Write(network.IsIPv4 ? "nodes"u8 : "nodes6"u8, SaveNodes(network));
        writer.End();
        return buffer[..writer.Length];
    }

    /// <summary>Takes what an earlier run saved. False: it is nothing of that kind, and nothing is taken.</summary>
    public bool Load(ReadOnlySpan<byte> saved, Timestamp now)
    {
        _now = now;
        if (saved.Length > MaxSavedLength || !BencodeValue.TryRead(saved, out var root) || root.Kind != BencodeKind.Dictionary) return false;
        foreach (var network in _networks)
        {
            if (root.TryFindBytes(network.IsIPv4 ? "id"u8 : "id6"u8, out var bytes) && NodeId.TryRead(bytes, out var id) && network.Table.Count == 0) network.ChangeId(id, now);
            if (!root.TryFindBytes(network.IsIPv4 ? "nodes"u8 : "nodes6"u8, out var nodes)) continue;
            var length = network.IsIPv4 ? CompactAddress.IPv4NodeLength : CompactAddress.IPv6NodeLength;
            for (; nodes.Length >= length && network.Remembered.Count < DhtNetwork.MaxRemembered; nodes = nodes[length..])
            {
                CompactAddress.TryReadNode(nodes[..length], out var node, out var endpoint);
                if (CompactAddress.IsUsable(endpoint, endpoint)) network.Remembered.Add((node, endpoint));
            }
            if (network.Remembered.Count > 0) BeginUpkeep(network, now);
        }
        return true;
    }

    private static byte[] SaveNodes(DhtNetwork network)
    {
        var contacts = network.Table.Contacts.Where(contact => !contact.IsBad).OrderByDescending(contact => contact.LastAnswer).Take(DhtNetwork.MaxRemembered).ToList();
        var bytes = new byte[contacts.Count * CompactAddress.IPv6NodeLength];
        var length = 0;
        foreach (var contact in contacts) length += CompactAddress.WriteNode(contact.Id, contact.Endpoint, bytes.AsSpan(length));
        return bytes[..length];
    }
}
