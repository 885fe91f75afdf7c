using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Dht;

/// <summary>A node of a <see cref="DhtSwarm"/>, and what it sent.</summary>
/// <param name="address">Where it is.</param>
/// <param name="host">What it does.</param>
/// <param name="filters">Whether only those reach it whom it wrote to within two minutes, as behind a NAT.</param>
internal sealed class SwarmMember(Endpoint address, ISimulatedHost host, bool filters)
{
    private readonly Dictionary<Endpoint, Timestamp> _destinations = [];

    public Endpoint Address { get; } = address;

    public ISimulatedHost Host { get; } = host;

    /// <summary>Our own node, where it is one.</summary>
    public DhtNode Node => ((SwarmNode)Host).Node;

    public Timestamp Armed { get; set; } = Timestamp.Never;

    public long BytesSent { get; private set; }

    public long PacketsSent { get; private set; }

    /// <summary>The most addresses that it wrote to within two minutes.</summary>
    public int MostDestinations { get; private set; }

    public bool Admits(Endpoint source, Timestamp now) =>
        !filters || (_destinations.TryGetValue(source, out var last) && now - last < QueryBudget.Window);

    public void CountSent(Endpoint destination, int bytes, Timestamp now)
    {
        BytesSent += bytes;
        PacketsSent++;
        if (!filters) return;
        foreach (var (known, last) in _destinations)
        {
            if (now - last >= QueryBudget.Window) _destinations.Remove(known);
        }
        _destinations[destination] = now;
        MostDestinations = Math.Max(MostDestinations, _destinations.Count);
    }
}

/// <summary>One of our nodes as a simulated host.</summary>
internal sealed class SwarmNode(DhtNode node) : ISimulatedHost
{
    public DhtNode Node { get; } = node;

    public Timestamp NextTimeout => Node.NextTimeout;

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => Node.HandleDatagram(source, datagram, now);

    public void HandleTimeout(Timestamp now) => Node.HandleTimeout(now);

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit) => Node.TryDequeueTransmit(now, buffer, out transmit);
}
