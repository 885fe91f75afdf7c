namespace Punchline.Simulation.Tracing;

/// <summary>What became of a packet (or a message) at one place. The numbers enter the trace's hash: append, don't reorder.</summary>
internal enum Verdict : byte
{
    /// <summary>Left a machine's socket.</summary>
    Sent,

    /// <summary>Given to a bound port.</summary>
    Delivered,

    /// <summary>Passed a router; source and destination are those behind it.</summary>
    Forwarded,

    /// <summary>A router opened a mapping; from is the internal endpoint, to the external one.</summary>
    MappingCreated,

    /// <summary>A router could not give a flow the external endpoint that its source had or preserves, and took another.</summary>
    MappingMoved,

    /// <summary>Lost on a link, by chance.</summary>
    Lost,

    /// <summary>Lost because the link is cut.</summary>
    LinkDown,

    /// <summary>Dropped at a full queue of a link of limited rate.</summary>
    QueueFull,

    /// <summary>Copied by a link; the copy follows.</summary>
    Duplicated,

    /// <summary>Its time-to-live ended at a router (ICMP time exceeded, which nobody sends here).</summary>
    TimeToLiveExceeded,

    /// <summary>No machine has that address, or none that is reached from there.</summary>
    NoRoute,

    /// <summary>The machine has no socket at that port (ICMP port unreachable).</summary>
    NoListener,

    /// <summary>Unsolicited, dropped: the external port has a mapping, but its filtering refuses this source.</summary>
    Filtered,

    /// <summary>Unsolicited, dropped: the external port has no mapping.</summary>
    NoMapping,

    /// <summary>Unsolicited, answered with ICMP by a router that keeps no state of it.</summary>
    Rejected,

    /// <summary>Unsolicited, taken by the router as addressed to itself: it now tracks that flow.</summary>
    AcceptedByRouter,

    /// <summary>From the inside to the router's own external address, on a router without hairpinning.</summary>
    HairpinRefused,

    /// <summary>The router's table is full.</summary>
    SessionLimit,

    /// <summary>The router has no external port left to give.</summary>
    NoPort,

    /// <summary>A reliable channel took a message.</summary>
    MessageSent,

    /// <summary>A reliable channel handed a message over.</summary>
    MessageDelivered,

    /// <summary>A reliable channel broke; what was under way is gone.</summary>
    ChannelBroken,

    /// <summary>A router forgot its mappings; to is its new external address.</summary>
    Rebound,

    /// <summary>Lost on a link whose largest packet is smaller.</summary>
    TooLarge,

    /// <summary>A link flipped a bit of it.</summary>
    Corrupted,

    /// <summary>A router's rule lets nothing of its protocol out, or not to that port.</summary>
    Blocked,

    /// <summary>A router that follows TCP takes it for no part of the connection that it knows.</summary>
    OutOfWindow,
}
