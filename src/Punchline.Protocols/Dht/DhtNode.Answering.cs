using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>What others ask.</summary>
internal sealed partial class DhtNode
{
    /// <summary>Answers that wait to be sent; a driver that drains after each datagram never has two.</summary>
    public const int MaxAnswers = 64;

    /// <summary>Peers in an answer.</summary>
    public const int MaxPeersTold = 16;

    private readonly AnnounceTokens _tokens;
    private readonly AnswerBudget _answerBudget = new();
    private readonly PeerStore _peers = new();
    private readonly ItemStore _items = new();
    private readonly Queue<QueuedAnswer> _answers = [];
    private readonly Stack<byte[]> _spareBuffers = [];
    private readonly DhtContact[] _closest = new DhtContact[Lookup.Width];

    private bool HandleQuery(DhtNetwork network, Endpoint source, in KrpcMessage query, Timestamp now)
    {
        // BEP 43: a read-only node does not answer; whoever asks nevertheless learns from the silence.
        if (_isReadOnly || _isSilent || query.Id == network.Id) return false;
        if (_answers.Count == MaxAnswers || !_answerBudget.TryTake(source, now)) return false;
        var buffer = _spareBuffers.TryPop(out var spare) ? spare : new byte[KrpcAnswer.MaxLength];
        var length = Answer(network, source, query, buffer, now);
        _answers.Enqueue(new QueuedAnswer(source, buffer, length));
        _counted = _counted with { Served = _counted.Served + 1 };
        if (!query.IsReadOnly && network.Table.Wants(query.Id, source)) Ping(query.Id, source);
        return true;
    }

    private int Answer(DhtNetwork network, Endpoint source, in KrpcMessage query, Span<byte> buffer, Timestamp now)
    {
        switch (query.Method)
        {
            case KrpcMethod.Unknown:
                return KrpcAnswer.WriteError(query.Transaction, KrpcErrorCode.MethodUnknown, buffer);
            case KrpcMethod.AnnouncePeer:
                if (!_tokens.Verify(source, query.Token, now)) return KrpcAnswer.WriteError(query.Transaction, KrpcErrorCode.Protocol, buffer);
                var peer = query.Port == 0 ? source : source.WithPort(query.Port);
                // What nobody may be sent to is not told; its announcer need not know.
                if (CompactAddress.IsUsable(peer, peer)) _peers.Add(query.Target, peer, now);
                break;
            case KrpcMethod.Put:
                if (query.Value.Length > ItemStore.MaxValueLength) return KrpcAnswer.WriteError(query.Transaction, KrpcErrorCode.ValueTooBig, buffer);
                if (query.IsMutable || !_tokens.Verify(source, query.Token, now)) return KrpcAnswer.WriteError(query.Transaction, KrpcErrorCode.Protocol, buffer);
                _items.Add(query.Value, now);
                break;
            case KrpcMethod.FindNode or KrpcMethod.GetPeers or KrpcMethod.Get:
                return AnswerLookup(network, source, query, buffer, now);
        }
        return new KrpcAnswer { Transaction = query.Transaction, Id = network.Id, Destination = source }.Write(buffer);
    }

    private int AnswerLookup(DhtNetwork network, Endpoint source, in KrpcMessage query, Span<byte> buffer, Timestamp now)
    {
        Span<byte> token = stackalloc byte[AnnounceTokens.TokenLength];
        Span<Endpoint> peers = stackalloc Endpoint[MaxPeersTold];
        Span<byte> nodes = stackalloc byte[Lookup.Width * CompactAddress.IPv4NodeLength];
        Span<byte> nodes6 = stackalloc byte[Lookup.Width * CompactAddress.IPv6NodeLength];
        if (query.Method == KrpcMethod.FindNode) token = default;
        else _tokens.Write(source, token, now);
        peers = query.Method == KrpcMethod.GetPeers ? peers[.._peers.Find(query.Target, source.IsIPv4, peers, _random, now)] : default;
        var value = query.Method == KrpcMethod.Get ? _items.Find(query.Target, now) : default;
        // BEP 32: without want, "the receiver should … return nodes of the same address family as the request".
        var own = network.IsIPv4 ? KrpcWant.IPv4 : KrpcWant.IPv6;
        var want = query.Want == KrpcWant.Unsaid || !value.IsEmpty ? own : query.Want;
        return new KrpcAnswer
        {
            Transaction = query.Transaction,
            Id = network.Id,
            Destination = source,
            Nodes = want.HasFlag(KrpcWant.IPv4) ? WriteClosest(isIPv4: true, query.Target, nodes) : default,
            Nodes6 = want.HasFlag(KrpcWant.IPv6) ? WriteClosest(isIPv4: false, query.Target, nodes6) : default,
            Token = token,
            Value = value,
            Peers = peers,
        }.Write(buffer);
    }

    private Span<byte> WriteClosest(bool isIPv4, NodeId target, Span<byte> nodes)
    {
        var length = 0;
        foreach (var network in _networks)
        {
            if (network.IsIPv4 != isIPv4) continue;
            foreach (var contact in _closest.AsSpan(0, network.Table.FindClosest(target, _closest)))
                length += CompactAddress.WriteNode(contact.Id, contact.Endpoint, nodes[length..]);
        }
        return nodes[..length];
    }

    private bool TryDequeueAnswer(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_answers.TryDequeue(out var answer)) return false;
        answer.Buffer.AsSpan(0, answer.Length).CopyTo(buffer);
        _spareBuffers.Push(answer.Buffer);
        transmit = new Transmit(answer.Destination, answer.Length);
        return true;
    }

    private readonly record struct QueuedAnswer(Endpoint Destination, byte[] Buffer, int Length);
}
