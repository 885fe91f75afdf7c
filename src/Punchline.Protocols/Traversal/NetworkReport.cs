using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>What the network between a machine and the internet is, as far as an examination has found it out: null and Unknown are not no.</summary>
internal sealed record NetworkReport
{
    /// <summary>STUN servers that were asked, and those that answered.</summary>
    public int ServersAsked { get; init; }

    public int ServersAnswered { get; init; }

    /// <summary>A server has a second address, which filters show by.</summary>
    public bool HasAlternate { get; init; }

    /// <summary>Whether UDP gets out and back. False where a server answers by TCP alone.</summary>
    public bool? Udp { get; init; }

    /// <summary>The router that says that it lets no UDP out.</summary>
    public Endpoint? UdpRejectedBy { get; init; }

    /// <summary>One that says so would have been heard.</summary>
    public bool HearsRejections { get; init; }

    /// <summary>What becomes of UDP where it does not get out.</summary>
    public Refusal UdpRefusal => Udp is not false ? Refusal.Unknown : UdpRejectedBy is not null ? Refusal.Rejects : HearsRejections ? Refusal.Drops : Refusal.Unknown;

    /// <summary>Whether TCP gets to a server's STUN.</summary>
    public bool? Tcp { get; init; }

    /// <summary>TCP leads to the ports that browsers use, and not to the server's, where no server answers.</summary>
    public bool? IsWebOnly { get; init; }

    public IReadOnlyList<HostAddress> HostAddresses { get; init; } = [];

    /// <summary>Where servers see the UDP socket.</summary>
    public IReadOnlyList<Endpoint> Reflexive { get; init; } = [];

    /// <summary>Where a server sees the TCP port, by IPv4.</summary>
    public Endpoint? TcpReflexive { get; init; }

    /// <summary>And by IPv6.</summary>
    public Endpoint? TcpReflexiveIPv6 { get; init; }

    /// <summary>IPv4's mapping and allocation, for UDP.</summary>
    public NetworkProfile Profile { get; init; } = NetworkProfile.Unknown;

    /// <summary>IPv4's filtering.</summary>
    public FilteringBehavior Filtering { get; init; }

    /// <summary>What becomes of packets that come unasked over IPv4, and are not let in, as a server hears of it.</summary>
    public Refusal Unsolicited { get; init; }

    /// <summary>The router takes packets that come unasked for its own, and moves the port of the host that they were for.</summary>
    public bool? IsMovedByUnsolicited { get; init; }

    public bool? Hairpins { get; init; }

    /// <summary>Of TCP, over IPv4.</summary>
    public MappingBehavior TcpMapping => Profile.TcpMapping;

    public PortMapperStatus Gateway { get; init; }

    /// <summary>The UDP port that somebody chose; 0 for any.</summary>
    public ushort ChosenPort { get; init; }

    /// <summary>The router forwards it to this machine. Null: not known, or there is no need, since the port is kept.</summary>
    public bool? IsForwarded { get; init; }

    /// <summary>Whether the gateway's other side is behind another NAT, by what it says itself.</summary>
    public bool? IsBehindSecondNat { get; init; }

    /// <summary>The first routers on the way out, null for those that do not answer.</summary>
    public IReadOnlyList<Endpoint?> Routers { get; init; } = [];

    public FilteringBehavior IPv6Filtering { get; init; }

    /// <summary>The shortest round trip to a server.</summary>
    public TimeSpan? ServerRoundTrip { get; init; }

    /// <summary>Nothing more is asked.</summary>
    public bool IsComplete { get; init; }

    public Endpoint? IPv4 => Reflexive.Where(seen => seen.IsIPv4).Select(seen => (Endpoint?)seen).FirstOrDefault();

    /// <summary>An interface has an IPv6 address of the internet's.</summary>
    public bool HasIPv6 => HostAddresses.Any(host => !host.Endpoint.IsIPv4 && !AddressScope.IsLoopback(host.Endpoint) && !AddressScope.IsPrivate(host.Endpoint));

    /// <summary>Whether it leads anywhere. Null: there is none, or no server to ask by it.</summary>
    public bool? IPv6Reaches => Reflexive.Any(seen => !seen.IsIPv4) || TcpReflexiveIPv6 is not null ? true : null;

    /// <summary>Whether IPv4 addresses are translated on the way out.</summary>
    public bool? IsTranslated => IPv4 is { } seen ? !HostAddresses.Any(host => host.Endpoint.Address == seen.Address) : null;

    /// <summary>A port of ours that the gateway maps, where that leads to the internet, or that it is known to forward.</summary>
    public Endpoint? Mapped => IsForwarded is true ? IPv4?.WithPort(ChosenPort) : IsBehindSecondNat is true ? null : Gateway.Udp;

    /// <summary>The same of the TCP port.</summary>
    public Endpoint? MappedTcp => IsBehindSecondNat is true ? null : Gateway.Tcp;

    /// <summary>
    /// NATs in a row, 2 standing for more as well. The gateway's word is certain; else a router on the way that has an address of the range that is
    /// reserved for the inside of carriers' NATs (RFC 6598) shows one. Null: one or more, or not known.
    /// </summary>
    public int? NatLayers => IsTranslated switch
    {
        null => null,
        false => 0,
        true => IsBehindSecondNat switch
        {
            true => 2,
            false => 1,
            null => IsBehindCarrier ? 2 : null,
        },
    };

    /// <summary>Behind our own router there is one with an address of RFC 6598's.</summary>
    public bool IsBehindCarrier => Routers.Skip(1).Any(router => router is { } shown && AddressScope.IsCarrierShared(shown))
        || (Gateway.ExternalAddress is { } external && AddressScope.IsCarrierShared(external));

    /// <summary>Whether it says the same: lists by what is in them.</summary>
    public bool IsSameAs(NetworkReport? other) => other is not null
        && HostAddresses.SequenceEqual(other.HostAddresses) && Reflexive.SequenceEqual(other.Reflexive) && Routers.SequenceEqual(other.Routers)
        && this with { HostAddresses = [], Reflexive = [], Routers = [] } == other with { HostAddresses = [], Reflexive = [], Routers = [] };

    /// <summary>What a plan between this network and another needs to know.</summary>
    public NetworkTraits Traits => new(Profile, Filtering)
    {
        Udp = Udp,
        IsMapped = Mapped is not null,
        IsTcpMapped = MappedTcp is not null,
        Tcp = Tcp,
        HasIPv6 = HasIPv6 && IPv6Reaches is true,
    };
}
