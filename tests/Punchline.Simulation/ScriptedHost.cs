using Punchline.Protocols.Primitives;

namespace Punchline.Simulation;

/// <summary>A host without a protocol: sends what a test tells it, and keeps what arrives.</summary>
internal sealed class ScriptedHost : ISimulatedHost
{
    private readonly Queue<(Endpoint Destination, byte[] Datagram, byte TimeToLive)> _outgoing = [];

    /// <summary>Everything that arrived, in order. A test's run is short: there is no limit but the simulation's own.</summary>
    public List<(Timestamp At, Endpoint Source, byte[] Datagram)> Received { get; } = [];

    /// <summary>Called for each arrival, behind its entry in <see cref="Received"/>; may <see cref="Send"/>.</summary>
    public Action<Endpoint, byte[]>? OnDatagram { get; set; }

    public Timestamp NextTimeout => Timestamp.Never;

    /// <summary>Sends from this host's port when the simulation next drains it: in a scheduled action, or as a run begins.</summary>
    public void Send(Endpoint destination, ReadOnlySpan<byte> datagram, byte timeToLive = 0) =>
        _outgoing.Enqueue((destination, datagram.ToArray(), timeToLive));

    public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        var copy = datagram.ToArray();
        Received.Add((now, source, copy));
        OnDatagram?.Invoke(source, copy);
    }

    public void HandleTimeout(Timestamp now)
    {
        // Has no timers: a test schedules its actions at the internet.
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_outgoing.TryDequeue(out var next)) return false;
        next.Datagram.CopyTo(buffer);
        transmit = new Transmit(next.Destination, next.Datagram.Length, next.TimeToLive);
        return true;
    }
}
