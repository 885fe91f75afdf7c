using Punchline.Protocols.Primitives;

namespace Punchline.Simulation;

/// <summary>
/// What runs behind one bound port of a <see cref="Machine"/>, in the shape of the protocol cores. A core with several
/// sockets is bound once a port, through an adapter each: after any input all ports of the machine are drained.
/// </summary>
internal interface ISimulatedHost
{
    /// <summary>When <see cref="HandleTimeout"/> is due next, or <see cref="Timestamp.Never"/>.</summary>
    Timestamp NextTimeout { get; }

    void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now);

    void HandleTimeout(Timestamp now);

    /// <summary>The next datagram to send from this port; false when there is none.</summary>
    bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit);

    /// <summary>Which socket sends it, of a host that has several and gives it all to one; null where that is closed, and it is lost.</summary>
    /// <param name="transmit">What <see cref="TryDequeueTransmit"/> gave.</param>
    /// <param name="asked">The socket for which it was asked.</param>
    SimulatedSocket? SenderOf(in Transmit transmit, SimulatedSocket asked) => asked;
}
