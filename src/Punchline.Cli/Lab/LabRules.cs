using System.Net;

namespace Punchline.Cli.Lab;

/// <summary>
/// What the lab's routers do, in the language of <c>nft</c>. Mapping and filtering are conntrack's own wherever its
/// behaviour is the wanted one; an endpoint-independent mapping needs memory of its own, which the packets themselves
/// fill: <c>@external</c> (inside socket to external port), <c>@inside</c> (the reverse), <c>@taken</c> (external ports) and
/// <c>@permitted</c> (whom a mapping has sent to).
/// </summary>
internal static class LabRules
{
    /// <summary>RFC 4787 §4.3 REQ-5: a UDP mapping must not expire in less than two minutes.</summary>
    private const int UdpLifeSeconds = 120;

    /// <summary>RFC 5382 §5 REQ-5: an established connection stays for at least 2 hours 4 minutes.</summary>
    private const int TcpLifeSeconds = 7440;

    private const int PerMillion = 1_000_000;

    // More than any test makes flows; each is a line of the router's rules.
    private const int FirstCountedPort = 20_000;
    private const int CountedPorts = 2_048;

    private const string TcpOrUdp = "meta l4proto { tcp, udp }";

    // Who is inside begins; only answers come in.
    private const string Firewall = """
        table ip router {
        chain forward {
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname lan0 accept
        }
        }
        """;

    public static string ForRouter(LabRouter router)
    {
        var nat = router.Nat;
        if (nat.Mapping == NatMapping.None)
            return nat.Filtering == NatFiltering.EndpointIndependent ? "" : Firewall;

        var endpointIndependent = nat.Mapping is NatMapping.EndpointIndependentKeepingPorts or NatMapping.EndpointIndependentRandomPorts;
        var keepsPorts = nat.Mapping is NatMapping.EndpointIndependentKeepingPorts or NatMapping.PerFlowKeepingPorts;
        var addressRestricted = nat.Filtering == NatFiltering.AddressDependent;
        var letsStrangersIn = addressRestricted || nat.Filtering == NatFiltering.EndpointIndependent;
        var accepts = nat.Filtering == NatFiltering.AddressAndPortDependentAccepting;
        var rejects = nat.Filtering == NatFiltering.AddressAndPortDependentRejecting;
        var outside = router.Outside;
        List<string> rules =
        [
            "table ip router {",
            If(endpointIndependent, "map external { typeof meta l4proto . ip saddr . th sport : th dport; flags dynamic,timeout; size 65535; }"),
            If(endpointIndependent, "set taken { typeof meta l4proto . th sport; flags dynamic,timeout; size 65535; }"),
            If(letsStrangersIn, "map inside { type inet_proto . inet_service : ipv4_addr . inet_service; flags dynamic,timeout; size 65535; }"),
            If(addressRestricted, "set permitted { type inet_proto . inet_service . ipv4_addr; flags dynamic,timeout; size 65535; }"),

            "chain forward {",
            "type filter hook forward priority filter; policy drop;",
            "ct state established,related accept",
            "iifname lan0 accept",
            If(letsStrangersIn, "ct status dnat accept"),
            "}",

            "chain input {",
            $"type filter hook input priority filter; policy {(accepts ? "accept" : "drop")};",
            "iifname lo accept",
            "ct state established,related accept",
            $"iifname lan0 ip daddr {outside} drop comment \"no hairpinning\"",
            "iifname lan0 accept",
            "ip protocol icmp accept",
            If(rejects, "meta l4proto tcp reject with tcp reset"),
            If(rejects, "reject"),
            "}",

            "chain inbound {",
            "type nat hook prerouting priority dstnat;",
            If(letsStrangersIn, $"iifname wan0 ip daddr {outside} {TcpOrUdp} {If(addressRestricted, "meta l4proto . th dport . ip saddr @permitted")} dnat ip to meta l4proto . th dport map @inside"),
            "}",

            // The first rule that fits decides; a socket that @external doesn't know falls through to the next.
            "chain outbound {",
            "type nat hook postrouting priority srcnat;",
            "oifname != wan0 return",
            If(endpointIndependent, $"{TcpOrUdp} snat ip to {outside} : meta l4proto . ip saddr . th sport map @external"),
            If(endpointIndependent && keepsPorts, $"meta l4proto . th sport @taken snat ip to {outside} fully-random"),
            .. nat.Mapping == NatMapping.PerFlowCountingPorts ? CountingRules(outside) : [],
            $"snat ip to {outside} {If(!keepsPorts, "fully-random")}",
            "}",

            // Every packet that leaves writes down its flow's mapping, or prolongs it. Its source is already the external one here.
            "chain remember {",
            "type filter hook postrouting priority srcnat + 10;",
            "iifname != lan0 return",
        ];
        foreach (var (protocol, life) in (ReadOnlySpan<(string, int)>)[("udp", UdpLifeSeconds), ("tcp", TcpLifeSeconds)])
        {
            // Where strangers are let in a flow may have begun outside; then the inside socket is the source of the replies.
            foreach (var direction in (ReadOnlySpan<string>)["original", "reply"])
            {
                var when = $"meta l4proto {protocol} ct direction {direction} update";
                var socket = $"ct {direction} ip saddr . ct {direction} proto-src";
                rules.Add(If(endpointIndependent, $"{when} @external {{ meta l4proto . {socket} timeout {life}s : th sport }}"));
                rules.Add(If(letsStrangersIn, $"{when} @inside {{ meta l4proto . th sport timeout {life}s : {socket} }}"));
            }

            rules.Add(If(addressRestricted, $"meta l4proto {protocol} update @permitted {{ meta l4proto . th sport . ip daddr timeout {life}s }}"));
            rules.Add(If(endpointIndependent, $"meta l4proto {protocol} update @taken {{ meta l4proto . th sport timeout {life}s }}"));
        }

        return string.Join('\n', [.. rules.Where(rule => rule.Length > 0), "}", "}"]);
    }

    /// <summary>Loss between the sites and everyone else, in wan, where each packet passes once on its way in and once on its way out.</summary>
    public static string ForWan(IEnumerable<LabNetwork> networks)
    {
        var rules = networks.Where(network => network.Site.LossPercent > 0).SelectMany(network =>
        {
            var lost = $"numgen random mod {PerMillion} < {(long)Math.Round(network.Site.LossPercent / 100 * PerMillion)} drop";
            return new[] { $"iifname {network.WanDevice} {lost}", $"oifname {network.WanDevice} {lost}" };
        }).ToList();
        return rules.Count == 0
            ? ""
            : string.Join('\n', ["table ip internet {", "chain loss {", "type filter hook forward priority filter;", .. rules, "}", "}"]);
    }

    // UDP's ports and TCP's are counted apart.
    private static IEnumerable<string> CountingRules(IPAddress outside)
    {
        var ports = string.Join(", ", Enumerable.Range(0, CountedPorts).Select(i => $"{i} : {FirstCountedPort + i}"));
        return ((string[])["udp", "tcp"]).Select(protocol => $"meta l4proto {protocol} snat ip to {outside} : numgen inc mod {CountedPorts} map {{ {ports} }}");
    }

    private static string If(bool condition, string rule) => condition ? rule : "";
}
