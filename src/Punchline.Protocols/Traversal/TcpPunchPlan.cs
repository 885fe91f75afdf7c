using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>An address that is connected to.</summary>
/// <param name="Endpoint">Where to.</param>
/// <param name="OpenerLead">How long a SYN that dies behind our own router goes ahead; zero where none does.</param>
/// <param name="TimeToLive">Of the real SYN and what follows it; 0 for the system's default.</param>
internal readonly record struct TcpTarget(Endpoint Endpoint, TimeSpan OpenerLead, byte TimeToLive)
{
    /// <summary>Nothing goes ahead of the first SYN, but of those behind a refusal.</summary>
    public bool BeginsAtOnce { get; init; }
}

/// <summary>
/// Which TCP addresses of a peer are connected to: a pure function of what is known. Both peers do so at once, from the port that
/// they listen on, so that the SYNs cross: RFC 9293 §3.5's simultaneous open, where each NAT takes the other's SYN for an answer.
/// </summary>
internal static class TcpPunchPlan
{
    /// <summary>Addresses outside that are connected to, of each family.</summary>
    public const int MaxFarTargets = 4;

    /// <summary>Addresses of our own network that are connected to, of each family.</summary>
    public const int MaxNearTargets = 2;

    /// <summary>A connect's time: the system's SYNs at 0, 1 and 3 s, and a little for the last one's answer.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3.5);

    /// <summary>
    /// Before a refused connect is tried again, with a fresh socket; doubles. A router that rejects does so until its own host has
    /// sent its SYN, which is milliseconds away.
    /// </summary>
    public static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Connects to an address, its opener not counted.</summary>
    public const int MaxTries = 6;

    /// <summary>
    /// How long UDP has to itself before a handshake begins on TCP: what comes by both shall be UDP's. Three round trips of most
    /// networks; where no STUN server answers by UDP, nobody waits.
    /// </summary>
    public static readonly TimeSpan HeadStartOfUdp = TimeSpan.FromMilliseconds(300);

    /// <summary>
    /// Whether TCP cannot be a way between two routers that both give every destination another port of TCP's as well: no SYN comes from where the other
    /// side's is sent to. Filters that let in any port are rare in front of such a mapping, and not counted on.
    /// </summary>
    public static bool IsHopeless(NetworkProfile local, NetworkProfile remote) => local.IsTcpSymmetric && remote.IsTcpSymmetric;

    /// <remarks>
    /// To an IPv6 address of the peer's own machine the first SYN goes at once, as message 1 does (<see cref="PunchPlan.OpenerTimeToLive"/>): a firewall that drops it
    /// keeps nothing of it. One that rejects it answers with RST, at which our own firewall forgets that we have asked, and takes the peer's SYN for
    /// a stranger's in turn. Two such would refuse each other in turns for ever, so what follows a refusal is led by an opener, for longer than two
    /// processes are ever apart: the way to the server, by which others know how long that must be, is not known where no UDP gets there.
    /// </remarks>
    public static IReadOnlyList<TcpTarget> Create(PunchSituation situation)
    {
        var lead = PunchPlan.LeadOf(situation);
        var targets = new List<TcpTarget>();
        foreach (var target in PunchTargets.Rank(situation, Carrier.Tcp))
        {
            var next = target.IsNear
                ? new TcpTarget(target.Endpoint, TimeSpan.Zero, PunchPlan.PrivateTimeToLive)
                : new TcpTarget(target.Endpoint, target.IsOwn ? PunchPlan.OpenerMargin : lead, 0) { BeginsAtOnce = target.IsOwn };
            if (targets.Count(other => IsLike(other, next)) < (target.IsNear ? MaxNearTargets : MaxFarTargets)) targets.Add(next);
        }
        return targets;
    }

    private static bool IsLike(TcpTarget one, TcpTarget other) => one.TimeToLive == other.TimeToLive && one.Endpoint.IsIPv4 == other.Endpoint.IsIPv4;
}
