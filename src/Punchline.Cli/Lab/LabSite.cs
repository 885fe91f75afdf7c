namespace Punchline.Cli.Lab;

/// <summary>How a router chooses the external port of a flow (RFC 4787 §4.1).</summary>
internal enum NatMapping
{
    /// <summary>No translation: the hosts have public addresses.</summary>
    None,

    /// <summary>
    /// What netfilter does by itself: a flow takes the external port of its socket's earlier flows, at first the inside
    /// port, unless that tuple is occupied; then it takes another. Endpoint-independent until somebody occupies a tuple.
    /// </summary>
    PerFlowKeepingPorts,

    /// <summary>Every flow gets a random port: a symmetric NAT.</summary>
    PerFlowRandomPorts,

    /// <summary>Every flow gets the next port: a symmetric NAT that counts.</summary>
    PerFlowCountingPorts,

    /// <summary>One external port for an inside socket whatever it sends to, the inside port where that is free.</summary>
    EndpointIndependentKeepingPorts,

    /// <summary>One external port for an inside socket whatever it sends to, chosen at random.</summary>
    EndpointIndependentRandomPorts,
}

/// <summary>What happens to packets from outside that belong to no flow from inside (RFC 4787 §5).</summary>
internal enum NatFiltering
{
    /// <summary>Dropped silently: port-restricted.</summary>
    AddressAndPortDependent,

    /// <summary>
    /// As port-restricted for the hosts, but the router's own input chain accepts the packet. Its conntrack entry then
    /// occupies the tuple that a later flow of the host would have kept, so that flow leaves from another port.
    /// </summary>
    AddressAndPortDependentAccepting,

    /// <summary>As port-restricted, but refused with ICMP (TCP: with RST). The packet leaves no conntrack entry.</summary>
    AddressAndPortDependentRejecting,

    /// <summary>Whoever's address was sent to from a mapping may send to it from any port: address-restricted.</summary>
    AddressDependent,

    /// <summary>Whoever knows a mapping may send to it: full cone.</summary>
    EndpointIndependent,
}

/// <summary>One kind of NAT: a mapping and a filtering, as RFC 4787 sorts them.</summary>
internal sealed record LabNat(string Name, NatMapping Mapping, NatFiltering Filtering)
{
    /// <summary>Public addresses, no NAT, no firewall.</summary>
    public static LabNat Open { get; } = new("open", NatMapping.None, NatFiltering.EndpointIndependent);

    /// <summary>Public addresses behind a stateful firewall, no NAT.</summary>
    public static LabNat Firewall { get; } = new("firewall", NatMapping.None, NatFiltering.AddressAndPortDependent);

    public static LabNat AddressRestricted { get; } =
        new("address-restricted", NatMapping.EndpointIndependentKeepingPorts, NatFiltering.AddressDependent);

    public static LabNat FullCone { get; } =
        new("full cone", NatMapping.EndpointIndependentKeepingPorts, NatFiltering.EndpointIndependent);

    /// <summary>Plain Linux source NAT, as most home routers have it.</summary>
    public static LabNat PortRestricted { get; } =
        new("port-restricted", NatMapping.PerFlowKeepingPorts, NatFiltering.AddressAndPortDependent);

    public static LabNat PortRestrictedAccepting { get; } =
        new("port-restricted, accepting unsolicited packets", NatMapping.PerFlowKeepingPorts, NatFiltering.AddressAndPortDependentAccepting);

    public static LabNat PortRestrictedRejecting { get; } =
        new("port-restricted, rejecting unsolicited packets", NatMapping.PerFlowKeepingPorts, NatFiltering.AddressAndPortDependentRejecting);

    public static LabNat PortRestrictedRandomPort { get; } =
        new("port-restricted with random ports", NatMapping.EndpointIndependentRandomPorts, NatFiltering.AddressAndPortDependent);

    public static LabNat Symmetric { get; } =
        new("symmetric", NatMapping.PerFlowRandomPorts, NatFiltering.AddressAndPortDependent);

    public static LabNat SymmetricSequential { get; } =
        new("symmetric in sequence", NatMapping.PerFlowCountingPorts, NatFiltering.AddressAndPortDependent);
}

/// <summary>A router with the hosts behind it.</summary>
/// <param name="Name">One to eight letters a to z. Its nodes are NAME-gw, its hosts NAME1, NAME2, …, and NAME-isp where there is a carrier.</param>
/// <param name="Nat">What its router does.</param>
internal sealed record LabSite(string Name, LabNat Nat)
{
    /// <summary>Hosts on the site's LAN.</summary>
    public int Hosts { get; init; } = 1;

    /// <summary>A second NAT in front of the router, with 100.64.0.0/10 (RFC 6598) between them.</summary>
    public LabNat? Carrier { get; init; }

    /// <summary>Packets lost on the way to and from the rest of the Internet, each direction, in percent.</summary>
    public double LossPercent { get; init; }
}
