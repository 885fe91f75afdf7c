using Punchline.Simulation.Tcp;

namespace Punchline.Simulation.Nat;

/// <summary>On what a router's choice depends, besides the internal endpoint (RFC 4787 §4.1 for mapping, §5 for filtering).</summary>
internal enum Dependence
{
    EndpointIndependent,
    AddressDependent,
    AddressAndPortDependent,
}

/// <summary>The external port of a new mapping (RFC 4787 §4.2).</summary>
internal enum PortAllocation
{
    /// <summary>The internal port where it is free, else a random one.</summary>
    Preserving,

    /// <summary>Any free port of <see cref="NatBehavior.Ports"/>.</summary>
    Random,

    /// <summary>The next free port of <see cref="NatBehavior.Ports"/>.</summary>
    Sequential,

    /// <summary>
    /// A random free port of the block of <see cref="NatBehavior.BlockSize"/> ports that the internal address got with its first
    /// mapping: how carriers share one address (RFC 7422 §2.2).
    /// </summary>
    Block,
}

/// <summary>What a router does with a packet to its external address that neither a mapping nor its filtering lets in.</summary>
internal enum UnsolicitedPolicy
{
    Drop,

    /// <summary>Answer with ICMP. The packet leaves no state: conntrack confirms an entry only for a packet that it lets through.</summary>
    Reject,

    /// <summary>
    /// Take it as a packet to the router itself. Conntrack then keeps an entry for that peer and port, and the router's own
    /// host that later sends to the peer from this port is moved to another one.
    /// </summary>
    Accept,
}

/// <summary>The first and the last port that a router hands out.</summary>
internal readonly record struct PortRange(ushort First, ushort Last)
{
    public int Count => Last - First + 1;
}

/// <summary>
/// A NAT (or a firewall without one) as data, in the terms of RFC 4787. The presets carry the names of RFC 3489 §5 and of the
/// project's laboratory; every other mix is a <c>with</c> away.
/// </summary>
internal sealed record NatBehavior
{
    /// <summary>False: packets keep their addresses, hosts have public ones, and only <see cref="Filtering"/> stands between.</summary>
    public bool Translates { get; init; } = true;

    /// <summary>
    /// <see cref="Dependence.AddressAndPortDependent"/> with <see cref="PortAllocation.Preserving"/> is what Linux masquerading
    /// does: a mapping for each connection, which reuses its source's external port as long as that stays unique. It passes
    /// for endpoint-independent until something collides.
    /// </summary>
    public Dependence Mapping { get; init; } = Dependence.AddressAndPortDependent;

    public Dependence Filtering { get; init; } = Dependence.AddressAndPortDependent;

    public PortAllocation Allocation { get; init; } = PortAllocation.Preserving;

    /// <summary>Ports for mappings that don't preserve theirs: by default all above the well-known ones, as on Linux.</summary>
    public PortRange Ports { get; init; } = new(1024, 65535);

    /// <summary>Ports that one internal address shares under <see cref="PortAllocation.Block"/>.</summary>
    public int BlockSize { get; init; } = 512;

    /// <summary>Idle life of a flow that was answered. RFC 4787 §4.3: at least 2 minutes; Linux's nf_conntrack_udp_timeout_stream.</summary>
    public TimeSpan MappingLifetime { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Idle life of a flow without an answer so far: Linux's nf_conntrack_udp_timeout.</summary>
    public TimeSpan UnrepliedLifetime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Before a flow is that old, an answer does not count for its life: 2 s on Linux (nf_conntrack_proto_udp.c), so that a question and its answer are
    /// forgotten soon.
    /// </summary>
    public TimeSpan StreamAge { get; init; }

    /// <summary>Whether packets from outside prolong a flow too (RFC 4787 §4.3 leaves it open; conntrack does).</summary>
    public bool InboundRefresh { get; init; } = true;

    /// <summary>Life of a UDP mapping from its first packet on, whatever refreshes it; null: none but the idle one.</summary>
    public TimeSpan? MaxMappingAge { get; init; }

    /// <summary>
    /// A port that is in use towards one destination is given to no other mapping, as carriers do who log what they gave to whom (RFC 6888
    /// §4). Else two destinations may see two hosts at one port, as on Linux.
    /// </summary>
    public bool HasExclusivePorts { get; init; }

    /// <summary>External ports that one inside address has at once, at most (RFC 6888 REQ-4); null: as many as there are.</summary>
    public int? MaxMappingsPerSubscriber { get; init; }

    /// <summary>One more mapping than that takes the oldest one's place. False: there is none.</summary>
    public bool EvictsMappings { get; init; }

    /// <summary>Flows that one inside address has at once, at most (RFC 6888 REQ-5); one more is dropped. Null: as many as there are.</summary>
    public int? MaxSessionsPerSubscriber { get; init; }

    public UnsolicitedPolicy Unsolicited { get; init; } = UnsolicitedPolicy.Drop;

    /// <summary>Whether hosts inside reach each other by external endpoints (RFC 4787 §6).</summary>
    public bool Hairpin { get; init; }

    /// <summary>Flows that the router tracks at once; a new one beyond that is dropped.</summary>
    public int MaxSessions { get; init; } = 65_536;

    /// <summary>Lets no UDP pass, either way.</summary>
    public bool BlocksUdp { get; init; }

    /// <summary>The only TCP ports that connections may lead to from inside; null: all.</summary>
    public IReadOnlyList<ushort>? TcpDestinations { get; init; }

    /// <summary>How TCP is treated, where that is otherwise; null: as UDP.</summary>
    public NatBehavior? Tcp { get; init; }

    /// <summary>Whether a rule keeps in what comes from inside.</summary>
    public bool Blocks(in Packet packet) =>
        packet.Tcp is null ? BlocksUdp : packet.Tcp.Value.Flags == TcpFlags.Syn && TcpDestinations?.Contains(packet.Destination.Port) is false;

    /// <summary>The same router towards TCP. RFC 5382 REQ-5: an established connection lives for 2 h 4 min; a lone SYN, on Linux, for 120 s.</summary>
    public NatBehavior ForTcp() => (Tcp ?? this) with { MappingLifetime = new TimeSpan(2, 4, 0), UnrepliedLifetime = TimeSpan.FromSeconds(120), MaxMappingAge = null };

    /// <summary>Public addresses, nothing in between.</summary>
    public static NatBehavior Open { get; } = new() { Translates = false, Filtering = Dependence.EndpointIndependent };

    /// <summary>Public addresses behind a stateful firewall.</summary>
    public static NatBehavior Firewall { get; } = new() { Translates = false };

    public static NatBehavior FullCone { get; } = new()
    {
        Mapping = Dependence.EndpointIndependent,
        Filtering = Dependence.EndpointIndependent,
    };

    public static NatBehavior AddressRestricted { get; } = new()
    {
        Mapping = Dependence.EndpointIndependent,
        Filtering = Dependence.AddressDependent,
    };

    /// <summary>The laboratory's <c>noudp</c>.</summary>
    public static NatBehavior NoUdp { get; } = new() { BlocksUdp = true };

    /// <summary>The laboratory's <c>web</c>: only what a browser needs leads out.</summary>
    public static NatBehavior WebOnly { get; } = NoUdp with { TcpDestinations = [80, 443] };

    /// <summary>The common home router: Linux masquerading that drops what it did not ask for.</summary>
    public static NatBehavior PortRestricted { get; } = new();

    public static NatBehavior PortRestrictedAccepting { get; } = PortRestricted with { Unsolicited = UnsolicitedPolicy.Accept };

    public static NatBehavior PortRestrictedRejecting { get; } = PortRestricted with { Unsolicited = UnsolicitedPolicy.Reject };

    /// <summary>Port-restricted with one mapping an internal endpoint by construction, whatever collides elsewhere.</summary>
    public static NatBehavior PortRestrictedEndpointIndependent { get; } = new() { Mapping = Dependence.EndpointIndependent };

    /// <summary>Port-restricted, endpoint-independent, and the external port is not the internal one.</summary>
    public static NatBehavior ConeRandomPort { get; } = PortRestrictedEndpointIndependent with { Allocation = PortAllocation.Random };

    public static NatBehavior Symmetric { get; } = new() { Allocation = PortAllocation.Random };

    /// <summary>The laboratory's <c>sym-seq</c>: ports 20000 to 23999 in turn.</summary>
    public static NatBehavior SymmetricSequential { get; } = new() { Allocation = PortAllocation.Sequential, Ports = new(20_000, 23_999) };

    /// <summary>One mapping for each remote address: symmetric to some, a cone to the ports of one server.</summary>
    public static NatBehavior SymmetricAddressDependent { get; } = Symmetric with { Mapping = Dependence.AddressDependent };

    /// <summary>
    /// A carrier's (RFC 6888): it gives a port to one mapping alone, a subscriber 256 ports and 1,024 flows, and forgets what nobody inside
    /// uses for the two minutes of RFC 4787 REQ-5, however much comes from outside (REQ-6).
    /// </summary>
    public static NatBehavior CarrierGrade { get; } = PortRestrictedEndpointIndependent with
    {
        Allocation = PortAllocation.Random,
        HasExclusivePorts = true,
        MaxMappingsPerSubscriber = 256,
        MaxSessionsPerSubscriber = 1_024,
        InboundRefresh = false,
    };

    /// <summary>Symmetric within a block of 512 ports for each subscriber, the first one from port 30000 on.</summary>
    public static NatBehavior SymmetricBlock { get; } = new() { Allocation = PortAllocation.Block, Ports = new(30_000, 65_535) };
}
