using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Tests;

/// <summary>A core that does nothing but ask for time; an interval of zero never moves its deadline on.</summary>
internal sealed class TimerHost(Timestamp first, TimeSpan interval) : ISimulatedHost
{
    public List<Timestamp> Woken { get; } = [];

    public Timestamp NextTimeout { get; private set; } = first;

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now) => Woken.Clear();

    public void HandleTimeout(Timestamp now)
    {
        Woken.Add(now);
        NextTimeout += interval;
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        return false;
    }
}
