namespace Punchline.Protocols.Traversal;

/// <summary>A sort of network that a peer may be in.</summary>
/// <param name="Code">Stable: programs rely on it.</param>
/// <param name="Name">For people.</param>
/// <param name="Traits">What is known of it.</param>
internal sealed record OtherNetwork(string Code, string Name, NetworkTraits Traits);

/// <summary>The sorts that a network is compared with, from the easiest to the hardest.</summary>
internal static class OtherNetworks
{
    private static readonly NetworkProfile Cone = new() { Mapping = MappingBehavior.EndpointIndependent, Allocation = PortAllocation.Preserved };
    private static readonly NetworkProfile Drawn = new() { Mapping = MappingBehavior.AddressAndPortDependent, Allocation = PortAllocation.Random };

    public static IReadOnlyList<OtherNetwork> All { get; } =
    [
        new("open", "a public address, no firewall", Of(Cone, FilteringBehavior.EndpointIndependent)),
        new("mapped", "a router that maps a port (UPnP, PCP)", Of(Cone, FilteringBehavior.AddressAndPortDependent) with { IsMapped = true, IsTcpMapped = true }),
        new("full-cone", "a full-cone or address-restricted router", Of(Cone, FilteringBehavior.AddressDependent)),
        new("port-restricted", "an ordinary router, or a firewall", Of(Cone, FilteringBehavior.AddressAndPortDependent)),
        new("symmetric-sequence", "a symmetric router that counts ports", Of(Drawn with { Allocation = PortAllocation.Sequential, Step = 1 }, FilteringBehavior.AddressAndPortDependent)),
        new("symmetric-block", "a carrier's NAT: symmetric, 1,024 ports", Of(Drawn with { FirstPort = 30_000, LastPort = 31_023 }, FilteringBehavior.AddressAndPortDependent)),
        new("symmetric", "a symmetric router that draws ports", Of(Drawn, FilteringBehavior.AddressAndPortDependent)),
        new("udp-blocked", "a network that lets no UDP out", Of(Cone, FilteringBehavior.AddressAndPortDependent) with { Udp = false }),
        new("ipv6", "a network with IPv6, and a firewall", Of(Drawn, FilteringBehavior.AddressAndPortDependent) with { HasIPv6 = true }),
    ];

    // Routers treat TCP's ports as they treat UDP's.
    private static NetworkTraits Of(NetworkProfile profile, FilteringBehavior filtering) => new(profile with { TcpMapping = profile.Mapping }, filtering);
}
