using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>The peers that were announced to us, for 30 minutes each.</summary>
internal sealed class PeerStore
{
    public const int MaxTopics = 512;

    /// <summary>Peers of a topic, at most; the oldest goes.</summary>
    public const int MaxPeersPerTopic = 64;

    /// <summary>Of them, with one IP address: several peers behind one router.</summary>
    public const int MaxPeersPerAddress = 8;

    /// <summary>In all topics. 8,192 entries of 40 bytes are 330 kB.</summary>
    public const int MaxPeers = 8_192;

    /// <summary>BEP 5 leaves it open; announcements are repeated every 15 to 30 minutes.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(30);

    private readonly Dictionary<NodeId, List<Entry>> _topics = [];

    public int TopicCount => _topics.Count;

    public int PeerCount { get; private set; }

    public void Add(NodeId topic, Endpoint peer, Timestamp now)
    {
        if (!_topics.TryGetValue(topic, out var entries))
        {
            if (_topics.Count == MaxTopics) Sweep(now);
            if (_topics.Count == MaxTopics) Forget(_topics.MinBy(known => known.Value[^1].Announced).Key);
            _topics.Add(topic, entries = []);
        }
        // The latest is last.
        var former = entries.FindIndex(entry => entry.Peer == peer);
        if (former < 0 && entries.Count(entry => entry.Peer.Address == peer.Address) == MaxPeersPerAddress) former = entries.FindIndex(entry => entry.Peer.Address == peer.Address);
        if (former < 0 && (entries.Count == MaxPeersPerTopic || (PeerCount == MaxPeers && entries.Count > 0))) former = 0;
        if (former >= 0) RemoveAt(entries, former);
        if (PeerCount == MaxPeers) Forget(_topics.Where(known => known.Key != topic).MinBy(known => known.Value[^1].Announced).Key);
        entries.Add(new Entry(peer, now));
        PeerCount++;
    }

    /// <summary>Peers of a topic that are of one family, from a place that <paramref name="random"/> chooses; returns how many.</summary>
    public int Find(NodeId topic, bool isIPv4, Span<Endpoint> peers, IRandomSource random, Timestamp now)
    {
        if (!_topics.TryGetValue(topic, out var entries)) return 0;
        PeerCount -= entries.RemoveAll(entry => now - entry.Announced >= Lifetime);
        if (entries.Count == 0)
        {
            _topics.Remove(topic);
            return 0;
        }
        var count = 0;
        var start = entries.Count > peers.Length ? random.NextInt32(entries.Count) : 0;
        for (var i = 0; i < entries.Count && count < peers.Length; i++)
        {
            var peer = entries[(start + i) % entries.Count].Peer;
            if (peer.IsIPv4 == isIPv4) peers[count++] = peer;
        }
        return count;
    }

    private void Sweep(Timestamp now)
    {
        foreach (var (topic, entries) in _topics)
        {
            PeerCount -= entries.RemoveAll(entry => now - entry.Announced >= Lifetime);
            if (entries.Count == 0) _topics.Remove(topic);
        }
    }

    private void Forget(NodeId topic)
    {
        if (_topics.Remove(topic, out var entries)) PeerCount -= entries.Count;
    }

    private void RemoveAt(List<Entry> entries, int index)
    {
        entries.RemoveAt(index);
        PeerCount--;
    }

    private readonly record struct Entry(Endpoint Peer, Timestamp Announced);
}
