using System.Net;
using Punchline.Cli.Lab;

namespace Punchline.Lab.Tests.Harness;

/// <summary>
/// A real miniupnpd in a lab's router, which maps ports for its hosts by UPnP, NAT-PMP and PCP. It refuses addresses that are set aside for documentation, as the lab's are, so the
/// router gets another one: 44.128.0.0/16, which is meant for tests and never routed.
/// </summary>
internal sealed class LabGateway : IAsyncDisposable
{
    private static readonly IPAddress Outside = IPAddress.Parse("44.128.0.1");

    private readonly NatLab _lab;
    private readonly string _router;
    private readonly string _directory = Directory.CreateTempSubdirectory("punchline-lab-").FullName;
    private LabProcess? _daemon;

    private LabGateway(NatLab lab, string router) => (_lab, _router) = (lab, router);

    /// <param name="lab">The lab.</param>
    /// <param name="site">Whose router it runs in.</param>
    /// <param name="nat">What that does beside.</param>
    /// <param name="allows">It maps what it is asked to; else it refuses.</param>
    public static async Task<LabGateway> StartAsync(NatLab lab, string site, LabNat nat, bool allows = true)
    {
        if (!LabTools.IsInstalled("miniupnpd")) Assert.Skip("miniupnpd not found (apt-get install miniupnpd-nftables)");
        var (router, former) = (site + "-gw", lab.AddressOf(site + "-gw"));
        var token = TestContext.Current.CancellationToken;
        await lab.RunAsync("wan", $"""
            set -- $(ip route get {former})
            while [ "$1" != dev ]; do shift; done
            ip route add {Outside}/32 dev "$2"
            """, token);
        await lab.RunAsync(router, $$"""
            set -- $(ip route show default)
            ip address add {{Outside}}/32 dev wan0
            ip address del {{former}}/32 dev wan0
            ip route replace "$@" onlink
            nft -f - <<'END'
            flush ruleset
            {{LabRules.ForRouter(new LabRouter(router, nat, Outside))}}
            table inet filter {
            chain miniupnpd { }
            chain prerouting_miniupnpd { }
            chain postrouting_miniupnpd { }
            chain forward { type filter hook forward priority filter + 1; jump miniupnpd; }
            chain before { type nat hook prerouting priority dstnat - 1; jump prerouting_miniupnpd; }
            chain behind { type nat hook postrouting priority srcnat - 1; jump postrouting_miniupnpd; }
            }
            add rule ip router forward ct status dnat accept
            END
            """, token);
        var gateway = new LabGateway(lab, router);
        await gateway.RestartAsync(allows);
        return gateway;
    }

    /// <summary>Its owner changes its mind.</summary>
    public async Task RestartAsync(bool allows)
    {
        if (_daemon is not null) await _daemon.DisposeAsync();
        var configuration = Path.Combine(_directory, "miniupnpd.conf");
        await File.WriteAllTextAsync(configuration, $"""
            ext_ifname=wan0
            listening_ip=lan0
            http_port=5000
            enable_natpmp={(allows ? "yes" : "no")}
            enable_upnp=yes
            ipv6_disable=yes
            secure_mode=yes
            uuid=00000000-0000-0000-0000-000000000001
            upnp_table_name=filter
            upnp_nat_table_name=filter
            upnp_forward_chain=miniupnpd
            upnp_nat_chain=prerouting_miniupnpd
            upnp_nat_postrouting_chain=postrouting_miniupnpd
            {(allows ? "allow 1024-65535 192.168.0.0/16 1024-65535" : "deny 0-65535 0.0.0.0/0 0-65535")}
            """, TestContext.Current.CancellationToken);
        _daemon = _lab.Start(_router, "miniupnpd", "-d", "-f", configuration, "-P", Path.Combine(_directory, "pid"));
        // Its last port is NAT-PMP's and PCP's, by which it does not refuse: it would try all ports before.
        await _lab.RunAsync(_router, $"until {(allows ? "ss -Hlun sport = :5351" : "ss -Hltn sport = :5000")} | grep -q .; do sleep 0.02; done", TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null) await _daemon.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
