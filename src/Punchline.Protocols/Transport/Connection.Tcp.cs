using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Transport.Paths;

namespace Punchline.Protocols.Transport;

/// <summary>Paths that are TCP connections (PROTOCOL §7): they come, fill up and go, which UDP's do not.</summary>
internal sealed partial class Connection
{
    /// <summary>From one challenge on a TCP connection to the next: it is not lost, and its answer only late.</summary>
    private static readonly TimeSpan ChallengeIntervalOverTcp = TimeSpan.FromSeconds(3);

    private readonly ICarrierRoom? _carriers;

    /// <summary>A TCP connection to the peer stands: whether the peer is at its other end is asked, and then it is a path like others.</summary>
    public void AddPath(PathAddress address, Timestamp now)
    {
        if (IsClosed || address == Path || _others.Find(address) is not null) return;
        _observedAt = now;
        var path = NewPath(address);
        path.IsIntroduced = true;
        if (!_others.TryAdd(path, now)) return;
        ObserveMigration(MigrationStep.ProbingStarted, address.Remote);
        Ask(path);
    }

    /// <summary>A TCP connection is gone. What went over it and is not acknowledged goes over another path again.</summary>
    public void LosePath(PathAddress address, Timestamp now)
    {
        if (IsClosed) return;
        _observedAt = now;
        if (_others.Find(address) is { } other)
        {
            if (other == _followed) _followed = null;
            _others.Remove(other);
        }
        else if (address == Path)
        {
            _recovery.LoseAll(_path.Recovery);
            if (!_isSilent) FallSilent(now);
        }
    }

    // TCP says by what it takes how much it carries: less than a whole packet waits, or many small ones would go.
    private bool HasCarrierRoom => !_path.IsTcp || RoomOn(_path) >= PacketFraming.PrefixLength + PacketFraming.MaxPacket;

    private bool IsGone(NetworkPath path) => path.IsTcp && RoomOn(path) < 0;

    private int RoomOn(NetworkPath path) => _carriers?.RoomOn(path.Address.Local) ?? -1;

    private static int MaxPacketFrom(PathAddress source, int largestDatagram) =>
        source.Local.Carrier == Carrier.Tcp ? PacketFraming.MaxPacket : largestDatagram;

    // Most connections never see TCP, and need no room for its packets.
    private Span<byte> RoomToOpen(int length)
    {
        if (_opened.Length < length) _opened = new byte[PacketFraming.MaxPacket];
        return _opened.AsSpan(0, length);
    }
}
