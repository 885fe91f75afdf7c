using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>What a <see cref="DhtNode"/> tells its owner.</summary>
internal abstract record DhtEvent
{
    /// <summary>A peer was announced under a search's topic, by whoever it was: nothing about it is known but the address. Each once a search.</summary>
    internal sealed record PeerFound(int Search, Endpoint Peer) : DhtEvent;

    /// <summary>A search's immutable item, bencoded; its hash is the target. The search ends with it.</summary>
    internal sealed record ItemFound(int Search, ReadOnlyMemory<byte> Value) : DhtEvent;

    /// <summary>A search is over; each ends once.</summary>
    internal sealed record SearchEnded(int Search, DhtSearchOutcome Outcome) : DhtEvent;

    /// <summary>The nodes see us elsewhere than before.</summary>
    internal sealed record ExternalSeen(ExternalView View) : DhtEvent;
}

/// <summary>What came of a search.</summary>
/// <param name="Asked">Nodes that a query went to. None: no node is known, and no bootstrap host.</param>
/// <param name="Answered">Of them, those that answered.</param>
/// <param name="Rounds">Rounds of questions until the last answer.</param>
/// <param name="Peers">Peers found.</param>
/// <param name="Stored">Nodes that confirmed our announcement or item.</param>
/// <param name="Elapsed">From the search's start.</param>
internal readonly record struct DhtSearchOutcome(int Asked, int Answered, int Rounds, int Peers, int Stored, TimeSpan Elapsed);

/// <summary>One of a node's networks, for whoever asks now and then.</summary>
/// <param name="IsIPv4">Which: BEP 32 has one for each family.</param>
/// <param name="IsReachable">We have an address in it.</param>
/// <param name="Id">Ours there.</param>
/// <param name="UsableNodes">Nodes known that are not bad.</param>
/// <param name="External">Where most of them see us; null before enough of them said so.</param>
/// <param name="Voters">Nodes whose word on that counts now.</param>
internal readonly record struct DhtNetworkView(bool IsIPv4, bool IsReachable, NodeId Id, int UsableNodes, ExternalView? External, int Voters)
{
    /// <summary>The id is one that our address gives us (BEP 42); null: the address is not known.</summary>
    public bool? IsIdOfAddress => External is { } view ? SecureNodeId.IsValid(Id, view.Mapped) : null;
}

/// <summary>A node's counts, for whoever asks now and then.</summary>
internal readonly record struct DhtStatistics
{
    /// <summary>Nodes in the routing tables.</summary>
    public int Nodes { get; init; }

    /// <summary>Of them, those that are not bad.</summary>
    public int UsableNodes { get; init; }

    public int Searches { get; init; }

    /// <summary>Addresses that a query was the first to in two minutes: each may be an entry in a router's table.</summary>
    public ulong FiveTuples { get; init; }

    public int StoredTopics { get; init; }

    public int StoredPeers { get; init; }

    public int StoredItems { get; init; }

    /// <summary>Queries sent.</summary>
    public ulong Queries { get; init; }

    /// <summary>Answers to them.</summary>
    public ulong Answers { get; init; }

    /// <summary>Queries of others that were answered.</summary>
    public ulong Served { get; init; }

    /// <summary>Datagrams that were dropped: malformed, unasked for, or above a limit.</summary>
    public ulong Dropped { get; init; }
}
