using System.Net;

namespace Punchline.Cli.Lab;

/// <summary>
/// The shell script that builds a lab. A shell that is process 1 of a PID namespace of its own reads it from its standard
/// input, prints <see cref="Ready"/> at its end, and waits for more. The other end of that pipe is ours: however we die,
/// the shell's input ends, the shell exits, and the kernel ends everything in its namespaces with it.
/// </summary>
internal static class LabScript
{
    public const string Ready = "ready";

    /// <summary>
    /// <c>ip netns</c> keeps its names in /run/netns. On a file system of our own nobody else sees them, and they vanish with it.
    /// </summary>
    private const string PrivateNames = """
        set -e
        mount -t tmpfs -o mode=755 tmpfs /run
        """;

    /// <summary>
    /// What a new network namespace may have inherited or start with, and a node must not have: duplicate address
    /// detection holds IPv6 up for a second; reverse-path filters and redirects disturb; a host with br_netfilter sends
    /// a bridge's frames through the router's rules. Files are missing where the kernel lacks the feature.
    /// </summary>
    private const string Settings = """
        cd /proc/sys/net
        for file in ipv6/conf/*/accept_dad ipv4/conf/*/rp_filter ipv4/conf/*/send_redirects bridge/bridge-nf-call-*tables; do
          if [ -e "$file" ]; then echo 0 > "$file"; fi
        done
        """;

    /// <summary>The shell in its namespaces. <c>--kill-child</c>: should unshare itself be killed, the shell dies too.</summary>
    public static IReadOnlyList<string> Shell { get; } = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh"];

    /// <summary>Tries one link and one rule of every sort that a lab may need.</summary>
    public static string Probe { get; } = $"""
        {PrivateNames}
        ip -batch - <<'END'
        netns add a
        link add wan0 netns a type veth peer name v-a
        END
        nsenter --net=/run/netns/a sh -e <<'NODE'
        ip -batch - <<'END'
        link set wan0 gso_max_segs 1
        link add lan0 type bridge mcast_snooping 0
        END
        nft -f - <<'END'
        {LabRules.ForRouter(new("a-gw", LabNat.FullCone, IPAddress.Loopback))}
        {LabRules.ForWan([new(new("a", LabNat.FullCone) { LossPercent = 1 }, new("a-gw", LabNat.FullCone, IPAddress.Loopback), null, IPAddress.Loopback, 24, [])])}
        END
        NODE
        echo {Ready}
        """;

    public static string For(LabTopology topology)
    {
        var nodes = topology.Addresses.Keys.ToDictionary(node => node, _ => new NodeCommands(), StringComparer.Ordinal);
        var cables = new List<string>();
        foreach (var uplink in topology.Uplinks)
        {
            cables.Add($"link add {uplink.ChildDevice} netns {uplink.Child} address {uplink.ChildMac} type veth peer name {uplink.ParentDevice} netns {uplink.Parent} address {uplink.ParentMac}");
            AddUplink(nodes[uplink.Child], nodes[uplink.Parent], uplink);
        }

        foreach (var network in topology.Networks)
        {
            foreach (var host in network.Hosts)
                cables.Add($"link add eth0 netns {host.Node} address {host.Mac} type veth peer name {host.RouterPort} netns {network.Router.Node}");
            AddLan(nodes, network);
        }

        // Unused space is silent, as most of the Internet is; and so are private addresses, which nobody routes.
        var wan = nodes[LabTopology.Wan];
        wan.Forwards = true;
        wan.Ip.Add("route add blackhole default");
        wan.Rules = LabRules.ForWan(topology.Networks);

        // Nothing in one node waits for another, so all are set up at once.
        return string.Join('\n', [
            PrivateNames,
            "ip -batch - <<'END'",
            .. nodes.Keys.Select(node => $"netns add {node}"),
            .. cables,
            "END",
            .. nodes.Select(node => node.Value.RunIn(node.Key)),
            "for process; do wait $process; done",
            $"echo {Ready}",
            ""]);
    }

    /// <summary>
    /// A cable with a fixed neighbour at each end: address resolution would cost the first packet a round trip, or its
    /// life where there is loss. <c>gso_max_segs 1</c> makes the kernel cut segmented sends here at the latest, so that
    /// loss and counters beyond see the packets that a wire would carry.
    /// </summary>
    private static void AddUplink(NodeCommands child, NodeCommands parent, LabUplink uplink)
    {
        child.Ip.Add($"link set {uplink.ChildDevice} gso_max_segs 1 up");
        parent.Ip.Add($"link set {uplink.ParentDevice} gso_max_segs 1 up");
        parent.Ip.Add($"address add {uplink.ParentAddress}/32 dev {uplink.ParentDevice}");
        foreach (var address in uplink.ChildAddresses)
        {
            child.Ip.Add($"address add {address}/32 dev {uplink.ChildDevice}");
            parent.Ip.Add($"route add {address}/32 dev {uplink.ParentDevice}");
            parent.Ip.Add($"neighbour add {address} lladdr {uplink.ChildMac} dev {uplink.ParentDevice} nud permanent");
        }

        child.Ip.Add($"neighbour add {uplink.ParentAddress} lladdr {uplink.ParentMac} dev {uplink.ChildDevice} nud permanent");
        child.Ip.Add($"route add default via {uplink.ParentAddress} dev {uplink.ChildDevice} onlink");
    }

    private static void AddLan(Dictionary<string, NodeCommands> nodes, LabNetwork network)
    {
        var router = nodes[network.Router.Node];
        router.Forwards = true;
        router.Rules = LabRules.ForRouter(network.Router);
        router.Ip.Add("link add lan0 type bridge mcast_snooping 0");
        router.Ip.Add("link set lan0 up");
        router.Ip.Add($"address add {network.LanAddress}/{network.PrefixLength} dev lan0");
        foreach (var host in network.Hosts)
        {
            router.Ip.Add($"link set {host.RouterPort} master lan0 up");
            var ip = nodes[host.Node].Ip;
            ip.Add("link set eth0 up");
            ip.Add($"address add {host.Address}/{network.PrefixLength} dev eth0");
            ip.Add($"route add default via {network.LanAddress} dev eth0");
        }

        if (network.Carrier is { } carrier)
        {
            nodes[carrier.Node].Forwards = true;
            nodes[carrier.Node].Rules = LabRules.ForRouter(carrier);
        }

        if (LabTopology.HasPublicAddresses(network.Router.Nat))
        {
            var lan = new IPNetwork(new IPAddress(Masked(network)), network.PrefixLength);
            nodes[LabTopology.Wan].Ip.Add($"route add {lan} via {network.Router.Outside} dev {network.WanDevice} onlink");
        }
    }

    private static byte[] Masked(LabNetwork network)
    {
        var bytes = network.LanAddress.GetAddressBytes();
        bytes[^1] &= (byte)(0xff << (32 - network.PrefixLength));
        return bytes;
    }

    /// <summary>What one node is made of. The tools get everything in one go, for starting them is what costs time.</summary>
    private sealed class NodeCommands
    {
        public List<string> Ip { get; } = ["link set lo up"];

        public string Rules { get; set; } = "";

        public bool Forwards { get; set; }

        /// <summary>A job for the background, whose number joins the shell's positional parameters.</summary>
        public string RunIn(string node) => $"""
            nsenter --net=/run/netns/{node} sh -e <<'NODE' &
            {Settings}
            echo {(Forwards ? 1 : 0)} > ipv4/ip_forward
            ip -batch - <<'END'
            {string.Join('\n', Ip)}
            END
            {(Rules.Length == 0 ? "" : $"nft -f - <<'END'\n{Rules}\nEND")}
            NODE
            set -- "$@" $!
            """;
    }
}
