using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;

namespace Punchline.Simulation;

/// <summary>Both directions of the link between a site (or a public machine) and what it is attached to.</summary>
internal sealed class Uplink(Link up, Link down)
{
    public Link Up { get; } = up;

    public Link Down { get; } = down;

    public void Set(LinkConditions conditions) => Up.Conditions = Down.Conditions = conditions;

    public void Set(bool isUp) => Up.IsUp = Down.IsUp = isUp;
}

/// <summary>How a site differs from the usual.</summary>
internal sealed record SiteOptions
{
    public LinkConditions Link { get; init; } = LinkConditions.Default;

    /// <summary>The site in whose LAN this one's router sits: a carrier's NAT, or a second router at home. Null: at the core.</summary>
    public Site? Behind { get; init; }

    /// <summary>What stands before the site's IPv6 addresses, which are public: it filters, and translates nothing. Null: there is no IPv6.</summary>
    public NatBehavior? IPv6 { get; init; }

    /// <summary>Whether hosts have IPv4 addresses.</summary>
    public bool HasIPv4 { get; init; } = true;

    /// <summary>The site's NAT takes IPv6 packets to 64:ff9b::/96 to IPv4 (RFC 6146).</summary>
    public bool HasNat64 { get; init; }

    /// <summary>The LAN's /24 as its first address, such as <c>192.168.1.0</c>; several sites may have the same. Null: one of its own.</summary>
    public string? Lan { get; init; }
}

/// <summary>A LAN with its router. The LAN is a switch without delay or loss worth simulating; the uplink has both.</summary>
internal sealed class Site
{
    /// <summary>Addresses .10 to .249 of the /24.</summary>
    public const int MaxMembers = 240;

    private const int FirstHost = 10;

    private readonly Dictionary<UInt128, Machine> _machines = [];
    private readonly Dictionary<UInt128, Site> _routers = []; // of the sites behind this one, by their external address
    private int _members;

    internal Site(string name, NatTranslator nat, NatTranslator tcpNat, Uplink uplink, SiteOptions options, UInt128 lan, NatTranslator? firewall, NatTranslator? tcpFirewall, UInt128 ipv6Lan)
    {
        Name = name;
        RouterName = name + "-gw";
        Nat = nat;
        TcpNat = tcpNat;
        Uplink = uplink;
        Behind = options.Behind;
        HasIPv4 = options.HasIPv4;
        HasNat64 = options.HasNat64;
        Lan = lan;
        IPv6Firewall = firewall;
        IPv6TcpFirewall = tcpFirewall;
        IPv6Lan = ipv6Lan;
    }

    public string Name { get; }

    public string RouterName { get; }

    public Uplink Uplink { get; }

    public Site? Behind { get; }

    /// <summary>The router's address on its uplink: public, or one of the LAN of <see cref="Behind"/>.</summary>
    public UInt128 ExternalAddress => Nat.ExternalAddress;

    /// <summary>The LAN's first address.</summary>
    public UInt128 Lan { get; }

    /// <summary>The /64's first address, whether there is IPv6 or not.</summary>
    public UInt128 IPv6Lan { get; }

    public bool HasIPv4 { get; }

    public bool HasNat64 { get; }

    internal NatTranslator Nat { get; }

    /// <summary>Set: its router lets no UDP pass from now on, whatever it did before.</summary>
    public bool BlocksUdp { get; set; }

    /// <summary>Flows and ports of TCP are its own.</summary>
    internal NatTranslator TcpNat { get; }

    internal NatTranslator? IPv6Firewall { get; }

    internal NatTranslator? IPv6TcpFirewall { get; }

    /// <summary>What a packet to there, which may be written otherwise in it, passes; null where the site has no such family.</summary>
    internal NatTranslator? RouterFor(in Packet packet, Endpoint destination) => (destination.IsIPv4, packet.Tcp) switch
    {
        (true, null) => Nat,
        (true, _) => TcpNat,
        (false, null) => IPv6Firewall,
        (false, _) => IPv6TcpFirewall,
    };

    /// <summary>Whether an address of a host is the core's to know, because nothing translates it.</summary>
    internal bool IsPublic(UInt128 address) => (new Endpoint(address, 0).IsIPv4 ? Nat : IPv6Firewall) is { Behavior.Translates: false };

    /// <summary>Where the internal port is preserved, the external endpoint of a host that has it to itself.</summary>
    public Endpoint ExternalAt(ushort port) => new(ExternalAddress, port);

    internal bool IsOnLan(UInt128 address) => address >> 8 == Lan >> 8 || address >> 64 == IPv6Lan >> 64;

    internal UInt128 NextAddress() => Lan + NextHost();

    /// <summary>A host's addresses: IPv4 before IPv6, of the families that there are.</summary>
    internal IReadOnlyList<UInt128> NextAddresses()
    {
        var host = NextHost();
        return [.. HasIPv4 ? [Lan + host] : Array.Empty<UInt128>(), .. IPv6Firewall is null ? Array.Empty<UInt128>() : [IPv6Lan + host]];
    }

    private UInt128 NextHost() => _members < MaxMembers
        ? (UInt128)(FirstHost + _members++)
        : throw new InvalidOperationException($"{Name}: more than {MaxMembers} members.");

    internal void Add(Machine machine)
    {
        foreach (var address in machine.Addresses) _machines.Add(address, machine);
    }

    internal void Add(Site site) => _routers.Add(site.ExternalAddress, site);

    internal void Remove(Machine machine)
    {
        foreach (var address in machine.Addresses) _machines.Remove(address);
    }

    internal void Remove(Site site) => _routers.Remove(site.ExternalAddress);

    /// <summary>In the order of adding.</summary>
    internal IEnumerable<Machine> Machines => _machines.Values;

    internal Machine? FindMachine(UInt128 address) => _machines.GetValueOrDefault(address);

    internal Site? FindRouter(UInt128 address) => _routers.GetValueOrDefault(address);
}
