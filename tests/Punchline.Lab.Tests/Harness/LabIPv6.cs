using Punchline.Cli.Lab;

namespace Punchline.Lab.Tests.Harness;

/// <summary>What a lab's router does with IPv6 packets that nobody inside has asked for.</summary>
internal enum LabIPv6Filter
{
    Open,
    Drop,

    /// <summary>With RST.</summary>
    Reject,
}

/// <summary>
/// IPv6 for a lab that is up, beside its IPv4: public addresses (of documentation's, RFC 3849) for the first host of each site, and a router that filters and translates nothing.
/// </summary>
internal static class LabIPv6
{
    public static async Task AddAsync(NatLab lab, params IEnumerable<(string Site, LabIPv6Filter Filter, bool PassesUdp)> sites)
    {
        if (!Directory.Exists("/proc/sys/net/ipv6")) Assert.Skip("No IPv6 in this kernel.");
        var token = TestContext.Current.CancellationToken;
        await lab.RunAsync("wan", Forward, token);
        var number = 0;
        foreach (var (site, filter, passesUdp) in sites)
        {
            var (uplink, lan) = ($"2001:db8:e:{++number}:", $"2001:db8:a:{number}:");
            await lab.RunAsync("wan", $"ip address add {uplink}:1/64 dev v-{site} nodad; ip route add {lan}:/64 via {uplink}:2", token);
            await lab.RunAsync(site + "-gw", $$"""
                {{Forward}}
                ip address add {{uplink}}:2/64 dev wan0 nodad
                ip address add {{lan}}:1/64 dev lan0 nodad
                ip route add default via {{uplink}}:1
                nft -f - <<'END'
                table ip6 firewall {
                chain forward {
                type filter hook forward priority filter; policy drop;
                {{(passesUdp ? "" : "meta l4proto udp drop")}}
                ct state established,related accept
                iifname lan0 accept
                {{filter switch { LabIPv6Filter.Open => "accept", LabIPv6Filter.Reject => "meta l4proto tcp reject with tcp reset", _ => "" }}}
                }
                }
                END
                """, token);
            await lab.RunAsync(site + "1", $"ip address add {lan}:10/64 dev eth0 nodad; ip route add default via {lan}:1", token);
        }
    }

    private const string Forward = "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding";
}
