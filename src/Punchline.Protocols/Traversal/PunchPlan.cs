using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>What one side knows when it plans: of itself, and of the peer.</summary>
/// <param name="HostAddresses">Our own interfaces.</param>
/// <param name="LocalReflexive">What STUN servers saw of us.</param>
/// <param name="RemoteCandidates">What the peer says of itself.</param>
/// <param name="AllowLoopback">The server itself was reached on loopback: then peers on this machine are meant.</param>
internal sealed record PunchSituation(
    IReadOnlyList<HostAddress> HostAddresses,
    IReadOnlyList<Endpoint> LocalReflexive,
    IReadOnlyList<Candidate> RemoteCandidates,
    bool AllowLoopback)
{
    /// <summary>The shortest round trip to a STUN server; null where none answered yet.</summary>
    public TimeSpan? ServerRoundTrip { get; init; }

    /// <summary>Where connections stand already, in other rooms.</summary>
    public OpenPaths? OpenPaths { get; init; }

    /// <summary>Ports that the peer has opened for us.</summary>
    public IReadOnlyList<PortOffer> Offers { get; init; } = [];

    /// <summary>NATs of our own that openers have to pass.</summary>
    public OwnRouters OwnRouters { get; init; } = OwnRouters.Unknown;

    /// <summary>A translator takes our packets to IPv4 addresses, although we have none ourselves.</summary>
    public bool HasNat64 { get; init; }
}

/// <summary>What a probe carries.</summary>
internal enum ProbeKind
{
    /// <summary>One byte that nobody needs to receive: it makes our own NAT expect the peer.</summary>
    Opener,

    /// <summary>Message 1 of the handshake.</summary>
    Handshake,

    /// <summary>Message 1 of the handshake, to where a genuine one of the peer's came from.</summary>
    Answer,
}

/// <summary>One packet of a plan.</summary>
/// <param name="At">After the plan's start.</param>
/// <param name="Destination">Where to.</param>
/// <param name="Kind">What it carries.</param>
/// <param name="TimeToLive">1 to 255, or 0 for the system's default.</param>
internal readonly record struct Probe(TimeSpan At, Endpoint Destination, ProbeKind Kind, byte TimeToLive)
{
    /// <summary>Which of our sockets it leaves from.</summary>
    public SocketId Via { get; init; }

    /// <summary>The path that it tries.</summary>
    public PathAddress Path => new(Via, Destination);
}

/// <summary>
/// Which packets go where, and when: a pure function of what is known. Both peers carry out their plans at once, each
/// opening its own NAT for the other.
/// </summary>
internal static class PunchPlan
{
    /// <summary>After this the attempt has failed.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(20);

    /// <summary>
    /// At least so long from an opener to the packet that reaches the peer's router, which must not be there before the peer's own opener
    /// has left: a router that accepts unsolicited packets would then give the peer's answers another port, for good.
    /// </summary>
    // Two processes act on one introduction up to 10 ms apart, and on a busy machine up to 40 ms. Two accepting routers
    // without delay between them: 3 of 4 with a lead of 5 ms, 34 of 35 with 20 ms.
    public static readonly TimeSpan OpenerLead = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// What lead and way together should amount to. A way through the internet does its part; between networks that are
    /// close to the server, and so to each other, waiting longer has to do it.
    /// </summary>
    public static readonly TimeSpan OpenerMargin = TimeSpan.FromMilliseconds(60);

    /// <summary>The first interval between flights; each later one is twice as long.</summary>
    public static readonly TimeSpan FirstInterval = TimeSpan.FromMilliseconds(33);

    /// <summary>
    /// Flights to a candidate: at 0, 33, 99, 231, 495 ms, 1.0, 2.1, 4.2 and 8.4 s. With two openers these are 11 of the
    /// 12 packets that an address may get before it answered; the last is kept for an answer to it. What fresh sockets send takes the place of the last.
    /// </summary>
    public const int Flights = 9;

    /// <summary>Flights to a port that the peer has opened: until 1.0 s.</summary>
    public const int OfferedFlights = 6;

    /// <summary>Flights to each of several, until 231 ms: the next bracket's ports are others, and the 56 packets that an address may get are for those of three.</summary>
    public const int BracketedFlights = 4;

    /// <summary>Flights that are led by an opener.</summary>
    public const int OpenerFlights = 2;

    /// <summary>
    /// An opener passes our own routers and dies behind them. Where it is not known how many are ours, one is assumed, and the next opener has one hop more.
    /// Public addresses have a router too, and often a firewall in it: without openers their full packets would come before
    /// an accepting router's own host has spoken, whose answers then leave from a port that the firewall does not expect.
    /// </summary>
    /// <remarks>
    /// An IPv6 address of the peer's own machine needs none. No router accepts in its place what is addressed to it, none has a port to
    /// move, and a firewall that drops a packet keeps nothing of it: message 1 is the best opener there, and what comes too early comes
    /// again 33 ms later. Without openers' lead IPv6 is 20 to 60 ms ahead, which is the head start that RFC 8305 §5 wants it to have,
    /// and where it does not work IPv4 has lost nothing.
    /// </remarks>
    public const byte OpenerTimeToLive = 2;

    /// <summary>The longest that an opener lives: behind four NATs, and two routers more.</summary>
    public const byte MaxOpenerTimeToLive = OwnRouters.MaxLayers + 2;

    /// <summary>Where it is not known how many NATs are ours, the openers of a search are sent again so often, each time with one hop more.</summary>
    public const int MaxOpenerRetries = 2;

    /// <summary>Candidates probed in the first 200 ms, by rank. The others wait.</summary>
    public const int MaxFirstCandidates = 6;

    /// <summary>Ports of an offer that are all probed, at most.</summary>
    public const int MaxOfferedPorts = 8;

    /// <summary>Private addresses probed, at most.</summary>
    public const int MaxPrivateCandidates = 4;

    /// <summary>Routers that a packet to a private address may pass, less one: it must not wander into a stranger's network.</summary>
    public const byte PrivateTimeToLive = 3;

    /// <summary>The same for a peer's router in the network of a carrier: ours, two of the carrier's and the peer's.</summary>
    public const byte MiddleTimeToLive = 5;

    /// <summary>
    /// When a peer that is not connected may be trapped, and a fresh socket is taken: an attempt is over one lead and one and a half round trips behind
    /// its start, and the loss of a packet is made good within 231 ms. Peers whose way is longer than that get the round trip to the server twice on top.
    /// </summary>
    public static readonly TimeSpan FreshDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>From one fresh socket to the next, which the openers of have one hop more.</summary>
    public static readonly TimeSpan FreshInterval = TimeSpan.FromMilliseconds(1_500);

    /// <summary>Fresh sockets of one attempt.</summary>
    public const int MaxFreshSockets = 2;

    /// <summary>
    /// From a fresh socket's openers to its first message 1: what the news of it takes through the server, and the peer's first flight back.
    /// </summary>
    public static readonly TimeSpan FreshHandshakeDelay = TimeSpan.FromMilliseconds(1_000);

    private static readonly int[] HitDelays = [50, 150, 350, 750];

    private static readonly int[] BracketedDelays = [20, 120];

    private static readonly TimeSpan LaterCandidatesDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>The plan's probes in the order of their times.</summary>
    public static IReadOnlyList<Probe> Create(PunchSituation situation)
    {
        var targets = PunchTargets.Rank(situation, Carrier.Udp);
        var openerLead = LeadOf(situation);
        var probes = new List<Probe>(targets.Count * (Flights + OpenerFlights));
        for (var rank = 0; rank < targets.Count; rank++)
        {
            var target = targets[rank];
            var start = rank < MaxFirstCandidates ? TimeSpan.Zero : LaterCandidatesDelay;
            var isOpen = target.IsNear || target.IsOwn || target.IsOffered || situation.OpenPaths?.Contains(target.Endpoint) is true;
            for (var flight = 0; flight < (target.IsBracketed ? BracketedFlights : target.IsOffered ? OfferedFlights : Flights); flight++)
            {
                // 33 ms × (2^flight − 1)
                var at = start + (FirstInterval * ((1 << flight) - 1));
                if (flight < OpenerFlights && !isOpen)
                {
                    // The second has a hop more, and a peer's router may be that near: it must not be there before the first packet that is meant to be.
                    if (flight > 0) at = at > start + openerLead ? at : start + openerLead;
                    probes.Add(new Probe(at, target.Endpoint, ProbeKind.Opener, OpenerTimeToLiveOf(situation.OwnRouters, flight)));
                    at += openerLead;
                }
                probes.Add(new Probe(at, target.Endpoint, ProbeKind.Handshake, target.TimeToLive));
            }
        }
        // A stable sort: at one time the better rank goes first.
        return [.. probes.OrderBy(probe => probe.At)];
    }

    /// <summary>
    /// What leaves from a fresh socket: openers at once, so that they are out before the peer hears of the socket, and one packet
    /// much later, by which the peer's should have come, for routers that the openers did not pass.
    /// </summary>
    /// <param name="situation">As ever.</param>
    /// <param name="socket">The fresh socket.</param>
    /// <param name="timeToLive">Of the openers.</param>
    public static IReadOnlyList<Probe> CreateFresh(PunchSituation situation, SocketId socket, byte timeToLive)
    {
        var probes = new List<Probe>();
        foreach (var target in PunchTargets.Rank(situation, Carrier.Udp))
        {
            // An IPv6 address that nobody translates has no ports that could have been spoiled.
            if (target.IsNear || target.IsOwn) continue;
            if (target.IsBracketed)
            {
                // Nothing of the peer's comes from there before ours: it may have opened them for this socket.
                foreach (var delay in BracketedDelays) probes.Add(new Probe(TimeSpan.FromMilliseconds(delay), target.Endpoint, ProbeKind.Handshake, 0) { Via = socket });
                continue;
            }
            probes.Add(new Probe(TimeSpan.Zero, target.Endpoint, ProbeKind.Opener, timeToLive) { Via = socket });
            probes.Add(new Probe(FreshHandshakeDelay, target.Endpoint, ProbeKind.Handshake, 0) { Via = socket });
        }
        return [.. probes.OrderBy(probe => probe.At).Take(2 * MaxFirstCandidates)];
    }

    /// <summary>
    /// What follows the answer to a message of the peer's that came by a port of a search: it is the one way that there is, and the peer does not
    /// know it before one of these arrives.
    /// </summary>
    public static IReadOnlyList<Probe> CreateHit(PathAddress path) =>
        [.. HitDelays.Select(delay => new Probe(TimeSpan.FromMilliseconds(delay), path.Remote, ProbeKind.Handshake, 0) { Via = path.Local })];

    /// <summary>Of an opener, behind as many NATs of our own.</summary>
    /// <param name="own">The NATs.</param>
    /// <param name="retry">Openers before it to the same place, each of which may have been too short, where it is not certain how many NATs there are.</param>
    public static byte OpenerTimeToLiveOf(OwnRouters own, int retry) =>
        (byte)Math.Min(OpenerTimeToLive - 1 + own.Layers + (own.IsCertain ? 0 : retry), MaxOpenerTimeToLive);

    /// <summary>From an opener to the packet that counts.</summary>
    public static TimeSpan LeadOf(PunchSituation situation)
    {
        var missing = OpenerMargin - (situation.ServerRoundTrip ?? OpenerMargin);
        return missing > OpenerLead ? missing : OpenerLead;
    }

    /// <summary>Whether an address may be probed at all, whoever names it.</summary>
    public static bool IsUsable(Endpoint endpoint, bool allowLoopback)
    {
        if (AddressScope.IsUnspecified(endpoint) || AddressScope.IsMulticastOrBroadcast(endpoint) || AddressScope.IsLinkLocal(endpoint)) return false;
        if (AddressScope.IsEmbedded(endpoint)) return false;
        if (AddressScope.IsLoopback(endpoint) && !allowLoopback) return false;
        // Below 1024 are other people's services; 443 is where peers in strict networks listen.
        return endpoint.Port is >= 1024 or 443;
    }
}
