using System.Globalization;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>The facts in words.</summary>
internal static class DoctorFindings
{
    public static IReadOnlyList<Finding> Of(NetworkReport report)
    {
        List<Finding> findings =
        [
            new("UDP", UdpOf(report)),
            new("TCP", TcpOf(report)),
        ];
        if (report.IPv4 is not null)
        {
            findings.Add(new("mapping", MappingOf(report.Profile)));
            findings.Add(new("ports", PortsOf(report.Profile)));
            findings.Add(new("lets in", FilteringOf(report)));
            findings.Add(new("NATs", report.NatLayers switch { 0 => "none", 1 => "one", null => report.IsTranslated is true ? "one at least" : null, _ => "two, one behind the other" }));
            if (report.IsTranslated is true) findings.Add(new("hairpin", report.Hairpins switch { true => "yes: hosts reach each other by outside addresses", false => "no", null => null }));
        }
        findings.Add(new("gateway", GatewayOf(report)));
        if (report.IsForwarded is { } isForwarded) findings.Add(new("forward", $"UDP port {report.ChosenPort} {(isForwarded ? "is forwarded to this machine" : "is not forwarded to this machine")}"));
        findings.Add(new("IPv6", IPv6Of(report)));
        return findings;
    }

    private static string? UdpOf(NetworkReport report) => report switch
    {
        { Udp: true } => $"gets out{RoundTripOf(report)}",
        { UdpRefusal: Refusal.Rejects, UdpRejectedBy: { } router } => $"does not get out: {router.ToIPAddress()} rejects it, and says so (ICMP)",
        { UdpRefusal: Refusal.Drops } => "does not get out: it is dropped, and nothing says so",
        { Udp: false } => "does not get out",
        _ => null,
    };

    private static string RoundTripOf(NetworkReport report) =>
        report.ServerRoundTrip is { } roundTrip ? string.Create(CultureInfo.InvariantCulture, $"; the server is {roundTrip.TotalMilliseconds:0.#} ms away") : "";

    private static string? TcpOf(NetworkReport report) => report.Tcp is not true ? null : report.TcpReflexive is null ? "gets out, by IPv6" : report.TcpMapping switch
    {
        MappingBehavior.EndpointIndependent => "gets out, from one port for all",
        MappingBehavior.AddressDependent or MappingBehavior.AddressAndPortDependent => "gets out, from another port for every destination",
        _ => "gets out; its mapping is not known",
    };

    private static string? MappingOf(NetworkProfile profile) => profile.Mapping switch
    {
        MappingBehavior.EndpointIndependent => "one port for all destinations",
        MappingBehavior.AddressDependent => "another port for every address",
        MappingBehavior.AddressAndPortDependent => "another port for every destination",
        MappingBehavior.NotPortDependent => "one port for one address; of others nothing is known",
        _ => null,
    };

    private static string? PortsOf(NetworkProfile profile) => profile.Allocation switch
    {
        PortAllocation.Preserved => "kept as they are",
        PortAllocation.Sequential => string.Create(CultureInfo.InvariantCulture, $"counted, by {profile.Step:+0;-0}"),
        PortAllocation.Random when profile.Ports <= 2 * MappingObservations.MaxBlock => string.Create(CultureInfo.InvariantCulture, $"drawn from about {profile.Ports:N0}, near {profile.FirstPort} to {profile.LastPort}"),
        PortAllocation.Random => "drawn from all",
        _ => profile.Mapping == MappingBehavior.EndpointIndependent ? "changed" : null,
    };

    private static string? FilteringOf(NetworkReport report) => FilteringOf(report.Filtering) is { } who
        ? $"{who}{report.Unsolicited switch { Refusal.Drops => "; drops what others send", Refusal.Rejects => "; rejects what others send (ICMP)", _ => "" }}"
        : null;

    private static string? FilteringOf(FilteringBehavior filtering) => filtering switch
    {
        FilteringBehavior.EndpointIndependent => "anybody",
        FilteringBehavior.AddressDependent => "addresses that were sent to",
        FilteringBehavior.AddressAndPortDependent => "addresses and ports that were sent to",
        _ => null,
    };

    private static string? GatewayOf(NetworkReport report)
    {
        var gateway = report.Gateway;
        if (gateway.Gateway is not { } address) return report.IsTranslated is false ? "none needed" : null;
        var protocols = new[] { ("PCP", gateway.Pcp), ("NAT-PMP", gateway.NatPmp), ("UPnP", gateway.Upnp) };
        var (speaks, refuses) = (NamesOf(protocols, GatewaySupport.Speaks), NamesOf(protocols, GatewaySupport.Refuses));
        if (report is { IsForwarded: not true, Mapped: { } mapped }) return $"{address.ToIPAddress()} maps UDP {mapped}{(report.MappedTcp is { } tcp ? $" and TCP {tcp}" : "")} to this machine, by {gateway.Protocol switch { PortMappingProtocol.Pcp => "PCP", PortMappingProtocol.NatPmp => "NAT-PMP", _ => "UPnP" }}";
        if (speaks.Length > 0) return $"{address.ToIPAddress()} speaks {speaks}{(report.IsBehindSecondNat is true ? ", but is behind another NAT" : ", and maps no port")}";
        if (refuses.Length > 0) return $"{address.ToIPAddress()} speaks {refuses}, and refuses to map a port";
        return $"{address.ToIPAddress()} speaks neither PCP, NAT-PMP nor UPnP";
    }

    private static string NamesOf((string Name, GatewaySupport Support)[] protocols, GatewaySupport wanted) =>
        string.Join(", ", protocols.Where(protocol => protocol.Support == wanted).Select(protocol => protocol.Name));

    private static string? IPv6Of(NetworkReport report)
    {
        if (!report.HasIPv6) return "none";
        if (report.IPv6Reaches is not true) return null;
        return report.IPv6Filtering switch
        {
            FilteringBehavior.EndpointIndependent => "yes, open to anybody",
            FilteringBehavior.Unknown => "yes; whether a firewall stands in front is not known",
            _ => "yes, behind a firewall",
        };
    }
}
