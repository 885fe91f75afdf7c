using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>What a node wants done with one of its TCP connections, all of which have the TCP port as their local end unless it is said otherwise.</summary>
internal enum TcpCommandKind
{
    /// <summary>Connect to <see cref="TcpCommand.Remote"/>, with a socket of its own.</summary>
    Connect,

    /// <summary>
    /// Keep a port of its own open towards <see cref="TcpCommand.Remote"/>, until the peer's SYN comes by it and makes a connection: each
    /// <see cref="TcpCommand.OpenerLead"/> another socket's first SYN leaves from that port, with the opener's time-to-live.
    /// </summary>
    Hold,

    /// <summary>Send what was handed over, then close; one that is still being made is given up.</summary>
    Close,

    /// <summary>Reset at once what is of no use any more, so that its two ends are free for another one.</summary>
    Abort,
}

/// <param name="Kind">What to do.</param>
/// <param name="Link">The connection's number: for the driver to remember.</param>
/// <param name="Remote">Its other end.</param>
/// <param name="TimeToLive">Of its packets, 1 to 255; 0 for the system's default.</param>
/// <param name="OpenerLead">
/// Above zero: its first SYN has <see cref="OpenerTimeToLive"/>, and what follows on that socket <paramref name="TimeToLive"/>. If
/// the peer's SYN has not come after this time, another socket takes its place, whose SYN goes all the way. One that has come is
/// left to complete: routers that have seen both SYNs drop a third.
/// </param>
internal readonly record struct TcpCommand(TcpCommandKind Kind, SocketId Link, Endpoint Remote, byte TimeToLive = 0, TimeSpan OpenerLead = default)
{
    /// <summary>Of the SYN that goes ahead: it passes our own routers.</summary>
    public byte OpenerTimeToLive { get; init; } = PunchPlan.OpenerTimeToLive;

    /// <summary>Where it is not known how many routers are ours: each SYN of a port that is held has one hop more than the last, so often.</summary>
    public int OpenerRetries { get; init; }

    /// <summary>It leaves from a port of its own, which the system chooses, and which nothing comes in by but answers.</summary>
    public bool IsSide { get; init; }

    /// <summary>The same with an opener that goes further, if it may.</summary>
    public TcpCommand WithLongerOpener() => OpenerRetries == 0 ? this : this with { OpenerTimeToLive = (byte)(OpenerTimeToLive + 1), OpenerRetries = OpenerRetries - 1 };
}

/// <summary>Who a connection of the TCP port is for.</summary>
internal interface ITcpLinkOwner
{
    /// <summary>A connection that was asked for stands.</summary>
    void HandleLinkOpen(PathAddress link, Timestamp now);

    /// <summary>It is over, or did not come about: refused, unreachable, or the other side closed it.</summary>
    void HandleLinkLost(PathAddress link, Timestamp now);
}

/// <summary>One TCP connection, as the node knows it.</summary>
internal sealed class TcpLink(PathAddress path, ITcpLinkOwner? owner, Timestamp begun, Timestamp deadline)
{
    public PathAddress Path { get; } = path;

    /// <summary>When it came in, or was asked for.</summary>
    public Timestamp Begun { get; } = begun;

    /// <summary>Null for a connection that came in, until something authentic has come on it.</summary>
    public ITcpLinkOwner? Owner { get; set; } = owner;

    /// <summary>The other side connected.</summary>
    public bool IsIncoming { get; } = owner is null;

    public bool IsOpen { get; set; }

    /// <summary>Its connect is a search's, which has limits of its own.</summary>
    public bool IsOfSearch { get; init; }

    /// <summary>Something authentic has come on it.</summary>
    public bool IsProven { get; set; }

    /// <summary>When it is given up, unless it is proven.</summary>
    public Timestamp Deadline { get; set; } = deadline;

    /// <summary>Bytes that came before it was proven.</summary>
    public int UnprovenBytes { get; set; }

    /// <summary>Bytes handed to the driver that its socket has not taken yet.</summary>
    public int Untaken { get; set; }

    public PacketFraming Framing { get; } = new();
}
