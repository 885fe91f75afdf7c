using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Dht;

/// <summary>
/// A node that answers every question with nodes nearer to the target than any there is, whose ids fit their addresses (BEP 42), where
/// nobody is; with peers that nobody announced; and with an external address that nobody has.
/// </summary>
internal sealed class LyingNode(Endpoint address, IRandomSource random) : ISimulatedHost
{
    private const int Tries = 16;

    private readonly Queue<(Endpoint To, byte[] Bytes)> _answers = [];
    private readonly NodeId _id = SecureNodeId.Create(address, random);

    public Timestamp NextTimeout => Timestamp.Never;

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (!KrpcMessage.TryRead(datagram, out var query) || query.Kind != KrpcKind.Query) return;
        var target = query.Target;
        Span<byte> nodes = stackalloc byte[Lookup.Width * CompactAddress.IPv4NodeLength];
        for (var i = 0; i < Lookup.Width; i++)
        {
            var (id, endpoint) = Enumerable.Range(0, Tries).Select(_ => Fabricate()).MinBy(node => node.Id ^ target);
            CompactAddress.WriteNode(id, endpoint, nodes[(i * CompactAddress.IPv4NodeLength)..]);
        }
        var bytes = new byte[KrpcAnswer.MaxLength];
        var length = new KrpcAnswer
        {
            Transaction = query.Transaction,
            Id = _id,
            Destination = source.WithPort(1_234),
            Nodes = query.Method == KrpcMethod.Ping ? default : nodes,
            Token = query.Method == KrpcMethod.GetPeers ? "token"u8 : default,
            Peers = query.Method == KrpcMethod.GetPeers ? [.. Enumerable.Range(0, 16).Select(_ => NewEndpoint())] : default,
        }.Write(bytes);
        _answers.Enqueue((source, bytes[..length]));
    }

    public void HandleTimeout(Timestamp now)
    {
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_answers.TryDequeue(out var answer)) return false;
        answer.Bytes.CopyTo(buffer);
        transmit = new Transmit(answer.To, answer.Bytes.Length);
        return true;
    }

    /// <summary>A query that makes others know of it.</summary>
    public void Call(Endpoint other)
    {
        var bytes = new byte[KrpcQuery.MaxLength];
        var length = new KrpcQuery { Method = KrpcMethod.FindNode, Transaction = random.NextBytes(4), Id = _id, Target = _id }.Write(bytes);
        _answers.Enqueue((other, bytes[..length]));
    }

    private (NodeId Id, Endpoint Endpoint) Fabricate()
    {
        var endpoint = NewEndpoint();
        return (SecureNodeId.Create(endpoint, random), endpoint);
    }

    // 64.0.0.0/4, where no member is.
    private Endpoint NewEndpoint() => Endpoint.FromIPv4(0x4000_0000 | ((uint)random.NextUInt64() >> 4), 6_881);
}
