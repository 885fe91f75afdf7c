using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Streams;

/// <summary>
/// What the peer may send us, of a stream or in all (RFC 9000 §4.1): a window that follows what has been consumed, and grows
/// while the application consumes half of it within two round trips (§4.2 leaves that to us), for then it may be the window
/// that limits the peer.
/// </summary>
/// <param name="window">What it begins with.</param>
/// <param name="maxWindow">What it may grow to; no less than <paramref name="window"/> counts.</param>
internal struct ReceiveCredit(ulong window, ulong maxWindow)
{
    /// <summary>A stream's window grows up to this: 1 Gbit/s over a round trip of 134 ms.</summary>
    public const ulong MaxStreamWindow = 16 << 20;

    /// <summary>The connection's: one stream that flows does not take all of it from the others.</summary>
    public const ulong MaxConnectionWindow = 24 << 20;

    private readonly ulong _initialWindow = window;
    private ulong _grown;
    private Timestamp? _raisedAt;

    /// <summary>The limit announced last.</summary>
    public ulong Limit { get; private set; } = window;

    /// <summary>The sum of the highest offsets received.</summary>
    public ulong Received { get; private set; }

    public ulong Consumed { get; private set; }

    // Announced anew when half of the window is used up: the announcement then travels while the other half still flows.
    public readonly bool ShouldAnnounce => Limit - Consumed < (Window + 1) / 2;

    public readonly ulong Window => _initialWindow + _grown;

    /// <summary>False, with nothing changed, where the peer has gone beyond its limit.</summary>
    public bool TryReceive(ulong bytes)
    {
        if (bytes > Limit - Received) return false;
        Received += bytes;
        return true;
    }

    public void Consume(ulong bytes) => Consumed += bytes;

    /// <summary>Raises the limit to what should be announced now, with a window twice as large where this one is too small.</summary>
    public ulong Raise(Timestamp now, TimeSpan roundTrip, ReceiveBudget budget)
    {
        // This is half a window later than the last time. A peer that this window holds back, and that sends in bursts, has sent it
        // in one round trip; in two it would have if it could.
        if (now - _raisedAt < 2 * roundTrip && Window < maxWindow)
        {
            var growth = Math.Min(Window, maxWindow - Window);
            if (budget.TryTake(growth)) _grown += growth;
        }
        _raisedAt = now;
        return Limit = Math.Max(Limit, Consumed + Window);
    }

    /// <summary>Gives back what the window has grown by: no more will be announced.</summary>
    public void Release(ReceiveBudget budget)
    {
        budget.Return(_grown);
        _grown = 0;
    }
}

/// <summary>What we may send the peer, of a stream or in all.</summary>
internal struct SendCredit(ulong limit)
{
    private ulong _reportedLimit = ulong.MaxValue;

    public ulong Limit { get; private set; } = limit;

    public ulong Used { get; private set; }

    public readonly ulong Available => Limit - Used;

    public void Use(ulong bytes) => Used += bytes;

    /// <summary>RFC 9000 §4.1: a limit that does not rise is ignored.</summary>
    public bool TryRaise(ulong limit)
    {
        if (limit <= Limit) return false;
        Limit = limit;
        return true;
    }

    /// <summary>True once for each limit that we run into: one BLOCKED frame is enough.</summary>
    public bool TryReportBlocked()
    {
        if (Available > 0 || _reportedLimit == Limit) return false;
        _reportedLimit = Limit;
        return true;
    }

    /// <summary>The report was lost: it is made again where it still holds.</summary>
    public void OnReportLost() => _reportedLimit = ulong.MaxValue;
}
