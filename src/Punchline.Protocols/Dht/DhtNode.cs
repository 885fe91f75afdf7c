using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>Which networks a node is in.</summary>
[Flags]
internal enum DhtFamilies
{
    None = 0,
    IPv4 = 1,
    IPv6 = 2,
    Both = IPv4 | IPv6,
}

/// <summary>
/// A node of BitTorrent's Mainline DHT (BEP 5, 32, 42, 43, and the immutable items of BEP 44): it finds peers that announced themselves under a
/// topic, announces its owner, and stores what others announce. It shares its socket with whatever else its owner speaks there, so
/// that the address that the nodes see is the one that peers can reach.
/// </summary>
/// <remarks>
/// A node begins read-only (BEP 43): it asks and does not answer, which is right behind a NAT. Whoever knows that anybody can
/// reach it lets it serve (<see cref="SetReadOnly"/>).
/// </remarks>
internal sealed partial class DhtNode
{
    /// <summary>Searches of the owner's at once.</summary>
    public const int MaxSearches = 8;

    /// <summary>Room that <see cref="TryDequeueTransmit"/> needs.</summary>
    public const int MaxTransmitLength = KrpcAnswer.MaxLength;

    /// <summary>Events that wait; with more no search begins. A search has at most <see cref="DhtSearch.MaxPeers"/> and two more.</summary>
    public const int MaxEvents = 512;

    private readonly IRandomSource _random;
    private readonly List<DhtNetwork> _networks = []; // IPv4 first
    private readonly Queue<DhtEvent> _events = [];
    private readonly QueryBudget _queryBudget = new();
    private DhtStatistics _counted;
    private Timestamp _now;
    private bool _isReadOnly = true;
    private bool _isSilent;

    /// <param name="random">Where ids, transactions and tokens come from.</param>
    /// <param name="families">The networks that the socket can reach.</param>
    public DhtNode(IRandomSource random, DhtFamilies families = DhtFamilies.IPv4)
    {
        _random = random;
        _tokens = new AnnounceTokens(random);
        if (families.HasFlag(DhtFamilies.IPv4)) _networks.Add(new DhtNetwork(isIPv4: true, NodeId.Generate(random)));
        if (families.HasFlag(DhtFamilies.IPv6)) _networks.Add(new DhtNetwork(isIPv4: false, NodeId.Generate(random)));
    }

    /// <summary>Our id in the first of our networks; it changes once our external address is known (BEP 42).</summary>
    public NodeId Id => _networks[0].Id;

    /// <summary>Where the nodes of the first network see us; null before enough of them said so.</summary>
    public ExternalView? External => _networks[0].Votes.View;

    /// <summary>Nodes of the first network that answered lately, and see us at the address that <see cref="External"/> has: <see cref="ExternalAddressVotes.MaxVotes"/> at most.</summary>
    public IEnumerable<Endpoint> Observers => _networks[0].Votes.Agreeing;

    /// <summary>Our networks, IPv4's first.</summary>
    public IEnumerable<DhtNetworkView> Networks => _networks.Select(
        network => new DhtNetworkView(network.IsIPv4, network.IsReachable, network.Id, network.Table.UsableCount, network.Votes.View, network.Votes.Count));

    /// <summary>Others' queries are not answered.</summary>
    public bool IsReadOnly => _isReadOnly;

    private bool HasBoth => _networks.Count == 2 && _networks.TrueForAll(network => network.IsReachable);

    public DhtStatistics Statistics => _counted with
    {
        Nodes = _networks.Sum(network => network.Table.Count),
        UsableNodes = _networks.Sum(network => network.Table.UsableCount),
        Searches = _searches.Count,
        StoredTopics = _peers.TopicCount,
        StoredPeers = _peers.PeerCount,
        StoredItems = _items.Count,
        FiveTuples = _queryBudget.FiveTuples,
    };

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var transaction in _transactions) next = Timestamp.Min(next, transaction.NextTimeout);
            foreach (var search in _searches) next = Timestamp.Min(next, search.Deadline);
            foreach (var network in _networks) next = Timestamp.Min(next, NextUpkeep(network));
            return _isSilent || !TryPeekQuery(out var endpoint) ? next : Timestamp.Min(next, _queryBudget.NextAllowed(endpoint, _isReadOnly, _now));
        }
    }

    /// <summary>Whether this node only asks (BEP 43), as behind a NAT, or serves others too.</summary>
    public void SetReadOnly(bool isReadOnly, Timestamp now)
    {
        _now = now;
        _isReadOnly = isReadOnly;
    }

    /// <summary>The networks in which we have an address now, of those that the socket can reach: the others are neither asked nor asked for.</summary>
    public void SetFamilies(DhtFamilies families, Timestamp now)
    {
        _now = now;
        foreach (var network in _networks)
        {
            var was = network.IsReachable;
            network.IsReachable = families.HasFlag(network.IsIPv4 ? DhtFamilies.IPv4 : DhtFamilies.IPv6);
            if (network.IsReachable && !was) BeginUpkeep(network, now);
        }
    }

    /// <summary>While silent, nothing is sent: another protocol needs all the entries of our router's table.</summary>
    public void SetSilent(bool isSilent, Timestamp now)
    {
        _now = now;
        _isSilent = isSilent;
        if (isSilent) _answers.Clear();
    }

    /// <summary>An address that a node is said to be at, to begin with. Those beyond <see cref="DhtNetwork.MaxBootstraps"/> are not taken.</summary>
    public void AddBootstrap(Endpoint endpoint, Timestamp now)
    {
        _now = now;
        if (NetworkOf(endpoint) is not { } network || network.Bootstraps.Contains(endpoint) || network.Bootstraps.Count == DhtNetwork.MaxBootstraps) return;
        network.Bootstraps.Add(endpoint);
        BeginUpkeep(network, now);
    }

    /// <summary>Searches for the peers of a topic. Null: there are <see cref="MaxSearches"/> already.</summary>
    public int? FindPeers(NodeId topic, Timestamp now) => Start(DhtPurpose.FindPeers, topic, now);

    /// <summary>Likewise, and announces this socket there, under the port that the nodes see it come from.</summary>
    /// <param name="topic">Under what.</param>
    /// <param name="port">The socket's own port, for nodes that don't know <c>implied_port</c>.</param>
    /// <param name="now">The time.</param>
    public int? Announce(NodeId topic, ushort port, Timestamp now) => Start(DhtPurpose.Announce, topic, now, port);

    /// <summary>Searches for an immutable item.</summary>
    public int? GetItem(NodeId target, Timestamp now) => Start(DhtPurpose.GetItem, target, now);

    /// <summary>Stores an immutable item; <see cref="ItemStore.TargetOf"/> says where.</summary>
    /// <exception cref="ArgumentException">Not one bencoded value, or longer than <see cref="ItemStore.MaxValueLength"/>.</exception>
    public int? PutItem(ReadOnlyMemory<byte> value, Timestamp now) => value.Length <= ItemStore.MaxValueLength && BencodeValue.TryRead(value.Span, out _)
        ? Start(DhtPurpose.PutItem, ItemStore.TargetOf(value.Span), now, value: value)
        : throw new ArgumentException($"An item is one bencoded value of at most {ItemStore.MaxValueLength} bytes.", nameof(value));

    /// <summary>Ends a search without an event.</summary>
    public void Cancel(int search, Timestamp now)
    {
        _now = now;
        _searches.RemoveAll(known => known.Number == search && search != 0);
        foreach (var transaction in _transactions)
        {
            if (transaction.Search?.Number == search && search != 0) transaction.Abandon();
        }
    }

    /// <summary>A datagram on the socket that begins with <c>d</c>. What is malformed or nobody's is dropped.</summary>
    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        _now = now;
        var isTaken = KrpcMessage.TryRead(datagram, out var message) && NetworkOf(source) is { } network && CompactAddress.IsUsable(source, source)
            && (message.Kind == KrpcKind.Query ? HandleQuery(network, source, message, now) : HandleReply(network, source, message, now));
        if (!isTaken) _counted = _counted with { Dropped = _counted.Dropped + 1 };
    }

    public void HandleTimeout(Timestamp now)
    {
        _now = now;
        HandleOverdue(now);
        for (var i = _searches.Count - 1; i >= 0; i--)
        {
            if (_searches[i].Deadline <= now) HandleDeadline(_searches[i], now);
        }
        foreach (var network in _networks) Upkeep(network, now);
    }

    /// <summary>Writes the next datagram; the buffer has room for <see cref="MaxTransmitLength"/> bytes.</summary>
    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        _now = now;
        return TryDequeueAnswer(buffer, out transmit) || (!_isSilent && TryDequeueQuery(now, buffer, out transmit));
    }

    public bool TryDequeueEvent([NotNullWhen(true)] out DhtEvent? dhtEvent) => _events.TryDequeue(out dhtEvent);

    private DhtNetwork? NetworkOf(Endpoint endpoint)
    {
        foreach (var network in _networks)
        {
            if (network.IsIPv4 == endpoint.IsIPv4) return network;
        }
        return null;
    }
}
