using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Dht;

/// <summary>Somebody who announces an address under a topic without being any member there, and keeps what comes.</summary>
internal sealed class Squatter(DhtNode node) : ISimulatedHost
{
    /// <summary>What came that was not the DHT's.</summary>
    public List<(Endpoint Source, byte[] Datagram)> Received { get; } = [];

    public Timestamp NextTimeout => node.NextTimeout;

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (datagram[0] == (byte)'d') node.HandleDatagram(source, datagram, now);
        else Received.Add((source, datagram.ToArray()));
    }

    public void HandleTimeout(Timestamp now) => node.HandleTimeout(now);

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit) => node.TryDequeueTransmit(now, buffer, out transmit);
}
