using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Transport.Paths;

namespace Punchline.Protocols.Transport;

/// <summary>Paths that are TCP connections (PROTOCOL §7): they come, fill up and go, which UDP's do not.</summary>
internal sealed partial class Connection
{
    private readonly ICarrierRoom? _carriers;

    /// <summary>A TCP connection to the peer stands: whether the peer is at its other end is asked, and then it is a path like others.</summary>
    public void AddPath(PathAddress address, Timestamp now)
    {
        if (IsClosed || address == Path || _candidate is not null) return;
        _observedAt = now;
        _candidate = new NetworkPath(address) { Recovery = NewPathRecovery(address) };
        _candidate.Challenges.Begin();
        ObserveMigration(MigrationStep.ProbingStarted, address.Remote);
    }

    /// <summary>A TCP connection is gone. What went over it and is not acknowledged goes over another path again.</summary>
    public void LosePath(PathAddress address, Timestamp now)
    {
        if (_candidate?.Address == address) _candidate = null;
    }

    // TCP says by what it takes how much it carries: less than a whole packet waits, or many small ones would go.
    private bool HasCarrierRoom => Path.Local.Carrier == Carrier.Udp || _carriers?.RoomOn(Path.Local) >= PacketFraming.PrefixLength + PacketFraming.MaxPacket;

    private static int MaxPacketFrom(PathAddress source, int largestDatagram) =>
        source.Local.Carrier == Carrier.Tcp ? PacketFraming.MaxPacket : largestDatagram;

    // Most connections never see TCP, and need no room for its packets.
    private Span<byte> RoomToOpen(int length)
    {
        if (_opened.Length < length) _opened = new byte[PacketFraming.MaxPacket];
        return _opened.AsSpan(0, length);
    }
}
