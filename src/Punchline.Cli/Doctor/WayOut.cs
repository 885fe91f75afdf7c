using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>The way from this machine to the internet, as a picture has it.</summary>
internal static class WayOut
{
    public static IReadOnlyList<WayStation> Of(NetworkReport report)
    {
        var local = report.HostAddresses.Select(host => host.Endpoint).FirstOrDefault(host => host.IsIPv4 && !AddressScope.IsLoopback(host));
        List<WayStation> way = [new("this machine", local.IsIPv4 ? $"{local.ToIPAddress()}" : "")];
        if (report.IsTranslated is false)
        {
            if (report.Filtering is FilteringBehavior.AddressDependent or FilteringBehavior.AddressAndPortDependent) way.Add(new("firewall", ""));
        }
        else if (report.IsTranslated is true || report.Gateway.Gateway is not null)
        {
            var router = report.Gateway.Gateway ?? (report.Routers is [var first, ..] ? first : null);
            way.Add(new("router", router is { } known ? $"{known.ToIPAddress()}" : ""));
            if (report.NatLayers == 2)
            {
                var second = report.Routers.Skip(1).FirstOrDefault(shown => shown is { } address && AddressScope.IsPrivate(address));
                way.Add(new(report.IsBehindCarrier ? "carrier's NAT" : "second router", second is { } address ? $"{address.ToIPAddress()}" : ""));
            }
        }
        way.Add(new("internet", report.Udp is false ? "no UDP" : report is { IsTranslated: true, IPv4: { } seen } ? $"as {seen.ToIPAddress()}" : ""));
        return way;
    }
}
