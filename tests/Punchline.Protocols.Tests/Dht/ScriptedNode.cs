using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Dht;

/// <summary>One of our nodes, whose every neighbour is the test.</summary>
internal sealed class ScriptedNode(ulong seed = 1, DhtFamilies families = DhtFamilies.IPv4)
{
    private readonly byte[] _buffer = new byte[DhtNode.MaxTransmitLength];

    public DhtNode Node { get; } = new(new SeededRandom(seed), families);

    public Timestamp Now { get; set; } = Timestamp.FromMilliseconds(1_000);

    public void Receive(Endpoint source, byte[] datagram) => Node.HandleDatagram(source, datagram, Now);

    public List<(Endpoint To, byte[] Bytes)> Drain()
    {
        var sent = new List<(Endpoint, byte[])>();
        while (Node.TryDequeueTransmit(Now, _buffer, out var transmit)) sent.Add((transmit.Destination, _buffer[..transmit.Length]));
        return sent;
    }

    public List<DhtEvent> Events()
    {
        var events = new List<DhtEvent>();
        while (Node.TryDequeueEvent(out var dhtEvent)) events.Add(dhtEvent);
        return events;
    }

    /// <summary>Lets time pass, timers and all; what is sent meanwhile comes back.</summary>
    public List<(Endpoint To, byte[] Bytes)> RunFor(TimeSpan duration)
    {
        var end = Now + duration;
        var sent = Drain();
        while (Node.NextTimeout <= end)
        {
            Now = Timestamp.Max(Now, Node.NextTimeout);
            Node.HandleTimeout(Now);
            sent.AddRange(Drain());
        }
        Now = end;
        return sent;
    }

    /// <summary>The answer of a node to a query of ours.</summary>
    public void Answer((Endpoint To, byte[] Bytes) query, NodeId id, Endpoint external = default, byte[]? nodes = null, byte[]? token = null, Endpoint[]? peers = null, byte[]? value = null)
    {
        Assert.True(KrpcMessage.TryRead(query.Bytes, out var read));
        var buffer = new byte[KrpcAnswer.MaxLength];
        var length = new KrpcAnswer
        {
            Transaction = read.Transaction, Id = id, Destination = external, Nodes = query.To.IsIPv4 ? nodes : null, Nodes6 = query.To.IsIPv4 ? null : nodes, Token = token, Peers = peers, Value = value,
        }.Write(buffer);
        Receive(query.To, buffer[..length]);
    }

    public static byte[] Query(KrpcMethod method, NodeId id, NodeId target = default, byte[]? token = null, byte[]? value = null, bool isReadOnly = false, KrpcWant want = default)
    {
        var buffer = new byte[KrpcQuery.MaxLength];
        var length = new KrpcQuery
        {
            Method = method, Transaction = "aa"u8, Id = id, Target = target, Token = token, Value = value, IsReadOnly = isReadOnly, Want = want, Port = 1,
        }.Write(buffer);
        return buffer[..length];
    }

    public static byte[] Compact(params (NodeId Id, Endpoint Endpoint)[] nodes)
    {
        var bytes = new byte[nodes.Length * CompactAddress.IPv6NodeLength];
        var length = 0;
        foreach (var (id, endpoint) in nodes) length += CompactAddress.WriteNode(id, endpoint, bytes.AsSpan(length));
        return bytes[..length];
    }
}
