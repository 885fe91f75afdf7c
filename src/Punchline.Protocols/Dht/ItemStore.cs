using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>The immutable items that were put here (BEP 44): a value under the hash of itself, for two hours.</summary>
internal sealed class ItemStore
{
    /// <summary>At most; the oldest goes. With values of 1,000 bytes that is 256 kB.</summary>
    public const int MaxItems = 256;

    /// <summary>BEP 44: "v must not be larger than 1000 bytes" bencoded.</summary>
    public const int MaxValueLength = 1_000;

    /// <summary>BEP 44: "nodes … may expire items after 2 hours"; who wants one to stay puts it again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromHours(2);

    private readonly Dictionary<NodeId, Item> _items = [];

    public int Count => _items.Count;

    /// <summary>Where a value is: BEP 44's "SHA-1 hash of the value", as it is bencoded.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "BEP 44 has SHA-1; nothing is kept secret by it.")]
    public static NodeId TargetOf(ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[SHA1.HashSizeInBytes];
        SHA1.HashData(value, hash);
        return NodeId.Read(hash);
    }

    public void Add(ReadOnlySpan<byte> value, Timestamp now)
    {
        var target = TargetOf(value);
        if (_items.Count == MaxItems && !_items.ContainsKey(target)) _items.Remove(_items.MinBy(item => item.Value.Put).Key);
        _items[target] = new Item(_items.TryGetValue(target, out var known) ? known.Value : value.ToArray(), now);
    }

    /// <summary>An item's value; empty where there is none.</summary>
    public ReadOnlySpan<byte> Find(NodeId target, Timestamp now)
    {
        if (!_items.TryGetValue(target, out var item)) return default;
        if (now - item.Put < Lifetime) return item.Value;
        _items.Remove(target);
        return default;
    }

    private readonly record struct Item(byte[] Value, Timestamp Put);
}
