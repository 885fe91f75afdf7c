using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>
/// When to search for a gateway device: three times, for datagrams get lost; and again after a while, for somebody may switch it on. Each
/// time for either version on the whole LAN, and at the gateway alone, where multicast does not get through.
/// </summary>
internal sealed class SsdpSearch(Endpoint gateway, Timestamp start)
{
    public const int Rounds = 3;

    /// <summary>A device answers within a second (MX): rounds are at 0, 1 and 3 s.</summary>
    public static readonly TimeSpan FirstInterval = TimeSpan.FromSeconds(1);

    /// <summary>From a search that found nothing to the next.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    private static readonly int Targets = 3;

    private int _round;
    private int _target;

    /// <summary>When the next datagram is due.</summary>
    public Timestamp At { get; private set; } = start;

    public void Begin(Timestamp at) => (At, _round, _target) = (at, 0, 0);

    public void End() => Begin(Timestamp.Never);

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (At > now) return false;
        var length = SsdpMessage.WriteSearch(buffer, _target == 1 ? SsdpMessage.GatewayDevice2 : SsdpMessage.GatewayDevice1);
        transmit = new Transmit(_target < 2 ? SsdpMessage.Multicast : gateway.WithPort(SsdpMessage.Port), length);
        if (++_target < Targets) return true;
        if (++_round < Rounds) (At, _target) = (now + (FirstInterval * _round), 0);
        else Begin(now + Pause);
        return true;
    }
}
