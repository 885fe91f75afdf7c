namespace Punchline.Protocols.Transport.Streams;

/// <summary>What the peer may send us, of a stream or in all (RFC 9000 §4.1): a window that follows what has been consumed.</summary>
internal struct ReceiveCredit
{
    private readonly ulong _window;

    public ReceiveCredit(ulong window) => Limit = _window = window;

    /// <summary>The limit announced last.</summary>
    public ulong Limit { get; private set; }

    /// <summary>The sum of the highest offsets received.</summary>
    public ulong Received { get; private set; }

    public ulong Consumed { get; private set; }

    // Announced anew when half of the window is used up: the announcement then travels while the other half still flows.
    public readonly bool ShouldAnnounce => Limit - Consumed < (_window + 1) / 2;

    /// <summary>False, with nothing changed, where the peer has gone beyond its limit.</summary>
    public bool TryReceive(ulong bytes)
    {
        if (bytes > Limit - Received) return false;
        Received += bytes;
        return true;
    }

    public void Consume(ulong bytes) => Consumed += bytes;

    /// <summary>Raises the limit to what should be announced now.</summary>
    public ulong Raise() => Limit = Math.Max(Limit, Consumed + _window);
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
