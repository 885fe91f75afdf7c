namespace Punchline.Protocols.Traversal;

/// <summary>How peers in two networks meet.</summary>
internal enum ProspectKind : byte
{
    /// <summary>Too little is known of one of the networks.</summary>
    Unknown,

    /// <summary>By the plain punch.</summary>
    Punch,

    /// <summary>By a port that a gateway maps.</summary>
    Mapping,

    /// <summary>By IPv6, over UDP or TCP.</summary>
    IPv6,

    /// <summary>By a search for ports.</summary>
    Search,

    /// <summary>By TCP alone.</summary>
    Tcp,

    /// <summary>Not at all.</summary>
    None,
}

/// <summary>What can be expected of two networks: a pure function of both, by the plans that peers in them make.</summary>
/// <param name="Kind">How.</param>
/// <param name="Chance">Of an attempt, where it is a matter of chance; else 1, or 0.</param>
/// <param name="Within">What nearly all that succeed need, at short round trips.</param>
internal readonly record struct Prospect(ProspectKind Kind, double Chance, TimeSpan Within)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(0.5);

    public static Prospect Between(NetworkTraits local, NetworkTraits remote)
    {
        var isUdpOut = local.Udp is false || remote.Udp is false;
        // Nothing has another port there, for TCP either.
        if (local.HasIPv6 && remote.HasIPv6 && (!isUdpOut || (local.Tcp is true && remote.Tcp is true))) return new(ProspectKind.IPv6, 1, isUdpOut ? TcpPunchPlan.Patience : Soon);
        var byUdp = isUdpOut ? new Prospect(ProspectKind.None, 0, default) : ByUdp(local, remote);
        if (byUdp.Kind != ProspectKind.None) return byUdp;
        return ByTcp(local, remote) switch
        {
            true => new(ProspectKind.Tcp, 1, TcpPunchPlan.Patience),
            false => ByTcpSearch(local, remote) ?? byUdp,
            null => default,
        };
    }

    private static Prospect ByUdp(NetworkTraits local, NetworkTraits remote)
    {
        if (local.Udp is null || remote.Udp is null) return default;
        if (local.IsMapped || remote.IsMapped) return new(ProspectKind.Mapping, 1, Soon);
        if (local.Profile.IsSymmetric && remote.Profile.IsSymmetric)
        {
            var plan = SearchPlan.Create(local.Profile, remote.Profile);
            return plan.Kind switch
            {
                SearchKind.Crossing or SearchKind.Blocks => new(ProspectKind.Search, plan.ChanceOf(local.Profile), plan.TimeOf(local.Profile)),
                SearchKind.Hopeless => new(ProspectKind.None, 0, default),
                _ => default,
            };
        }
        if (IsUnclear(local.Profile) || IsUnclear(remote.Profile)) return default;
        if (!local.Profile.IsSymmetric && !remote.Profile.IsSymmetric) return new(ProspectKind.Punch, 1, Soon);
        var (hard, easy) = local.Profile.IsSymmetric ? (local, remote) : (remote, local);
        if (easy.AdmitsAnyPort is true) return new(ProspectKind.Punch, 1, Soon);
        var search = SearchPlan.Create(hard.Profile, easy.Profile);
        return search.Kind == SearchKind.None ? default : new(ProspectKind.Search, search.ChanceOf(hard.Profile), search.TimeOf(hard.Profile));
    }

    // A SYN is met by a SYN to the very port that it comes from, or let in from any.
    private static bool? ByTcp(NetworkTraits local, NetworkTraits remote)
    {
        if (local.Tcp is false || remote.Tcp is false) return false;
        if (local.Tcp is null || remote.Tcp is null) return null;
        if (local.IsTcpMapped || remote.IsTcpMapped) return true;
        if (TcpPunchPlan.IsHopeless(local.Profile, remote.Profile)) return false;
        var (hard, other) = local.Profile.IsTcpSymmetric ? (local, remote) : (remote, local);
        if (!hard.Profile.IsTcpSymmetric)
            return hard.Profile.TcpMapping == MappingBehavior.EndpointIndependent && other.Profile.TcpMapping == MappingBehavior.EndpointIndependent ? true : null;
        // Routers filter TCP as they filter UDP.
        return other.Filtering switch { FilteringBehavior.Unknown => null, FilteringBehavior.AddressAndPortDependent => false, _ => true };
    }

    // Ports of TCP's are searched where UDP gets out on one side only, or on none.
    private static Prospect? ByTcpSearch(NetworkTraits local, NetworkTraits remote)
    {
        if (local.Tcp is not true || remote.Tcp is not true || (local.Udp is not false && remote.Udp is not false)) return null;
        var (hard, easy) = TcpSearchPlan.IsHard(local.Profile) ? (local, remote) : (remote, local);
        var plan = TcpSearchPlan.Create(hard.Profile, easy.Profile);
        return plan.Kind == SearchKind.None ? null : new(ProspectKind.Search, plan.ChanceOf(hard.Profile), plan.TimeOf(hard.Profile));
    }

    private static bool IsUnclear(NetworkProfile profile) => profile.Mapping == MappingBehavior.Unknown || profile.MayBeSymmetric;
}
