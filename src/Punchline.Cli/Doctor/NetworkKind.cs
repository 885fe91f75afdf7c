using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>What sort of network it is, in the field's terms (RFC 3489 §5 has the cones' names, RFC 4787 the rest).</summary>
/// <param name="Code">Stable: programs rely on it.</param>
/// <param name="Text">For people.</param>
internal sealed record NetworkKind(string Code, string Text)
{
    public static NetworkKind Of(NetworkReport report)
    {
        var profile = report.Profile;
        if (report is { Tcp: not true, IsWebOnly: true }) return new("web-only", "This network lets only browsers out: TCP to ports 443 and 80 gets through, and nothing else that was tried.");
        if (report.Udp is false) return new("udp-blocked", $"This network lets no UDP out{(report.Tcp is true ? "; TCP gets through" : "")}.");
        if (report.Udp is null) return new("unknown", report.ServersAsked == 0 ? "No server was asked, so only this side of the router is known." : "No server answered, neither over UDP nor over TCP.");
        if (report.IPv4 is null) return new("ipv6-only", "This network reaches the internet by IPv6 alone.");
        if (profile.IsSymmetric) return OfSymmetric(profile);
        if (report.IsTranslated is false)
        {
            return report.Filtering switch
            {
                FilteringBehavior.EndpointIndependent => new("open", "A public address, and nothing in front of it that keeps packets out."),
                FilteringBehavior.Unknown => new("public", "A public address; whether a firewall stands in front of it is not known."),
                _ => new("firewall", "A public address behind a firewall that lets in answers only."),
            };
        }
        if (profile.Mapping == MappingBehavior.Unknown || profile.MayBeSymmetric)
            return new("nat", "A router that translates addresses; whether it shows one port to all is not known.");
        return report.Filtering switch
        {
            FilteringBehavior.EndpointIndependent => new("full-cone", "A router with one port for all, which lets anybody in by it: full cone."),
            FilteringBehavior.AddressDependent => new("address-restricted", "A router with one port for all, which lets in whose address was sent to: address-restricted."),
            FilteringBehavior.AddressAndPortDependent when report.IsMovedByUnsolicited is true => new(
                "port-restricted-accepting", "An ordinary router (port-restricted) that takes unasked packets for its own, which moves its hosts' ports."),
            FilteringBehavior.AddressAndPortDependent => new("port-restricted", "An ordinary router: one port for all, answers only come in (port-restricted)."),
            _ => new("cone", "A router with one port for all; whom it lets in is not known."),
        };
    }

    private static NetworkKind OfSymmetric(NetworkProfile profile)
    {
        if (profile.Mapping == MappingBehavior.AddressDependent) return new("symmetric-by-address", "A router that gives every destination address another port: symmetric by address.");
        return profile.Allocation switch
        {
            PortAllocation.Sequential => new("symmetric-sequence", "A router that gives every destination the next port: symmetric, in sequence."),
            PortAllocation.Random when profile.Ports <= 2 * MappingObservations.MaxBlock => new("symmetric-block", $"A router that gives every destination another port of a block of about {profile.Ports:N0}: symmetric."),
            PortAllocation.Random => new("symmetric", "A router that gives every destination another port, drawn from all: symmetric."),
            _ => new("symmetric", "A router that gives every destination another port: symmetric. How it chooses them is not known."),
        };
    }
}
