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

    internal Site(string name, NatTranslator nat, Uplink uplink, Site? behind, UInt128 lan)
    {
        Name = name;
        RouterName = name + "-gw";
        Nat = nat;
        Uplink = uplink;
        Behind = behind;
        Lan = lan;
    }

    public string Name { get; }

    public string RouterName { get; }

    public Uplink Uplink { get; }

    public Site? Behind { get; }

    /// <summary>The router's address on its uplink: public, or one of the LAN of <see cref="Behind"/>.</summary>
    public UInt128 ExternalAddress => Nat.ExternalAddress;

    /// <summary>The LAN's first address.</summary>
    public UInt128 Lan { get; }

    internal NatTranslator Nat { get; }

    /// <summary>Where the internal port is preserved, the external endpoint of a host that has it to itself.</summary>
    public Endpoint ExternalAt(ushort port) => new(ExternalAddress, port);

    internal bool IsOnLan(UInt128 address) => address >> 8 == Lan >> 8;

    internal UInt128 NextAddress() => _members < MaxMembers
        ? Lan + (UInt128)(FirstHost + _members++)
        : throw new InvalidOperationException($"{Name}: more than {MaxMembers} members.");

    internal void Add(Machine machine) => _machines.Add(machine.Address, machine);

    internal void Add(Site site) => _routers.Add(site.ExternalAddress, site);

    internal void Remove(Machine machine) => _machines.Remove(machine.Address);

    internal void Remove(Site site) => _routers.Remove(site.ExternalAddress);

    /// <summary>In the order of adding.</summary>
    internal IEnumerable<Machine> Machines => _machines.Values;

    internal Machine? FindMachine(UInt128 address) => _machines.GetValueOrDefault(address);

    internal Site? FindRouter(UInt128 address) => _routers.GetValueOrDefault(address);
}
