using System.Net;

namespace Punchline.Cli.Lab;

/// <summary>
/// The two ends of a cable between a router or server (child) and what it hangs on (parent). The parent reaches all the
/// child's addresses through it; the first is the one that the child sends from.
/// </summary>
internal sealed record LabUplink(
    string Child, string ChildDevice, string ChildMac, IReadOnlyList<IPAddress> ChildAddresses,
    string Parent, string ParentDevice, string ParentMac, IPAddress ParentAddress);

/// <summary>A NAT, or the plain router of an open site: it forwards between <c>wan0</c> and <c>lan0</c>.</summary>
internal sealed record LabRouter(string Node, LabNat Nat, IPAddress Outside);

/// <summary>A host on a site's LAN.</summary>
internal sealed record LabHost(string Node, IPAddress Address, string Mac, string RouterPort);

/// <summary>A site with everything numbered.</summary>
internal sealed record LabNetwork(LabSite Site, LabRouter Router, LabRouter? Carrier, IPAddress LanAddress, int PrefixLength, IReadOnlyList<LabHost> Hosts)
{
    public string WanDevice => "v-" + Site.Name;
}

/// <summary>
/// Names and addresses of a small internet, all from ranges that are nobody's: documentation (RFC 5737), shared address
/// space (RFC 6598) and private LANs (RFC 1918).
/// <code>
///   s1 203.0.113.10, .11 ──┐         ┌── 198.51.100.11 a-gw 192.168.1.1 ── a1 192.168.1.10, a2 …
///   s2 203.0.113.20, .21 ──┤── wan ──┤
///                          │         └── 198.51.100.12 b-isp 100.64.2.1 ── 100.64.2.2 b-gw 192.168.2.1 ── b1 192.168.2.10
///                          └── 198.51.100.13 c-gw 203.0.113.89 ── c1 203.0.113.90      (an open site)
/// </code>
/// Every line is a cable of its own, so a packet from host to host passes gateway, wan, gateway: sent with a TTL of 2 it
/// dies in wan, having opened its own side's NAT and touched nothing of the peer's.
/// </summary>
internal sealed class LabTopology
{
    /// <summary>Open sites take 8 addresses each from 203.0.113.64 on, above the servers: (256 - 64) / 8 = 24, less number 0.</summary>
    public const int MaximumSites = 23;

    /// <summary>A /29 has 6 usable addresses, one of them the router's.</summary>
    public const int MaximumHosts = 5;

    public const string Wan = "wan";

    private const int MaximumNameLength = 8; // NAME-isp and v-NAME must fit a device's 15 characters
    private static readonly IPAddress WanAddress = new([198, 51, 100, 1]);

    private LabTopology(IReadOnlyList<LabNetwork> networks)
    {
        Networks = networks;
        List<LabUplink> uplinks = [ServerUplink(1), ServerUplink(2)];
        foreach (var (index, network) in networks.Index())
            uplinks.AddRange(SiteUplinks(network, index + 1));
        Uplinks = uplinks;

        var addresses = new Dictionary<string, IReadOnlyList<IPAddress>>(StringComparer.Ordinal) { [Wan] = [WanAddress] };
        foreach (var uplink in uplinks)
            addresses[uplink.Child] = uplink.ChildAddresses;
        foreach (var host in networks.SelectMany(network => network.Hosts))
            addresses[host.Node] = [host.Address];
        Addresses = addresses;
    }

    public IReadOnlyList<LabNetwork> Networks { get; }

    public IReadOnlyList<LabUplink> Uplinks { get; }

    /// <summary>Every node with its addresses; a router's are the outside ones.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<IPAddress>> Addresses { get; }

    /// <exception cref="ArgumentException">A name is unusable or used twice, a limit is passed, or an open site has a carrier NAT.</exception>
    public static LabTopology Of(IReadOnlyList<LabSite> sites)
    {
        if (sites.Count > MaximumSites)
            throw new ArgumentException($"A lab has at most {MaximumSites} sites.", nameof(sites));
        if (sites.DistinctBy(site => site.Name, StringComparer.Ordinal).Count() != sites.Count)
            throw new ArgumentException("Two sites have the same name.", nameof(sites));
        foreach (var site in sites)
        {
            // s: its hosts would be called s1 and s2, like the servers
            if (site.Name.Length is 0 or > MaximumNameLength || site.Name.Any(c => !char.IsAsciiLetterLower(c)) || site.Name is "s" or Wan)
                throw new ArgumentException($"'{site.Name}' is no name for a site: want one to {MaximumNameLength} letters a to z, not s, not wan.", nameof(sites));
            if (site.Hosts is < 1 or > MaximumHosts)
                throw new ArgumentException($"Site {site.Name} has {site.Hosts} hosts: want 1 to {MaximumHosts}.", nameof(sites));
            if (site.LossPercent is not (>= 0 and <= 100))
                throw new ArgumentException($"Site {site.Name} loses {site.LossPercent} %: want 0 to 100.", nameof(sites));
            if (site.Carrier is { } carrier && (HasPublicAddresses(site.Nat) || HasPublicAddresses(carrier)))
                throw new ArgumentException($"Site {site.Name}: without a NAT there is nothing for a carrier to translate.", nameof(sites));
        }

        return new([.. sites.Select((site, index) => Number(site, index + 1))]);
    }

    public static bool HasPublicAddresses(LabNat nat) => nat.Mapping == NatMapping.None;

    private static LabNetwork Number(LabSite site, int number)
    {
        var open = HasPublicAddresses(site.Nat);
        byte[] lan = open ? [203, 0, 113, (byte)(64 + 8 * number)] : [192, 168, (byte)number, 0];
        var hosts = Enumerable.Range(1, site.Hosts).Select(k => new LabHost(
            $"{site.Name}{k}",
            Plus(lan, open ? 1 + k : 9 + k),
            Mac(kind: 2, number, k),
            $"h{k}"));
        var onTheInternet = new IPAddress([198, 51, 100, (byte)(10 + number)]);
        var behindCarrier = new IPAddress([100, 64, (byte)number, 2]);
        return new(
            site,
            new($"{site.Name}-gw", site.Nat, site.Carrier is null ? onTheInternet : behindCarrier),
            site.Carrier is { } carrier ? new($"{site.Name}-isp", carrier, onTheInternet) : null,
            Plus(lan, 1),
            open ? 29 : 24,
            [.. hosts]);
    }

    private static LabUplink ServerUplink(int number) => new(
        $"s{number}", "eth0", Mac(kind: 0, number, 1), [new([203, 0, 113, (byte)(10 * number)]), new([203, 0, 113, (byte)(10 * number + 1)])],
        Wan, $"v-s{number}", Mac(kind: 0, number, 2), WanAddress);

    private static IEnumerable<LabUplink> SiteUplinks(LabNetwork network, int number)
    {
        var outermost = network.Carrier ?? network.Router;
        yield return new(
            outermost.Node, "wan0", Mac(kind: 1, number, 1), [outermost.Outside],
            Wan, network.WanDevice, Mac(kind: 1, number, 2), WanAddress);
        if (network.Carrier is { } carrier)
        {
            yield return new(
                network.Router.Node, "wan0", Mac(kind: 1, number, 3), [network.Router.Outside],
                carrier.Node, "lan0", Mac(kind: 1, number, 4), new([100, 64, (byte)number, 1]));
        }
    }

    /// <summary>A locally administered address (IEEE 802: bit 1 of the first octet).</summary>
    private static string Mac(int kind, int number, int end) => $"02:00:00:{kind:x2}:{number:x2}:{end:x2}";

    private static IPAddress Plus(byte[] network, int offset) => new([network[0], network[1], network[2], (byte)(network[3] + offset)]);
}
