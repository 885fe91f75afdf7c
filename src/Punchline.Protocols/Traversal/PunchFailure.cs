using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>Why two peers did not meet: one code of a documented list (PROTOCOL.md), with words for people.</summary>
/// <param name="Cause">The code.</param>
/// <param name="Detail">What was tried, and what was seen.</param>
/// <param name="Advice">What would help.</param>
internal sealed record PunchFailure(string Cause, string Detail, string Advice)
{
    /// <summary>The peer named no address that may be probed.</summary>
    public const string NoCandidates = "no-candidates";

    /// <summary>One side has IPv4 only and the other IPv6 only, with no translator between them.</summary>
    public const string NoCommonFamily = "no-common-family";

    /// <summary>UDP does not get out of a network, this one or the peer's, and by TCP there was no way.</summary>
    public const string UdpBlocked = "udp-blocked";

    /// <summary>A router of this network says that it lets no UDP out, and by TCP there was no way.</summary>
    public const string UdpRejected = "udp-rejected";

    /// <summary>Nothing came from the peer at all.</summary>
    public const string NoAnswer = "no-answer";

    /// <summary>The peer's packets come in, ours do not get through to it.</summary>
    public const string OneWay = "one-way";

    /// <summary>Somebody answered in the peer's place.</summary>
    public const string Impostor = "impostor";

    /// <summary>Both routers give every destination another port, and neither's can be known or found.</summary>
    public const string SymmetricBoth = "symmetric-both";

    /// <summary>Ports of one router were searched, in vain.</summary>
    public const string SearchFailed = "search-failed";

    /// <summary>There is a list of those who may be connected to, and the peer is not on it.</summary>
    public const string NotAllowed = "not-allowed";

    /// <summary>This peer's user wants nothing of that peer.</summary>
    public const string Blocked = "blocked";

    /// <summary>Where neither router's ports can be known.</summary>
    public const string AdviceForBoth = "One side has to change: switch on UPnP in its router, forward a UDP port there and name it (--udp-port), or use another network. IPv6 on both sides gets around it as well.";

    /// <summary>Where ports are searched.</summary>
    public const string AdviceForLuck = "To be independent of luck, switch on UPnP in one of the routers, forward a UDP port there and name it (--udp-port), or use IPv6 on both sides.";

    /// <summary>Where UDP does not get out: what gets out of most such networks.</summary>
    private const string AdviceForBrowsers = "If that network lets only browsers out, the other peer is reached at TCP port 443: it runs with --tcp-port 443, and its router forwards that port, if there is one.";

    /// <summary>All codes with their meanings: PROTOCOL.md's table and whatever else lists them is made of these.</summary>
    public static IReadOnlyList<(string Cause, string Meaning)> All { get; } =
    [
        (NoCandidates, "the peer named no address that may be probed"),
        (NoCommonFamily, "one side has IPv4 only, the other IPv6 only"),
        (UdpBlocked, "UDP does not get out of one side's network, and by TCP there was no way"),
        (UdpRejected, "a router on this side says that it lets no UDP out, and by TCP there was no way"),
        (NoAnswer, "nothing came from the peer"),
        (SymmetricBoth, "both routers give every destination another port, and neither's can be known"),
        (SearchFailed, "ports were searched, in vain"),
        (OneWay, "the peer's packets come in, ours do not get through"),
        (Impostor, "another key answered in the peer's place"),
        (NotAllowed, "there is a list of those who may be connected to, and the peer is not on it: nothing was tried"),
        (Blocked, "this side has blocked the peer: nothing was tried"),
    ];

    /// <summary>Another attempt may end otherwise, though neither side has news: luck, a router that forgets, an outage that ends.</summary>
    public bool MayPass => Cause is NoAnswer or OneWay or SearchFailed or UdpBlocked or UdpRejected or Impostor;

    /// <summary>Without an attempt.</summary>
    public static PunchFailure OfStranger { get; } = new(
        NotAllowed,
        "The peer is not on the list of those that may be connected to, so nothing was sent to it.",
        "Add its id to the list, if it is who you think it is.");

    /// <inheritdoc cref="OfStranger"/>
    public static PunchFailure OfBlocked { get; } = new(
        Blocked,
        "The peer is blocked here, so nothing is sent to it and nothing is taken from it.",
        "Unblock it, if you want to hear of it again.");

    /// <summary>A pure function of what an attempt saw.</summary>
    public static PunchFailure Explain(PunchObservations seen)
    {
        var tried = $"{seen.ProbesSent} packets to {seen.Targets} addresses{(seen.TcpConnects > 0 ? $", and TCP to {seen.TcpConnects}," : "")} in {seen.Lasted.TotalSeconds:0.#} s";
        return seen switch
        {
            { ImpostorAnswered: true } => new(
                Impostor,
                "Another key answered in this peer's place.",
                "A member of the room is interfering, or the server mixed up two peers. Use a room with a secret of your own."),
            { Targets: 0, IsOfAnotherFamily: true } => new(
                NoCommonFamily,
                "One side has IPv4 only, and the other IPv6 only.",
                "Use a network that has both on one side, or one with a translator (NAT64) on the side with IPv6 only."),
            { Targets: 0, TcpConnects: > 0 } => new(
                UdpBlocked,
                $"The peer's network seems to block UDP, for the peer names no address that can be probed, and by TCP there was no way either ({tried}).",
                "Allow outgoing UDP in the peer's network, or use another network there. " + AdviceForBrowsers),
            { Targets: 0 } => new(
                NoCandidates,
                "The peer named no address that can be probed from here.",
                "Check that the peer's network lets UDP out, so that it can learn its public address."),
            { IsHopeless: true } => new(
                SymmetricBoth,
                $"Both routers give every destination another port{(seen.IsTcpHopeless ? ", of TCP as well" : "")}, so that neither side can know, or find, the port where it is expected ({tried}).",
                AdviceForBoth),
            { IsSearched: true, HeardFromPeer: false, Chance: < 1 } => new(
                SearchFailed,
                $"Both routers give every destination another port. Each takes it from a small block, so {seen.Chance * 100:0} of 100 attempts meet; this one did not ({tried}).",
                "It is tried again by itself. " + AdviceForLuck),
            { IsSearched: true, HeardFromPeer: false } => new(
                SearchFailed,
                $"One of the routers gives every destination another port, and a search of its ports met none that was open ({tried}).",
                "It is tried again by itself, in a minute. " + AdviceForLuck),
            { HeardFromPeer: true } => new(
                OneWay,
                $"The peer's packets arrive here, but ours do not reach it ({tried}).",
                "A firewall on the peer's side seems to drop what comes in. Have its router forward a UDP port, and name it there (--udp-port), or use another network there."),
            { HasReflexive: false, UdpRejectedBy: { } router } => new(
                UdpRejected,
                $"This network rejects UDP: {router.ToIPAddress()} says so. By TCP there was no way either ({tried}).",
                "Allow outgoing UDP in its firewall, or use another network. " + AdviceForBrowsers),
            { HasReflexive: false } => new(
                UdpBlocked,
                $"No STUN server answered over UDP, and neither did the peer ({tried}).",
                seen.TcpConnects > 0
                    ? "This network seems to block UDP, and by TCP there was no way either. Allow outgoing UDP in its firewall, or use another network. " + AdviceForBrowsers
                    : "This network seems to block UDP. Allow outgoing UDP in its firewall, or use another network."),
            _ => new(
                NoAnswer,
                $"Nothing came back ({tried}).",
                "One of the two routers may show servers another port than peers, or a firewall is in between. Have the router forward a UDP port on one side, and name it there (--udp-port), or use another network."),
        };
    }
}

/// <summary>What an attempt saw.</summary>
internal readonly record struct PunchObservations(int ProbesSent, int Targets, bool HeardFromPeer, bool HasReflexive, bool ImpostorAnswered)
{
    /// <summary>A router of ours that lets no UDP out, and says so.</summary>
    public Endpoint? UdpRejectedBy { get; init; }

    /// <summary>The peer has no address of a family that we have.</summary>
    public bool IsOfAnotherFamily { get; init; }

    /// <summary>From its start to its end.</summary>
    public TimeSpan Lasted { get; init; } = PunchPlan.Duration;

    /// <summary>Both networks' profiles leave no way, which is known long before the attempt would be over.</summary>
    public bool IsHopeless { get; init; }

    /// <summary>Addresses that were connected to over TCP, in vain.</summary>
    public int TcpConnects { get; init; }

    /// <summary>Both networks' TCP mappings leave no way either.</summary>
    public bool IsTcpHopeless { get; init; }

    /// <summary>Ports were opened, or tried, by the hundreds.</summary>
    public bool IsSearched { get; init; }

    /// <summary>How likely the search was to succeed, from 0 to 1, where that is worth telling; else 1.</summary>
    public double Chance { get; init; } = 1;
}
