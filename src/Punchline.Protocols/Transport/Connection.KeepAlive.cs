using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Paths;

namespace Punchline.Protocols.Transport;

/// <summary>
/// An idle connection (PROTOCOL §7). Three things are apart: routers are reminded of the path by a single byte, which needs no answer and proves nothing;
/// that the peer lives is asked seldom, by a PING; and where its bytes stay away, it is asked at once.
/// </summary>
internal sealed partial class Connection
{
    /// <summary>
    /// How often a peer of which nothing authentic came is asked whether it lives. With 28 bytes of IPv4 and UDP a PING is 71 and its answer 63:
    /// four an hour are 284 of the 5,000 bytes that an idle connection may take each way.
    /// </summary>
    public static readonly TimeSpan LivenessInterval = TimeSpan.FromMinutes(15);

    // The responder asks later, so that in each interval one of the two does.
    private static readonly TimeSpan ResponderDelay = TimeSpan.FromSeconds(30);

    // So many intervals of the peer's keep-alives, halves of them counted, without one are no loss any more: two are missing.
    private const int MissedHalves = 5;

    // netfilter keeps a flow for long once a packet passed when it was older than 2 s, and for 30 s else (nf_conntrack_proto_udp.c).
    private static readonly TimeSpan YoungPath = TimeSpan.FromSeconds(3);

    private readonly MappingKeepAlive? _mapping;
    private Timestamp _pathSince;
    private Timestamp _lastSentOnPath;
    private Timestamp _lastSign;
    private TimeSpan _gap;
    private TimeSpan _earlierGap;
    private Timestamp _standbyAt = Timestamp.Never;
    private int _standbysToRemind;

    /// <summary>One byte came over the path in use, from the peer or from whoever forges its address: it only says when the next is due.</summary>
    public void HandleKeepAlive(Timestamp now)
    {
        if (IsClosed) return;
        (_earlierGap, _gap) = (_gap, Clamp(now - _lastSign));
        _lastSign = now;
    }

    private Timestamp MappingDeadline
    {
        get
        {
            if (_mapping is null) return Timestamp.Never;
            var interval = _mapping.IntervalOf(Path, IsNear);
            var isYoung = _lastSentOnPath - _pathSince < YoungPath && interval > MappingKeepAlive.Unmeasured;
            return _lastSentOnPath + (isYoung ? MappingKeepAlive.Unmeasured : interval);
        }
    }

    private Timestamp LivenessDeadline => _mapping is null || _isPingPending
        ? Timestamp.Never
        : Timestamp.Max(LastReceived, _lastElicitedAt) + LivenessInterval + (_role == ConnectionRole.Initiator ? TimeSpan.Zero : ResponderDelay);

    // The shorter of the last two, as one is twice as long where a byte was lost.
    private Timestamp SignDeadline
    {
        get
        {
            var gap = _earlierGap > TimeSpan.Zero && _earlierGap < _gap ? _earlierGap : _gap;
            return gap == TimeSpan.Zero || _isPingPending ? Timestamp.Never : _lastSign + (gap * MissedHalves / 2);
        }
    }

    private void BeginKeepAlive(Timestamp now)
    {
        _pathSince = _lastSentOnPath = _lastSign = now;
        // Of two ends one is enough: TCP answers.
        if (_mapping is not null && _role == ConnectionRole.Initiator) _standbyAt = now + LivenessInterval;
    }

    private void HandleKeepAliveTimeout(Timestamp now)
    {
        if (now >= KeepAliveDeadline || now >= LivenessDeadline) _isPingPending = true;
        if (now >= SignDeadline)
        {
            _isPingPending = true;
            // Where the peer answers, it has only become more patient.
            (_gap, _earlierGap, _lastSign) = (Clamp(2 * _gap), TimeSpan.Zero, now);
        }
        if (now < _standbyAt) return;
        _standbyAt = now + LivenessInterval;
        _standbysToRemind = _others.Count;
    }

    // Last of all: whatever else goes out does the same.
    private bool TryWriteKeepAlive(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        while (_standbysToRemind > 0)
        {
            // TCP that stands by costs little to keep, and is worth most where UDP has just died. A UDP path that does would cost as much as the one in
            // use, and is punched again as quickly as it is asked.
            if (--_standbysToRemind < _others.Count && _others[_standbysToRemind] is { IsTcp: true, IsValidated: true } standby
                && RoomOn(standby) > PacketFraming.PrefixLength) return WriteKeepAlive(standby.Address, buffer, out transmit);
        }
        transmit = default;
        if (now < MappingDeadline) return false;
        _lastSentOnPath = now;
        return HasCarrierRoom && WriteKeepAlive(Path, buffer, out transmit);
    }

    private bool WriteKeepAlive(PathAddress path, Span<byte> buffer, out Transmit transmit)
    {
        buffer[0] = PacketHeader.KeepAlive;
        _bytesSent++;
        transmit = new Transmit(path, 1);
        return true;
    }

    private static TimeSpan Clamp(TimeSpan gap) => gap < MappingKeepAlive.Least ? MappingKeepAlive.Least : gap > MappingKeepAlive.Most ? MappingKeepAlive.Most : gap;
}
