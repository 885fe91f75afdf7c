using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Dht;

/// <summary>A node that has answered us.</summary>
internal sealed class DhtContact(NodeId id, Endpoint endpoint, Timestamp now)
{
    /// <summary>Queries in a row without an answer that make a node bad (BEP 5: "fails to respond to multiple queries in a row").</summary>
    public const int MaxFailures = 2;

    /// <summary>BEP 5: "after 15 minutes of inactivity, a node becomes questionable."</summary>
    public static readonly TimeSpan GoodFor = TimeSpan.FromMinutes(15);

    public NodeId Id { get; } = id;

    public Endpoint Endpoint { get; } = endpoint;

    /// <summary>BEP 42 gives this address this id.</summary>
    public bool IsSecure { get; } = SecureNodeId.IsValid(id, endpoint);

    public Timestamp LastAnswer { get; set; } = now;

    public int Failures { get; set; }

    public bool IsBad => Failures >= MaxFailures;

    public bool IsQuestionable(Timestamp now) => now - LastAnswer > GoodFor;
}

/// <summary>
/// The nodes we know (BEP 5, "Routing Table"): a bucket for each length of prefix that an id has in common with ours, with 8 nodes
/// and 8 replacements in it. Only who answered a query of ours is in it, so nobody can fill it by talking; and a network
/// address is in it once, so nobody can by having many ids.
/// </summary>
/// <remarks>
/// Buckets that only split where our own id falls, as BEP 5 has them, hold the same nodes as one for each prefix. That is at most 160 × 16
/// nodes; a network of ten million fills about 21 buckets.
/// </remarks>
internal sealed class RoutingTable(NodeId self)
{
    /// <summary>BEP 5's K.</summary>
    public const int BucketSize = 8;

    /// <summary>Nodes that wait for a place in a bucket.</summary>
    public const int MaxReplacements = 8;

    private readonly Bucket?[] _buckets = new Bucket?[NodeId.BitLength];
    private readonly HashSet<UInt128> _networks = [];

    public NodeId Self { get; } = self;

    /// <summary>Nodes in the buckets.</summary>
    public int Count { get; private set; }

    /// <summary>Nodes in the buckets that are not bad.</summary>
    public int UsableCount
    {
        get
        {
            var count = 0;
            foreach (var contact in Contacts) count += contact.IsBad ? 0 : 1;
            return count;
        }
    }

    /// <summary>All nodes in the buckets, far ones first.</summary>
    public IEnumerable<DhtContact> Contacts
    {
        get
        {
            foreach (var bucket in _buckets)
            {
                if (bucket is null) continue;
                foreach (var contact in bucket.Nodes) yield return contact;
            }
        }
    }

    /// <summary>A node answered. Returns a node of its bucket that should be asked whether it is still there, if there is one.</summary>
    public DhtContact? HandleAnswer(NodeId id, Endpoint endpoint, Timestamp now)
    {
        if (id == Self) return null;
        var bucket = BucketOf(id);
        if (bucket.Find(id) is { } known)
        {
            // Who claims the id of a node that answers elsewhere takes nothing from it.
            if (known.Endpoint != endpoint && !known.IsBad) return null;
            if (known.Endpoint == endpoint)
            {
                known.LastAnswer = now;
                known.Failures = 0;
                bucket.LastChange = now;
                return null;
            }
            Remove(known);
        }
        if (!AddressScope.IsLoopback(endpoint) && !_networks.Add(NetworkOf(endpoint)))
        {
            // The same node under another id, or another one behind the same address.
            if (FindAt(endpoint) is not { } former) return null;
            Remove(former);
            _networks.Add(NetworkOf(endpoint));
        }
        return Insert(bucket, new DhtContact(id, endpoint, now), now);
    }

    /// <summary>A node did not answer.</summary>
    public void HandleFailure(NodeId id, Endpoint endpoint)
    {
        var bucket = BucketOf(id);
        if (bucket.Find(id) is not { } contact || contact.Endpoint != endpoint) return;
        contact.Failures++;
        // A bad node without a replacement stays: with the network away, all are, and where else would we begin again?
        if (contact.IsBad && bucket.Replacements.Count > 0) Remove(contact);
    }

    /// <summary>A node is not what it was taken for.</summary>
    public void Remove(NodeId id, Endpoint endpoint)
    {
        if (BucketOf(id).Find(id) is { } contact && contact.Endpoint == endpoint) Remove(contact);
    }

    /// <summary>Whether a node, if it should answer, would come into a bucket.</summary>
    public bool Wants(NodeId id, Endpoint endpoint)
    {
        if (id == Self || _networks.Contains(NetworkOf(endpoint))) return false;
        var bucket = BucketOf(id);
        if (bucket.Find(id) is not null) return false;
        return bucket.Nodes.Count < BucketSize || bucket.Replacements.Count < MaxReplacements || bucket.Nodes.Exists(node => node.IsBad);
    }

    /// <summary>The nearest nodes to a target that are not bad, nearest first; returns how many.</summary>
    public int FindClosest(NodeId target, Span<DhtContact> closest)
    {
        var count = 0;
        foreach (var bucket in _buckets)
        {
            if (bucket is null) continue;
            foreach (var contact in bucket.Nodes)
            {
                if (contact.IsBad) continue;
                var at = count;
                while (at > 0 && (contact.Id ^ target).CompareTo(closest[at - 1].Id ^ target) < 0) at--;
                if (at == closest.Length) continue;
                if (count < closest.Length) count++;
                for (var i = count - 1; i > at; i--) closest[i] = closest[i - 1];
                closest[at] = contact;
            }
        }
        return count;
    }

    /// <summary>A prefix length whose bucket has not changed since a moment, and is worth looking for nodes in; -1 for none.</summary>
    public int FindStale(Timestamp since)
    {
        // Behind the last bucket that has nodes nobody is to be found.
        var last = Array.FindLastIndex(_buckets, bucket => bucket is { Nodes.Count: > 0 });
        for (var i = 0; i <= last; i++)
        {
            if (!(_buckets[i]?.LastChange > since)) return i;
        }
        return -1;
    }

    /// <summary>A lookup in a bucket's range has begun: it is not stale for a while, whatever comes of it.</summary>
    public void Touch(int prefix, Timestamp now) => (_buckets[prefix] ??= new Bucket()).LastChange = now;

    private DhtContact? Insert(Bucket bucket, DhtContact contact, Timestamp now)
    {
        bucket.LastChange = now;
        if (bucket.Nodes.Count < BucketSize)
        {
            bucket.Nodes.Add(contact);
            Count++;
            return null;
        }
        // A bad node gives way at once, and one whose id is not its address's to one whose is.
        var weakest = bucket.Nodes.Find(node => node.IsBad) ?? (contact.IsSecure ? bucket.Nodes.Find(node => !node.IsSecure) : null);
        if (weakest is not null)
        {
            bucket.Nodes[bucket.Nodes.IndexOf(weakest)] = contact;
            _networks.Remove(NetworkOf(weakest.Endpoint));
            return null;
        }
        if (bucket.Replacements.Count == MaxReplacements)
        {
            _networks.Remove(NetworkOf(bucket.Replacements[0].Endpoint));
            bucket.Replacements.RemoveAt(0);
        }
        bucket.Replacements.Add(contact);
        // BEP 5: "the least recently seen node should be pinged" before a newcomer has to go.
        return bucket.Nodes.Where(node => node.IsQuestionable(now)).MinBy(node => node.LastAnswer);
    }

    private void Remove(DhtContact contact)
    {
        var bucket = BucketOf(contact.Id);
        _networks.Remove(NetworkOf(contact.Endpoint));
        if (bucket.Replacements.Remove(contact) || !bucket.Nodes.Remove(contact)) return;
        Count--;
        if (bucket.Replacements.Count == 0) return;
        bucket.Nodes.Add(bucket.Replacements[^1]);
        bucket.Replacements.RemoveAt(bucket.Replacements.Count - 1);
        Count++;
    }

    private Bucket BucketOf(NodeId id) => _buckets[Math.Min(Self.CommonPrefix(id), NodeId.BitLength - 1)] ??= new Bucket();

    private DhtContact? FindAt(Endpoint endpoint)
    {
        foreach (var bucket in _buckets)
        {
            if (bucket is null) continue;
            foreach (var contact in bucket.Nodes)
            {
                if (contact.Endpoint == endpoint) return contact;
            }
            foreach (var contact in bucket.Replacements)
            {
                if (contact.Endpoint == endpoint) return contact;
            }
        }
        return null;
    }

    // Of IPv6, the half that an operator assigns.
    private static UInt128 NetworkOf(Endpoint endpoint) => endpoint.IsIPv4 ? endpoint.Address : endpoint.Address >> 64 << 64;

    private sealed class Bucket
    {
        public List<DhtContact> Nodes { get; } = [];

        public List<DhtContact> Replacements { get; } = [];

        public Timestamp LastChange { get; set; }

        public DhtContact? Find(NodeId id) => Nodes.Find(node => node.Id == id) ?? Replacements.Find(node => node.Id == id);
    }
}
