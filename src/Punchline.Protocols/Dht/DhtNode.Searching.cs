using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>What we ask: searches, and the queries that they make.</summary>
internal sealed partial class DhtNode
{
    /// <summary>Queries without an answer yet, those that are slow included.</summary>
    public const int MaxTransactions = 128;

    /// <summary>Nodes that wait to be asked whether they are there.</summary>
    public const int MaxPings = 32;

    /// <summary>After that a search asks somebody else meanwhile.</summary>
    public static readonly TimeSpan SlowAfter = TimeSpan.FromSeconds(1);

    /// <summary>After that a query is taken for lost. It is not sent again: other nodes know as much.</summary>
    public static readonly TimeSpan LostAfter = TimeSpan.FromSeconds(4);

    private const int TransactionLength = 4;

    private readonly List<DhtSearch> _searches = []; // the owner's before our own
    private readonly List<Transaction> _transactions = [];
    private readonly Queue<(NodeId Id, Endpoint Endpoint)> _pings = [];
    private int _lastSearch;

    private int? Start(DhtPurpose purpose, NodeId target, Timestamp now, ushort port = 0, ReadOnlyMemory<byte> value = default)
    {
        _now = now;
        var own = _searches.Count(search => search.Number != 0);
        if (own == MaxSearches || _events.Count + ((own + 1) * (DhtSearch.MaxPeers + 2)) > MaxEvents) return null;
        var search = new DhtSearch(++_lastSearch, purpose, target, now) { Port = port, Value = value };
        foreach (var network in _networks)
        {
            if (network.IsReachable) search.Legs.Add(new DhtSearch.Leg(network, network.BeginLookup(target)));
        }
        _searches.Insert(own, search);
        Advance(search, now);
        return search.Number;
    }

    private void StartOwn(DhtNetwork network, NodeId target, Timestamp now)
    {
        var search = new DhtSearch(0, DhtPurpose.FindNodes, target, now);
        search.Legs.Add(new DhtSearch.Leg(network, network.BeginLookup(target)));
        _searches.Add(search);
        Advance(search, now);
    }

    private void Ping(NodeId id, Endpoint endpoint)
    {
        if (_pings.Count < MaxPings && !_pings.Contains((id, endpoint))) _pings.Enqueue((id, endpoint));
    }

    private bool HandleReply(DhtNetwork network, Endpoint source, in KrpcMessage reply, Timestamp now)
    {
        if (reply.Transaction.Length != TransactionLength) return false;
        var id = BinaryPrimitives.ReadUInt32BigEndian(reply.Transaction);
        var index = _transactions.FindIndex(known => known.Id == id);
        if (index < 0 || _transactions[index].Destination != source) return false;
        var transaction = _transactions[index];
        _transactions.RemoveAt(index);
        if (reply.Kind == KrpcKind.Error || (transaction.Node is { } expected && expected != reply.Id) || reply.Id == network.Id)
        {
            if (transaction.Node is { } node && reply.Kind != KrpcKind.Error) network.Table.Remove(node, source);
            Fail(transaction, now);
            return true;
        }
        _counted = _counted with { Answers = _counted.Answers + 1 };
        if (network.Table.HandleAnswer(reply.Id, source, now) is { } questionable) Ping(questionable.Id, questionable.Endpoint);
        if (network.NextBootstrap == Timestamp.Never) BeginUpkeep(network, now);
        network.Forget(source);
        // Whom we ask in a search we chose; a ping goes to whoever spoke to us, and a few of those could outvote all others.
        if (transaction.Search is not null) HandleVote(network, source, reply.External, now);
        if (transaction is { Search: { } search, Leg: { } leg })
        {
            if (transaction.IsStore)
            {
                search.Stored++;
                leg.StoresUnderWay--;
            }
            else
            {
                HandleAnswer(search, leg, source, reply);
            }
            Advance(search, now);
        }
        return true;
    }

    private void HandleAnswer(DhtSearch search, DhtSearch.Leg leg, Endpoint source, in KrpcMessage answer)
    {
        if (leg.IsOver) return;
        Offer(search, answer.Nodes, CompactAddress.IPv4NodeLength, source, leg);
        Offer(search, answer.Nodes6, CompactAddress.IPv6NodeLength, source, leg);
        leg.Lookup.HandleAnswer(source, answer.Id, answer.Token);
        if (search.Purpose is DhtPurpose.FindPeers or DhtPurpose.Announce) TellPeers(search, source, answer);
        if (search.Purpose != DhtPurpose.GetItem || answer.Value.IsEmpty || answer.IsMutable || ItemStore.TargetOf(answer.Value) != search.Target) return;
        _events.Enqueue(new DhtEvent.ItemFound(search.Number, answer.Value.ToArray()));
        foreach (var other in search.Legs) other.IsOver = true;
    }

    private static void Offer(DhtSearch search, ReadOnlySpan<byte> nodes, int nodeLength, Endpoint teller, DhtSearch.Leg asked)
    {
        for (var i = 0; i < Lookup.MaxNodesPerAnswer && nodes.Length > 0; i++, nodes = nodes[nodeLength..])
        {
            CompactAddress.TryReadNode(nodes[..nodeLength], out var id, out var endpoint);
            if (!CompactAddress.IsUsable(endpoint, teller)) continue;
            foreach (var leg in search.Legs)
            {
                if (leg.Network.IsIPv4 != endpoint.IsIPv4 || id == leg.Network.Id || endpoint.Address == leg.Network.Votes.View?.Mapped.Address) continue;
                // Of the other family's nodes we don't know the round.
                leg.Lookup.Offer(id, endpoint, leg == asked ? teller : null);
            }
        }
    }

    private void TellPeers(DhtSearch search, Endpoint teller, in KrpcMessage answer)
    {
        var count = 0;
        foreach (var _ in answer.Peers) count++;
        // From a place that the node does not choose.
        var skip = count > DhtSearch.MaxPeersPerAnswer ? _random.NextInt32(count) : 0;
        Span<Endpoint> told = stackalloc Endpoint[DhtSearch.MaxPeersPerAnswer];
        var (index, taken) = (0, 0);
        for (var turn = 0; turn < 2 && taken < told.Length; turn++, index = 0)
        {
            foreach (var item in answer.Peers)
            {
                // The list twice: from that place to its end, then up to it.
                if (index++ < skip != (turn == 1) || taken == told.Length) continue;
                if (!item.TryGetBytes(out var bytes) || !CompactAddress.TryRead(bytes, out var peer) || !CompactAddress.IsUsable(peer, teller)) continue;
                told[taken++] = peer;
            }
        }
        foreach (var peer in told[..taken])
        {
            if (search.TryAddPeer(peer)) _events.Enqueue(new DhtEvent.PeerFound(search.Number, peer));
        }
    }

    // What a search does next, after whatever happened to it.
    private void Advance(DhtSearch search, Timestamp now)
    {
        foreach (var leg in search.Legs)
        {
            if (!leg.IsOver && !leg.IsStoring && leg.Lookup.IsDone) EndLookup(search, leg);
            if (leg.IsStoring && leg.StoresUnderWay == 0 && !leg.Lookup.TryPeekStore(out _)) leg.IsOver = true;
        }
        if (!search.IsOver || !_searches.Remove(search)) return;
        if (search.Number != 0) _events.Enqueue(new DhtEvent.SearchEnded(search.Number, search.Outcome(now)));
    }

    private static void EndLookup(DhtSearch search, DhtSearch.Leg leg)
    {
        leg.IsStoring = search.Stores;
        leg.IsOver = !search.Stores;
        if (search.Stores) leg.Lookup.BeginStoring();
    }

    private void HandleDeadline(DhtSearch search, Timestamp now)
    {
        var isLookingUp = search.Legs.Exists(leg => !leg.IsOver && !leg.IsStoring);
        search.Deadline = now + DhtSearch.MaxStoreDuration;
        foreach (var leg in search.Legs)
        {
            if (!isLookingUp) leg.IsOver = true;
            else if (!leg.IsOver && !leg.IsStoring) EndLookup(search, leg);
        }
        Advance(search, now);
    }

    private void HandleOverdue(Timestamp now)
    {
        for (var i = 0; i < _transactions.Count; i++)
        {
            var transaction = _transactions[i];
            if (transaction.NextTimeout > now) continue;
            if (now - transaction.Sent < LostAfter)
            {
                transaction.IsSlow = true;
                if (!transaction.IsStore) transaction.Leg?.Lookup.HandleSlow(transaction.Destination);
                if (transaction.Search is { } search) Advance(search, now);
                continue;
            }
            _transactions.RemoveAt(i--);
            if (NetworkOf(transaction.Destination) is { } network)
            {
                if (transaction.Node is { } node) network.Table.HandleFailure(node, transaction.Destination);
                network.Forget(transaction.Destination);
            }
            Fail(transaction, now);
        }
    }

    private void Fail(Transaction transaction, Timestamp now)
    {
        if (transaction is not { Search: { } search, Leg: { } leg }) return;
        if (transaction.IsStore) leg.StoresUnderWay--;
        else leg.Lookup.HandleFailure(transaction.Destination);
        Advance(search, now);
    }

    private bool TryPeekQuery(out Endpoint endpoint)
    {
        endpoint = default;
        if (_transactions.Count == MaxTransactions) return false;
        foreach (var search in _searches)
        {
            foreach (var leg in search.Legs)
            {
                if (leg.TryPeek(out endpoint)) return true;
            }
        }
        if (!_pings.TryPeek(out var ping)) return false;
        endpoint = ping.Endpoint;
        return true;
    }

    private bool TryDequeueQuery(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_transactions.Count == MaxTransactions) return false;
        foreach (var search in _searches)
        {
            foreach (var leg in search.Legs)
            {
                if (!leg.TryPeek(out var next)) continue;
                if (!_queryBudget.TryTake(next, _isReadOnly, now)) return false;
                transmit = leg.IsStoring ? WriteStore(search, leg, buffer, now) : WriteLookup(search, leg, buffer, now);
                return true;
            }
        }
        if (!_pings.TryPeek(out var ping) || !_queryBudget.TryTake(ping.Endpoint, _isReadOnly, now)) return false;
        _pings.Dequeue();
        transmit = Write(KrpcMethod.Ping, default, new Transaction(NewTransactionId(), ping.Endpoint, ping.Id, now), buffer);
        return true;
    }

    private Transmit WriteLookup(DhtSearch search, DhtSearch.Leg leg, Span<byte> buffer, Timestamp now)
    {
        leg.Lookup.TryTakeNext(out var endpoint, out var node);
        var transaction = new Transaction(NewTransactionId(), endpoint, node, now) { Search = search, Leg = leg };
        return Write(search.Method, search.Target, transaction, buffer);
    }

    private Transmit WriteStore(DhtSearch search, DhtSearch.Leg leg, Span<byte> buffer, Timestamp now)
    {
        leg.Lookup.TryTakeStore(out var endpoint, out var token);
        leg.StoresUnderWay++;
        var transaction = new Transaction(NewTransactionId(), endpoint, null, now) { Search = search, Leg = leg, IsStore = true };
        var method = search.Purpose == DhtPurpose.Announce ? KrpcMethod.AnnouncePeer : KrpcMethod.Put;
        return Write(method, search.Target, transaction, buffer, token.Span, search.Port, search.Value.Span);
    }

    private Transmit Write(
        KrpcMethod method, NodeId target, Transaction transaction, Span<byte> buffer, ReadOnlySpan<byte> token = default, ushort port = 0, ReadOnlySpan<byte> value = default)
    {
        Span<byte> id = stackalloc byte[TransactionLength];
        BinaryPrimitives.WriteUInt32BigEndian(id, transaction.Id);
        var isLookup = method is KrpcMethod.FindNode or KrpcMethod.GetPeers or KrpcMethod.Get;
        var query = new KrpcQuery
        {
            Method = method,
            Transaction = id,
            Id = NetworkOf(transaction.Destination)!.Id,
            Target = target,
            Token = token,
            Port = port,
            Value = value,
            IsReadOnly = _isReadOnly,
            Want = isLookup && HasBoth ? KrpcWant.IPv4 | KrpcWant.IPv6 : KrpcWant.Unsaid,
        };
        _transactions.Add(transaction);
        _counted = _counted with { Queries = _counted.Queries + 1 };
        return new Transmit(transaction.Destination, query.Write(buffer));
    }

    // Random, for it is all that keeps somebody who cannot see the query from forging its answer.
    private uint NewTransactionId()
    {
        uint id;
        do id = (uint)_random.NextUInt64();
        while (_transactions.Exists(known => known.Id == id));
        return id;
    }

    private sealed class Transaction(uint id, Endpoint destination, NodeId? node, Timestamp sent)
    {
        public uint Id { get; } = id;

        public Endpoint Destination { get; } = destination;

        /// <summary>Who should answer; null where that is not known or does not matter.</summary>
        public NodeId? Node { get; } = node;

        public Timestamp Sent { get; } = sent;

        public DhtSearch? Search { get; set; }

        public DhtSearch.Leg? Leg { get; set; }

        public bool IsStore { get; init; }

        public bool IsSlow { get; set; }

        public Timestamp NextTimeout => Sent + (IsSlow ? LostAfter : SlowAfter);

        /// <summary>Nobody waits for the answer any more.</summary>
        public void Abandon() => (Search, Leg) = (null, null);
    }
}
