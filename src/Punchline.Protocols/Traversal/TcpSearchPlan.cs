namespace Punchline.Protocols.Traversal;

/// <summary>
/// What one side does beyond the plain punch of TCP where UDP leads nowhere: a pure function of both networks' profiles. Routers choose TCP's ports as they
/// choose UDP's, so the plans are <see cref="SearchPlan"/>'s, and so is their arithmetic. What differs is who notices: a SYN that meets an open port is a
/// connection half a round trip later, and one that meets none leaves a session that Linux keeps for 120 s (<see cref="SearchBudget.PauseOfTcp"/>).
/// </summary>
internal static class TcpSearchPlan
{
    /// <summary>
    /// A bracket's: all ports in it are tried at once and each tells by itself whether it is ours, so another port of ours would only be one more to try.
    /// </summary>
    public const int BracketSockets = 1;

    /// <summary>
    /// From one SYN to the next of a port that is held open, each by a fresh socket and none further than the peer's side of our router: less than the second after
    /// which a system would repeat it with what time-to-live the socket has by then. 256 sockets are 270 SYNs a second, of which no other router hears.
    /// </summary>
    public static readonly TimeSpan HoldInterval = TimeSpan.FromMilliseconds(950);

    /// <summary>
    /// What a probe of one port gets: a single SYN, for it is the first of many, and one more to the same port, a second later, would be as good as none. Round
    /// trips up to that long are searched.
    /// </summary>
    public static readonly TimeSpan ProbePatience = HoldInterval;

    /// <summary>What a predicted port gets: SYNs at 0 and 1 s. At most 8 ports three times are 48 of the 64 that may go to an address in a minute.</summary>
    public static readonly TimeSpan OfferPatience = TimeSpan.FromSeconds(2);

    /// <summary>Our part, as the side whose router gives every destination another port of TCP's. The other side tries what it is offered.</summary>
    /// <param name="local">Our network's profile.</param>
    /// <param name="remote">The peer's. Unknown counts as endpoint-independent.</param>
    public static SearchPlan Create(NetworkProfile local, NetworkProfile remote)
    {
        if (!IsHard(local) || IsHard(remote)) return default;
        var plan = SearchPlan.Create(
            local with { Mapping = MappingBehavior.AddressAndPortDependent }, remote with { Mapping = MappingBehavior.EndpointIndependent });
        return plan.Kind == SearchKind.Bracket ? plan with { Sockets = BracketSockets } : plan;
    }

    /// <summary>Where TCP's mapping is not known, with one server's address to look from, it is UDP's.</summary>
    public static bool IsHard(NetworkProfile profile) =>
        profile.IsTcpSymmetric || (profile.IsSymmetric && profile.TcpMapping is MappingBehavior.Unknown or MappingBehavior.NotPortDependent);
}
