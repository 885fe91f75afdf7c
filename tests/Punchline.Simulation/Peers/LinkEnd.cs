using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Peers;

/// <summary>A peer's socket in the groups of multicast DNS.</summary>
internal sealed class LinkEnd(NodeCore node) : ISimulatedHost
{
    /// <summary>What its machine calls its one interface.</summary>
    public const int Network = 2;

    // The node's own port has the node's timer.
    public Timestamp NextTimeout => Timestamp.Never;

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => node.HandleMdnsDatagram(Network, source, datagram, now);

    public void HandleTimeout(Timestamp now)
    {
        // See above.
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!node.TryDequeueMdnsTransmit(now, buffer, out var message)) return false;
        // RFC 6762 §11: "All Multicast DNS responses SHOULD be sent with IP TTL set to 255".
        transmit = new Transmit(message.Group, message.Length, byte.MaxValue);
        return true;
    }
}
