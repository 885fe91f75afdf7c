using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>What would help, and what is not known.</summary>
internal static class DoctorAdvice
{
    public static IReadOnlyList<Advice> Of(NetworkReport report)
    {
        List<Advice> advice = [];
        if (report is { Tcp: not true, IsWebOnly: true })
        {
            advice.Add(new("port-443", "Use a server at port 443 (punchline serve 443), and have peers that have a public address, or a router that forwards port 443, run with --tcp-port 443."));
            advice.Add(AllowUdp(hasIPv6: false));
        }
        else if (report.Udp is false)
        {
            advice.Add(AllowUdp(report.IPv6Reaches is true));
        }
        else if (report.Profile.IsSymmetric && report.Mapped is null)
        {
            AddForSymmetric(report, advice);
        }
        else if (report.IsBehindSecondNat is true && report.Mapped is null)
        {
            advice.Add(new("second-nat", "The router is behind another NAT: a port that it maps leads nowhere, so none is told to peers. If both are yours, switch the outer one to bridge mode: then a mapped port lets in everybody."));
        }
        return advice;
    }

    public static IReadOnlyList<Advice> UnknownOf(NetworkReport report)
    {
        if (report.ServersAsked == 0)
            return [new("no-server", "How the router treats peers only a server outside can tell: --server HOST (one that runs `punchline serve`), or --stun HOST, twice with different servers.")];
        if (report is { Tcp: not true, IsWebOnly: true })
            return [new("server", "Everything else: only a server at port 443 can be asked from here.")];
        if (report.ServersAnswered == 0 && report.Tcp is not true)
            return [new("no-answer", "The server may be down, or this network lets only browsers out. Try another server, or one at port 443.")];
        List<Advice> unknown = [];
        if (report.IPv4 is not null && report.Profile.Mapping is MappingBehavior.Unknown or MappingBehavior.NotPortDependent)
            unknown.Add(new("mapping", "Whether other addresses see another port: a second server (--stun again), or one with --alternate, shows it."));
        if (report.IPv4 is not null && report.Filtering == FilteringBehavior.Unknown)
            unknown.Add(new("filtering", "Whom the router lets in: a server with a second address (punchline serve --alternate) shows it."));
        if (report is { TcpReflexive: not null, TcpMapping: MappingBehavior.Unknown })
            unknown.Add(new("tcp-mapping", "Whether TCP has one port for all: a server with a second address shows it."));
        if (report is { IsTranslated: true, NatLayers: null })
            unknown.Add(new("nat-layers", "Whether there is a second NAT: the router does not say what its outside address is."));
        if (report.HasIPv6 && report.IPv6Reaches is null) unknown.Add(new("ipv6", "Whether IPv6 leads anywhere: no server was asked by it, or none answered."));
        else if (report.IPv6Reaches is true && report.IPv6Filtering == FilteringBehavior.Unknown) unknown.Add(new("ipv6-firewall", "Whether IPv6 has a firewall: a server with two IPv6 addresses shows it."));
        return unknown;
    }

    private static Advice AllowUdp(bool hasIPv6) => new(
        "allow-udp", $"Allow outgoing UDP in this network's firewall. Until then peers are met over TCP alone, if {(hasIPv6 ? "they have IPv6, or " : "")}theirs have one port for all.");

    private static void AddForSymmetric(NetworkReport report, List<Advice> advice)
    {
        if (report.IsForwarded is false)
        {
            advice.Add(new("forward", $"Forward UDP port {report.ChosenPort} in the router to the same port of this machine{AddressOf(report)}: so far it does not come in."));
        }
        else if (report.NatLayers == 2)
        {
            advice.Add(new("public-address", "Two NATs are in the way, so mapping a port in your own router does not help. If both are yours, switch one of them to bridge mode; else ask the provider for a public IPv4 address, or for IPv6."));
        }
        else if (new[] { report.Gateway.Pcp, report.Gateway.NatPmp, report.Gateway.Upnp }.Any(support => support is GatewaySupport.Speaks or GatewaySupport.Refuses))
        {
            advice.Add(new("allow-mapping", "The router is asked to map ports, and maps none: allow it there (PCP, NAT-PMP or UPnP), and everybody can be met."));
        }
        else
        {
            advice.Add(new("enable-mapping", $"Switch on UPnP, NAT-PMP or PCP in the router. Or forward a UDP port there to the same port of this machine{AddressOf(report)}, and name it with --udp-port. Then everybody can be met."));
        }
        advice.Add(new("ipv6", "IPv6 on both sides gets around it as well."));
    }

    private static string AddressOf(NetworkReport report) =>
        report.HostAddresses.Select(host => host.Endpoint).FirstOrDefault(host => host.IsIPv4 && !AddressScope.IsLoopback(host)) is { IsIPv4: true } address ? $" ({address.ToIPAddress()})" : "";
}
