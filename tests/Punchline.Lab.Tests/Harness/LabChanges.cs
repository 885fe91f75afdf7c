using Punchline.Cli.Lab;

namespace Punchline.Lab.Tests.Harness;

/// <summary>What whoever owns a network changes there, as an advice has it.</summary>
internal static class LabChanges
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>A port of a site's router leads to the same port of its first host, whoever sends.</summary>
    public static async Task ForwardAsync(this NatLab lab, string site, string protocol, int port) => await lab.RunAsync(site + "-gw", $$"""
        nft -f - <<'END'
        table ip forwards {
        chain inbound {
        type nat hook prerouting priority dstnat - 1;
        iifname wan0 {{protocol}} dport {{port}} dnat ip to {{lab.AddressOf(site + "1")}}:{{port}}
        }
        }
        insert rule ip router forward {{protocol}} dport {{port}} ct status dnat accept
        END
        """, Token);

    /// <summary>A site's router has one more rule, before its others, for what it forwards.</summary>
    public static async Task BlockAsync(this NatLab lab, string site, string rule) => await lab.RunAsync(site + "-gw", $$"""
        nft -f - <<'END'
        table ip blocks {
        chain forward {
        type filter hook forward priority filter - 1;
        {{rule}}
        }
        }
        END
        """, Token);

    /// <summary>And has it no more.</summary>
    public static async Task UnblockAsync(this NatLab lab, string site) => await lab.RunAsync(site + "-gw", "nft delete table ip blocks", Token);

    /// <summary>The servers and these sites have IPv6, each site behind a firewall that lets in answers only. Addresses are of 2001:db8::/32 (RFC 3849).</summary>
    public static async Task AddIPv6Async(this NatLab lab, params IReadOnlyList<string> sites)
    {
        await lab.RunAsync("wan", $$"""
            echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
            ip -6 address add 2001:db8:0:1::1/64 dev v-s1 nodad
            {{string.Join('\n', sites.Select((site, i) => $"""
                ip -6 address add 2001:db8:0:{i + 2}::1/64 dev v-{site} nodad
                ip -6 route add 2001:db8:1:{i + 2}::/64 via 2001:db8:0:{i + 2}::2
                """))}}
            """, Token);
        await lab.RunAsync("s1", $"ip -6 address add {ServerIPv6}/64 dev eth0 nodad; ip -6 route add default via 2001:db8:0:1::1", Token);
        foreach (var (i, site) in sites.Index())
        {
            await lab.RunAsync(site + "-gw", $$"""
                echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
                ip -6 address add 2001:db8:0:{{i + 2}}::2/64 dev wan0 nodad
                ip -6 address add 2001:db8:1:{{i + 2}}::1/64 dev lan0 nodad
                ip -6 route add default via 2001:db8:0:{{i + 2}}::1
                nft -f - <<'END'
                table ip6 router {
                chain forward {
                type filter hook forward priority filter; policy drop;
                ct state established,related accept
                iifname lan0 accept
                }
                }
                END
                """, Token);
            await lab.RunAsync(site + "1", $"ip -6 address add 2001:db8:1:{i + 2}::10/64 dev eth0 nodad; ip -6 route add default via 2001:db8:1:{i + 2}::1", Token);
        }
    }

    public const string ServerIPv6 = "2001:db8:0:1::10";
}
