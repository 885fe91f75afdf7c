using Punchline.Simulation.Nat;
using NatAllocation = Punchline.Simulation.Nat.PortAllocation;

namespace Punchline.Simulation.Peers;

/// <summary>A kind of network that a peer may be in: its router, and perhaps a carrier's NAT in front of that.</summary>
/// <param name="Name">As the matrix and its tests call it.</param>
/// <param name="Nat">The peer's own router.</param>
/// <param name="Carrier">A second NAT between that router and the internet.</param>
internal sealed record Network(string Name, NatBehavior Nat, NatBehavior? Carrier = null)
{
    /// <summary>What stands before its IPv6 addresses; null where there are none.</summary>
    public NatBehavior? IPv6 { get; init; }

    public bool HasIPv4 { get; init; } = true;

    /// <summary><see cref="Nat"/> takes IPv6 to IPv4.</summary>
    public bool HasNat64 { get; init; }

    /// <summary>Networks whose peers meet all others of their sort.</summary>
    public static IReadOnlyList<Network> Ordinary { get; } =
    [
        new("open", NatBehavior.Open),
        new("firewall", NatBehavior.Firewall),
        new("full cone", NatBehavior.FullCone),
        new("address-restricted", NatBehavior.AddressRestricted),
        new("port-restricted", NatBehavior.PortRestricted),
        new("endpoint-independent", NatBehavior.PortRestrictedEndpointIndependent),
        new("moved port", NatBehavior.ConeRandomPort),
        new("accepting", NatBehavior.PortRestrictedAccepting),
        new("rejecting", NatBehavior.PortRestrictedRejecting),
        new("carrier", NatBehavior.PortRestricted, Carrier: NatBehavior.PortRestricted),
    ];

    /// <summary>Networks that give a socket another external port for every destination.</summary>
    public static IReadOnlyList<Network> Symmetrical { get; } =
    [
        new("symmetric", NatBehavior.Symmetric),
        new("symmetric by address", NatBehavior.SymmetricAddressDependent),
        new("symmetric in sequence", NatBehavior.SymmetricSequential),
        new("symmetric in a block", NatBehavior.SymmetricBlock with { BlockSize = 1_024 }),
    ];

    /// <summary>Networks with IPv6. RFC 6146 §1.2.3: a NAT64's mapping is endpoint-independent.</summary>
    public static IReadOnlyList<Network> WithIPv6 { get; } =
    [
        new("dual stack", NatBehavior.PortRestricted) { IPv6 = NatBehavior.Firewall },
        new("dual stack, symmetric IPv4", NatBehavior.Symmetric) { IPv6 = NatBehavior.Firewall },
        new("dual stack, open IPv6", NatBehavior.PortRestricted) { IPv6 = NatBehavior.Open },
        new("dual stack, rejecting IPv6", NatBehavior.PortRestrictedAccepting) { IPv6 = NatBehavior.Firewall with { Unsolicited = UnsolicitedPolicy.Reject } },
        new("IPv6 only", NatBehavior.PortRestricted) { IPv6 = NatBehavior.Firewall, HasIPv4 = false },
        new("IPv6 only, NAT64", NatBehavior.PortRestrictedEndpointIndependent) { IPv6 = NatBehavior.Firewall, HasIPv4 = false, HasNat64 = true },
    ];

    /// <summary>One of each sort, for those with IPv6 to meet.</summary>
    public static IReadOnlyList<Network> WithoutIPv6 { get; } = [.. Ordinary.Where(network => network.Name is "open" or "port-restricted" or "carrier"), Symmetrical[0]];

    public static IReadOnlyList<Network> All { get; } = [.. Ordinary, .. Symmetrical];

    /// <exception cref="InvalidOperationException">There is no such network.</exception>
    public static Network Named(string name) => All.Concat(WithIPv6).First(network => string.Equals(network.Name, name, StringComparison.Ordinal));

    public bool ReachesIPv4 => HasIPv4 || HasNat64;

    /// <summary>The same, but that its own router lets no UDP pass.</summary>
    public Network WithoutUdp => this with { Name = Name + " without UDP", Nat = Nat with { BlocksUdp = true }, IPv6 = IPv6 is null ? null : IPv6 with { BlocksUdp = true } };

    public bool IsSymmetric => Symmetrical.Any(known => known.Nat == Nat with { BlocksUdp = false });

    // The peer's port filter lets in only the port that it sent to, and a symmetric router's next one nobody knows beforehand.
    private bool AdmitsAnyPort => Nat.Filtering != Dependence.AddressAndPortDependent && Carrier is null;

    /// <summary>Null where peers in these two networks can meet, else the reason why not.</summary>
    public static string? WhyImpossible(Network first, Network second)
    {
        if (HaveIPv6(first, second)) return null;
        if (!first.ReachesIPv4 || !second.ReachesIPv4) return "One side has IPv6 only, and the other IPv4 only.";
        return first.IsSymmetric && second.IsSymmetric && !(first.Counts && second.Counts) ? "Both routers choose a port that the other side would have to guess." : null;
    }

    /// <summary>The symmetric router chooses a port that the other's filter would have to expect: plain punching does not do it, a search over ports does.</summary>
    public static bool TakesSearch(Network first, Network second) =>
        WhyImpossible(first, second) is null && !HaveIPv6(first, second)
        && ((first.IsSymmetric && !second.AdmitsAnyPort) || (second.IsSymmetric && !first.AdmitsAnyPort));

    /// <summary>Its router's next port is the last one's neighbour.</summary>
    public bool Counts => Nat.Allocation == NatAllocation.Sequential;

    private static bool HaveIPv6(Network first, Network second) => first.IPv6 is not null && second.IPv6 is not null;

    public override string ToString() => Name;
}
