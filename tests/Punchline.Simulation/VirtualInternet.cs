using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tcp;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation;

/// <summary>
/// A whole internet in one thread and in virtual time. All chance comes from the seed and all order from the queue, so one
/// seed is one run, to the byte: <see cref="Trace"/>'s hash proves it.
/// </summary>
/// <remarks>
/// Packets between two sites pass three hops, as in the laboratory: the sender's router, the core, the peer's router. Each NAT
/// layer in front of a site adds one. A time-to-live of 2 dies in the core; one of 3 reaches the peer's router and ends there.
/// </remarks>
internal sealed partial class VirtualInternet(ulong seed) : IDisposable
{
    /// <summary>Sites with an external address at the core, 198.51.100.11 to .250 (RFC 5737).</summary>
    public const int MaxSites = 240;

    /// <summary>Machines at the core, 203.0.113.10 to .249 (RFC 5737).</summary>
    public const int MaxServers = 240;

    private readonly SeededRandom _seeds = new(seed);
    private readonly List<Machine> _machines = [];
    private readonly Dictionary<UInt128, Machine> _servers = [];
    private readonly Dictionary<UInt128, Site> _routes = []; // of the core: routers' external addresses, and hosts without NAT
    private int _sites;
    private int _externalAddresses;

    public ulong Seed { get; } = seed;

    public Trace Trace { get; } = new();

    /// <summary>A random source of its own for whoever asks: what one draws does not change what another gets.</summary>
    public IRandomSource NewRandom() => new SeededRandom(_seeds.NextUInt64());

    /// <summary>A LAN and its router. Where the behaviour does not translate, the LAN's addresses are public.</summary>
    public Site AddSite(string name, NatBehavior nat, SiteOptions? options = null)
    {
        options ??= new SiteOptions();
        if (options.IPv6 is { Translates: true }) throw new ArgumentException("IPv6 is not translated here.", nameof(options));
        if (options is { IPv6: not null, Behind: not null }) throw new ArgumentException("With IPv6 a site must be at the core.", nameof(options));
        if (!nat.Translates && options.Behind is not null) throw new ArgumentException("Without translation a site must be at the core.", nameof(nat));
        var number = ++_sites;
        // Private LANs 192.168.n.0/24 (RFC 1918), a carrier's 100.64.n.0/24 by option (RFC 6598), public ones from 198.18.0.0/15 (RFC 2544).
        var lan = Endpoint.Parse($"{options.Lan ?? (nat.Translates ? $"192.168.{number}.0" : $"198.18.{number}.0")}:0").Address;
        var external = options.Behind?.NextAddress() ?? NextExternalAddress();
        // From documentation's 2001:db8::/32 (RFC 3849).
        var ipv6Lan = Endpoint.Parse($"[2001:db8:{number:x}::]:0").Address;
        var translator = new NatTranslator(nat, external, NewRandom());
        var tcpTranslator = new NatTranslator(nat.ForTcp(), external, TcpRandom(external));
        var uplink = NewUplink(name, options.Link);
        // Drawn last, so that sites without IPv6 are what they were.
        var firewall = options.IPv6 is { } ipv6 ? new NatTranslator(ipv6, ipv6Lan, NewRandom()) : null;
        var tcpFirewall = options.IPv6 is { } ofTcp ? new NatTranslator(ofTcp.ForTcp(), ipv6Lan, TcpRandom(ipv6Lan)) : null;
        var site = new Site(name, translator, tcpTranslator, uplink, options, lan, firewall, tcpFirewall, ipv6Lan);
        Attach(site);
        return site;
    }

    /// <summary>A host in a site's LAN: .10, .11 and so on.</summary>
    public Machine AddMachine(string name, Site site)
    {
        var machine = new Machine(name, site.NextAddresses(), site, uplink: null, NewTcp);
        Settle(machine, site);
        _machines.Add(machine);
        return machine;
    }

    /// <summary>A site's router as a host of its LAN, at .1: whom gateways' protocols ask.</summary>
    public Machine AddRouterHost(Site site)
    {
        var machine = new Machine(site.RouterName + "-host", [site.Lan + 1], site, uplink: null, NewTcp);
        site.Add(machine);
        _machines.Add(machine);
        return machine;
    }

    /// <summary>A host leaves its site's LAN for another's, as a telephone goes from one network to the next. Its sockets stay, and it is not told.</summary>
    public void Move(Machine machine, Site site)
    {
        if (machine.Site is not { } old) throw new ArgumentException("A machine at the core stays where it is.", nameof(machine));
        old.Remove(machine);
        foreach (var address in machine.Addresses) _routes.Remove(address);
        machine.MoveTo(site, site.NextAddresses());
        Settle(machine, site);
    }

    /// <summary>A public machine at the core, with no router of its own.</summary>
    public Machine AddServer(string name, LinkConditions? link = null, bool hasIPv6 = false)
    {
        var number = _machines.Count(known => known.Site is null);
        if (number == MaxServers) throw new InvalidOperationException($"More than {MaxServers} servers.");
        var address = Endpoint.Parse($"203.0.113.{10 + number}:0").Address;
        var ipv6 = Endpoint.Parse($"[2001:db8:ffff::{10 + number:x}]:0").Address;
        var machine = new Machine(name, hasIPv6 ? [address, ipv6] : [address], site: null, NewUplink(name, link ?? LinkConditions.Default), NewTcp);
        foreach (var one in machine.Addresses) _servers.Add(one, machine);
        _machines.Add(machine);
        return machine;
    }

    /// <summary>Reliable, ordered messages between two parties, such as a peer and the coordination server.</summary>
    public ReliableChannel OpenChannel(string first, string second, TimeSpan delay) => new(this, first, second, delay);

    /// <summary>A router restarts: it forgets its mappings and, unless told to keep it, gets another external address.</summary>
    public void Rebind(Site site, bool keepAddress = false)
    {
        var old = site.ExternalAddress;
        Detach(site);
        site.IPv6Firewall?.Rebind(site.IPv6Lan);
        site.IPv6TcpFirewall?.Rebind(site.IPv6Lan);
        var address = keepAddress ? old : site.Behind?.NextAddress() ?? NextExternalAddress();
        site.Nat.Rebind(address);
        site.TcpNat.Rebind(address);
        Attach(site);
        Trace.Record(new(Now, site.RouterName, Verdict.Rebound, new(old, 0), new(site.ExternalAddress, 0), 0, default, 0));
    }

    public void Dispose() => Trace.Dispose();

    // What is not translated the core knows a way to.
    private void Settle(Machine machine, Site site)
    {
        site.Add(machine);
        foreach (var address in machine.Addresses)
        {
            if (site.IsPublic(address)) _routes.Add(address, site);
        }
    }

    private TcpStack NewTcp(Machine machine) => new(
        machine, TcpRandom(machine.Address), () => Now, packet => Send(machine, packet),
        (at, action) => Push(at, () =>
        {
            action();
            Drain(machine);
        }));

    // Not from the row of seeds: a run in which TCP takes no part stays the run that it was.
    private SeededRandom TcpRandom(UInt128 address) => new(Seed ^ (ulong)address ^ 0x7463_7000_0000_0000);

    private void Attach(Site site)
    {
        if (site.Behind is { } parent) parent.Add(site);
        else _routes.Add(site.ExternalAddress, site);
    }

    private void Detach(Site site)
    {
        if (site.Behind is { } parent) parent.Remove(site);
        else _routes.Remove(site.ExternalAddress);
    }

    private UInt128 NextExternalAddress() => _externalAddresses < MaxSites
        ? Endpoint.Parse($"198.51.100.{11 + _externalAddresses++}:0").Address
        : throw new InvalidOperationException($"More than {MaxSites} external addresses.");

    private Uplink NewUplink(string name, LinkConditions conditions) =>
        new(new Link(name + "-up", conditions, NewRandom()), new Link(name + "-down", conditions, NewRandom()));
}
