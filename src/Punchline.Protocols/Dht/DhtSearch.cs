using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>What a search is for.</summary>
internal enum DhtPurpose
{
    /// <summary>The nodes themselves: to know some.</summary>
    FindNodes,
    FindPeers,

    /// <summary>The peers, and then to be one of them.</summary>
    Announce,
    GetItem,
    PutItem,
}

/// <summary>A search under way: a lookup in each network, and then what is to be stored where they ended.</summary>
internal sealed class DhtSearch(int number, DhtPurpose purpose, NodeId target, Timestamp now)
{
    /// <summary>Peers that a search tells of, at most: nobody makes us send to more.</summary>
    public const int MaxPeers = 32;

    /// <summary>Of one node's answer, so that it takes all of the 8 that are searched for to use that up.</summary>
    public const int MaxPeersPerAnswer = MaxPeers / Lookup.Width;

    /// <summary>A lookup that has not ended by then is taken as it stands.</summary>
    public static readonly TimeSpan MaxLookupDuration = TimeSpan.FromSeconds(30);

    /// <summary>Then so long for storing.</summary>
    public static readonly TimeSpan MaxStoreDuration = TimeSpan.FromSeconds(10);

    private readonly HashSet<Endpoint> _peers = [];

    /// <summary>The owner's number; 0 where the node searches for itself.</summary>
    public int Number { get; } = number;

    public DhtPurpose Purpose { get; } = purpose;

    public NodeId Target { get; } = target;

    public Timestamp Started { get; } = now;

    /// <summary>When it goes on, whoever has not answered.</summary>
    public Timestamp Deadline { get; set; } = now + MaxLookupDuration;

    public List<Leg> Legs { get; } = [];

    /// <summary>The port of an announcement, for nodes that don't take the source's.</summary>
    public ushort Port { get; init; }

    /// <summary>The value of an item to be put.</summary>
    public ReadOnlyMemory<byte> Value { get; init; }

    public int Stored { get; set; }

    public bool IsOver => Legs.TrueForAll(leg => leg.IsOver);

    /// <summary>What the lookups ask with.</summary>
    public KrpcMethod Method => Purpose switch
    {
        DhtPurpose.FindNodes => KrpcMethod.FindNode,
        DhtPurpose.FindPeers or DhtPurpose.Announce => KrpcMethod.GetPeers,
        _ => KrpcMethod.Get,
    };

    public bool Stores => Purpose is DhtPurpose.Announce or DhtPurpose.PutItem;

    /// <summary>Whether a peer is new and may be told of.</summary>
    public bool TryAddPeer(Endpoint peer) => _peers.Count < MaxPeers && _peers.Add(peer);

    public DhtSearchOutcome Outcome(Timestamp now) => new(
        Legs.Sum(leg => leg.Lookup.Asked), Legs.Sum(leg => leg.Lookup.Answered), Legs.Select(leg => leg.Lookup.Rounds).DefaultIfEmpty().Max(), _peers.Count, Stored, now - Started);

    /// <summary>The search in one network.</summary>
    internal sealed class Leg(DhtNetwork network, Lookup lookup)
    {
        public DhtNetwork Network { get; } = network;

        public Lookup Lookup { get; } = lookup;

        public bool IsStoring { get; set; }

        public bool IsOver { get; set; }

        /// <summary>Stores without an answer yet.</summary>
        public int StoresUnderWay { get; set; }

        /// <summary>The next address to send a query to.</summary>
        public bool TryPeek(out Endpoint endpoint)
        {
            endpoint = default;
            return !IsOver && (IsStoring ? Lookup.TryPeekStore(out endpoint) : Lookup.TryPeekNext(out endpoint));
        }
    }
}
