using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Dht;

/// <summary>A node that does all of a node's work, but for what a read-only node's ping asks: it is silent, or says that it saw the asker at another port.</summary>
internal sealed class DoubtfulReflector(DhtNode node, IRandomSource random, bool isSilent) : ISimulatedHost
{
    private readonly HashSet<Endpoint> _deceived = [];

    public Timestamp NextTimeout => node.NextTimeout;

    /// <summary>Pings that it left without an honest answer.</summary>
    public int Doubtful { get; private set; }

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (KrpcMessage.TryRead(datagram, out var message) && message is { Kind: KrpcKind.Query, Method: KrpcMethod.Ping, IsReadOnly: true })
        {
            Doubtful++;
            if (isSilent) return;
            _deceived.Add(source);
        }
        node.HandleDatagram(source, datagram, now);
    }

    public void HandleTimeout(Timestamp now) => node.HandleTimeout(now);

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (!node.TryDequeueTransmit(now, buffer, out transmit)) return false;
        // An answer begins with d2:ip6:, four bytes of address and two of port.
        if (_deceived.Remove(transmit.Destination)) random.Fill(buffer.Slice("d2:ip6:".Length + 4, 2));
        return true;
    }
}
