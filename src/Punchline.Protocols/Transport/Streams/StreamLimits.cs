namespace Punchline.Protocols.Transport.Streams;

/// <summary>How many streams of one direction each side may open (RFC 9000 §4.6); places are given back as streams end.</summary>
/// <param name="openLimit">What the peer allows us at first.</param>
/// <param name="peerWindow">Streams that the peer may hold open at once.</param>
internal sealed class StreamLimits(ulong openLimit, ulong peerWindow)
{
    private readonly ulong _peerWindow = peerWindow;
    private ulong _reportedOpenLimit = ulong.MaxValue;
    private ulong _peerClosed;

    /// <summary>Streams that we have opened.</summary>
    public ulong Opened { get; private set; }

    /// <summary>How many we may open in all; what a STREAMS_BLOCKED reports.</summary>
    public ulong OpenLimit { get; private set; } = openLimit;

    /// <summary>Streams that the peer has opened.</summary>
    public ulong PeerOpened { get; set; }

    /// <summary>How many the peer may open in all.</summary>
    public ulong PeerLimit { get; private set; } = peerWindow;

    /// <summary>A MAX_STREAMS has to be sent, for the first time or again.</summary>
    public bool IsLimitPending { get; set; }

    /// <summary>A STREAMS_BLOCKED has to be sent.</summary>
    public bool IsBlockedPending { get; set; }

    public bool TryOpen(out ulong index)
    {
        index = Opened;
        if (Opened < OpenLimit)
        {
            Opened++;
            return true;
        }
        // One frame for each limit that we run into.
        IsBlockedPending |= _reportedOpenLimit != OpenLimit;
        _reportedOpenLimit = OpenLimit;
        return false;
    }

    /// <summary>True where the peer now lets us open more streams than before.</summary>
    public bool TryRaiseOpenLimit(ulong limit)
    {
        if (limit <= OpenLimit) return false;
        OpenLimit = limit;
        IsBlockedPending = false;
        return true;
    }

    /// <summary>A STREAMS_BLOCKED was lost: it is sent again where it still holds.</summary>
    public void OnBlockedLost() => IsBlockedPending = _reportedOpenLimit == OpenLimit;

    /// <summary>A stream of the peer's has ended: it may open another in its place.</summary>
    public void OnPeerStreamEnded()
    {
        _peerClosed++;
        // Announced when half of the places are used up, so that streams opened one by one do not cost a frame each.
        IsLimitPending |= PeerLimit - _peerClosed <= _peerWindow / 2;
    }

    /// <summary>The peer's limit, raised to what it should be now: what a MAX_STREAMS announces.</summary>
    public ulong TakeLimit()
    {
        IsLimitPending = false;
        return PeerLimit = _peerClosed + _peerWindow;
    }
}
