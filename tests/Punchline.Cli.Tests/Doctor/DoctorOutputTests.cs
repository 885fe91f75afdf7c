using Punchline.Cli.Doctor;
using Punchline.Cli.Web;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Tests.Doctor;

/// <summary>What the doctor says, to programs to the letter, and to people within the width of a terminal.</summary>
public sealed class DoctorOutputTests
{
    private static readonly Endpoint Seen = Endpoint.Parse("198.51.100.11:5000");

    private static readonly NetworkReport Ordinary = new()
    {
        ServersAsked = 1,
        ServersAnswered = 1,
        HasAlternate = true,
        Udp = true,
        Tcp = true,
        HostAddresses = [new HostAddress(Endpoint.Parse("192.168.1.10:5000"), 24)],
        Reflexive = [Seen],
        TcpReflexive = Seen,
        Profile = new NetworkProfile { Mapping = MappingBehavior.EndpointIndependent, Allocation = PortAllocation.Preserved, TcpMapping = MappingBehavior.EndpointIndependent },
        Filtering = FilteringBehavior.AddressAndPortDependent,
        IsMovedByUnsolicited = false,
        Hairpins = false,
        Gateway = new PortMapperStatus(Endpoint.Parse("192.168.1.1:0"), GatewaySupport.Silent, GatewaySupport.Silent, GatewaySupport.Silent, 0, null, null, null, null),
        ServerRoundTrip = TimeSpan.FromMilliseconds(20),
        IsWebOnly = false,
        IsComplete = true,
    };

    private static readonly NetworkReport Symmetric = Ordinary with
    {
        Profile = new NetworkProfile { Mapping = MappingBehavior.AddressAndPortDependent, Allocation = PortAllocation.Random, TcpMapping = MappingBehavior.AddressDependent },
    };

    [Fact]
    public void For_programs_it_is_one_line()
    {
        using var output = new StringWriter { NewLine = "\n" };
        new JsonDoctorOutput(output).Show(Diagnosis.Of(Ordinary));
        Assert.Equal(
            """{"event":"network","kind":"port-restricted","text":"An ordinary router: one port for all, answers only come in (port-restricted).","serversAsked":1,"serversAnswered":1,"alternate":true,"udp":true,"udpRefusal":null,"tcp":true,"webOnly":false,"external":"198.51.100.11:5000","externalTcp":"198.51.100.11:5000","translated":true,"natLayers":null,"mapping":"endpoint-independent","tcpMapping":"endpoint-independent","filtering":"address-and-port-dependent","unsolicited":null,"movedByUnsolicited":false,"hairpin":false,"allocation":{"kind":"preserved","step":0,"firstPort":1024,"lastPort":65535},"gateway":{"address":"192.168.1.1","pcp":"silent","natPmp":"silent","upnp":"silent","external":null,"mapped":null,"mappedTcp":null,"behindNat":null},"forward":{"port":null,"isForwarded":null},"ipv6":{"present":false,"reaches":null,"filtering":null},"prospects":[{"with":"open","how":"punch","chance":1,"withinMs":500},{"with":"mapped","how":"mapping","chance":1,"withinMs":500},{"with":"full-cone","how":"punch","chance":1,"withinMs":500},{"with":"port-restricted","how":"punch","chance":1,"withinMs":500},{"with":"symmetric-sequence","how":"search","chance":0.99,"withinMs":1000},{"with":"symmetric-block","how":"search","chance":0.999,"withinMs":1790},{"with":"symmetric","how":"search","chance":0.999,"withinMs":19053},{"with":"udp-blocked","how":"tcp","chance":1,"withinMs":3500}],"advice":[],"unknown":[{"code":"nat-layers","text":"Whether there is a second NAT: the router does not say what its outside address is."}]}""" + "\n",
            output.ToString());
    }

    [Fact]
    public void What_is_not_known_is_null_for_programs()
    {
        using var output = new StringWriter { NewLine = "\n" };
        new JsonDoctorOutput(output).Show(Diagnosis.Of(new NetworkReport { ServersAsked = 1, IsComplete = true }));
        var line = output.ToString();
        foreach (var name in (string[])["udp", "udpRefusal", "tcp", "webOnly", "external", "externalTcp", "translated", "natLayers", "mapping", "tcpMapping", "filtering", "unsolicited", "movedByUnsolicited", "hairpin"])
            Assert.Contains($"\"{name}\":null", line, StringComparison.Ordinal);
        Assert.Contains("\"prospects\":[]", line, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"no-answer\"", line, StringComparison.Ordinal);
    }

    [Fact]
    public void A_network_for_browsers_is_named_and_told_what_leads_out()
    {
        var diagnosis = Diagnosis.Of(new NetworkReport { ServersAsked = 1, IsWebOnly = true, IsComplete = true });
        Assert.Equal("web-only", diagnosis.Kind.Code);
        Assert.Equal(["port-443", "allow-udp"], diagnosis.Advice.Select(advice => advice.Code));
        // Where a server answers, it is something else.
        Assert.Equal("udp-blocked", Diagnosis.Of(new NetworkReport { ServersAsked = 1, Udp = false, Tcp = true, IsWebOnly = true }).Kind.Code);
    }

    [Theory]
    [InlineData("192.168.1.1:0", true, "does not get out: 192.168.1.1 rejects it, and says so (ICMP)")]
    [InlineData(null, true, "does not get out: it is dropped, and nothing says so")]
    [InlineData(null, false, "does not get out")]
    public void Whether_UDP_is_dropped_or_rejected_is_told_where_it_is_known(string? router, bool hears, string text)
    {
        var report = new NetworkReport { ServersAsked = 1, Udp = false, UdpRejectedBy = router is null ? null : Endpoint.Parse(router), HearsRejections = hears };
        Assert.Contains($"  UDP        {text}", Show(report));
        Assert.Equal("udp-blocked", NetworkKind.Of(report).Code);
    }

    [Fact]
    public void Where_UDP_is_blocked_IPv6_is_told_for_what_it_is_good_for()
    {
        var ours = Endpoint.Parse("[2001:db8::1]:5000");
        var lines = Show(new NetworkReport { ServersAsked = 1, Udp = false, Tcp = true, TcpReflexiveIPv6 = ours, HostAddresses = [new HostAddress(ours, 64)] });
        Assert.Contains("  TCP        gets out, by IPv6", lines);
        Assert.Contains("  IPv6       yes; whether a firewall stands in front is not known", lines);
        Assert.Contains("  ✓ a network with IPv6, and a firewall            directly, by IPv6", lines);
        Assert.Contains("they have IPv6, or theirs have one port for all.", string.Join(' ', lines.Select(line => line.Trim())), StringComparison.Ordinal);
        Assert.DoesNotContain("Whether TCP has one port", string.Join(' ', lines.Select(line => line.Trim())), StringComparison.Ordinal);
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 80));
    }

    [Fact]
    public void A_chosen_port_is_told_about()
    {
        Assert.Contains("  forward    UDP port 40000 is not forwarded to this machine", Show(Symmetric with { ChosenPort = 40_000, IsForwarded = false }));
        Assert.Equal(["forward", "ipv6"], Diagnosis.Of(Symmetric with { ChosenPort = 40_000, IsForwarded = false }).Advice.Select(advice => advice.Code));
        var forwarded = Diagnosis.Of(Symmetric with { ChosenPort = 40_000, IsForwarded = true });
        Assert.Empty(forwarded.Advice);
        Assert.All(forwarded.Prospects.Where(other => other.Network.Code != "udp-blocked"), other => Assert.Equal(ProspectKind.Mapping, other.Prospect.Kind));
    }

    [Fact]
    public void The_way_out_is_a_picture()
    {
        var lines = Show(Ordinary with
        {
            Routers = [Endpoint.Parse("192.168.1.1:0"), Endpoint.Parse("100.64.0.1:0"), null],
        });
        Assert.Equal("  this machine ── router ─────── carrier's NAT ── internet", lines[1]);
        Assert.Equal("  192.168.1.10    192.168.1.1    100.64.0.1       as 198.51.100.11", lines[2]);
    }

    [Fact]
    public void What_works_and_what_would_help_is_told()
    {
        var lines = Show(Symmetric);
        Assert.Contains("  ✓ a public address, no firewall                  directly", lines);
        Assert.Contains("  ~ an ordinary router, or a firewall              99.9 % in 20 s, by a search", lines);
        Assert.Contains("  ✗ a symmetric router that draws ports            no way", lines);
        Assert.Contains("  What would help", lines);
    }

    [Fact]
    public void The_page_shows_the_same()
    {
        var shown = WebDiagnosis.Of(Diagnosis.Of(Symmetric));
        Assert.Equal("A router that gives every destination another port, drawn from all: symmetric.", shown.Kind);
        Assert.Equal(["this machine", "router", "internet"], shown.Way.Select(station => station.Name));
        Assert.Contains(new WebProspect("a public address, no firewall", "yes", "directly"), shown.Prospects);
        Assert.Contains(new WebProspect("an ordinary router, or a firewall", "maybe", "99.9 % in 20 s, by a search"), shown.Prospects);
        Assert.Contains(new WebProspect("a symmetric router that draws ports", "no", "no way"), shown.Prospects);
        Assert.Equal(2, shown.Advice.Count);
        Assert.Equal("Whether there is a second NAT: the router does not say what its outside address is.", Assert.Single(shown.Unknown));
    }

    [Theory] // each sort by its code
    [InlineData("port-restricted-accepting", true, FilteringBehavior.AddressAndPortDependent)]
    [InlineData("port-restricted", false, FilteringBehavior.AddressAndPortDependent)]
    [InlineData("address-restricted", null, FilteringBehavior.AddressDependent)]
    [InlineData("full-cone", null, FilteringBehavior.EndpointIndependent)]
    [InlineData("cone", null, FilteringBehavior.Unknown)]
    internal void A_filter_names_the_sort(string code, bool? isMoved, FilteringBehavior filtering) =>
        Assert.Equal(code, NetworkKind.Of(Ordinary with { Filtering = filtering, IsMovedByUnsolicited = isMoved }).Code);

    public static IEnumerable<TheoryDataRow<string>> Reports() => Named().Select(pair => new TheoryDataRow<string>(pair.Code));

    [Theory]
    [MemberData(nameof(Reports))]
    public void Each_sort_has_its_code_and_fits_into_80_columns(string code)
    {
        var report = Named().Single(pair => pair.Code == code).Report;
        Assert.Equal(code, NetworkKind.Of(report).Code);
        Assert.All(Show(report), line => Assert.InRange(line.Length, 0, 80));
    }

    private static IEnumerable<(string Code, NetworkReport Report)> Named()
    {
        var open = Ordinary with { HostAddresses = [new HostAddress(Seen, 24)], Hairpins = null, Gateway = default };
        yield return ("open", open with { Filtering = FilteringBehavior.EndpointIndependent });
        yield return ("firewall", open);
        yield return ("public", open with { Filtering = FilteringBehavior.Unknown });
        yield return ("nat", Ordinary with { Profile = new NetworkProfile { Mapping = MappingBehavior.NotPortDependent, Allocation = PortAllocation.Random }, Filtering = FilteringBehavior.Unknown });
        yield return ("symmetric", Symmetric);
        yield return ("web-only", new NetworkReport { ServersAsked = 1, IsWebOnly = true, IsComplete = true });
        yield return ("symmetric-by-address", Symmetric with { Profile = Symmetric.Profile with { Mapping = MappingBehavior.AddressDependent } });
        yield return ("symmetric-sequence", Symmetric with { Profile = Symmetric.Profile with { Allocation = PortAllocation.Sequential, Step = 1 } });
        yield return ("symmetric-block", Symmetric with { Profile = Symmetric.Profile with { FirstPort = 30_000, LastPort = 30_511 }, Gateway = Ordinary.Gateway with { Upnp = GatewaySupport.Refuses } });
        yield return ("udp-blocked", new NetworkReport { ServersAsked = 1, Udp = false, Tcp = true, TcpReflexive = Seen, HostAddresses = Ordinary.HostAddresses, Gateway = Ordinary.Gateway });
        yield return ("ipv6-only", new NetworkReport { ServersAsked = 1, ServersAnswered = 1, Udp = true, Reflexive = [Endpoint.Parse("[2001:db8::1]:5000")], HostAddresses = [new HostAddress(Endpoint.Parse("[2001:db8::1]:5000"), 64)] });
        yield return ("unknown", new NetworkReport());
    }

    private static string[] Show(NetworkReport report)
    {
        using var output = new StringWriter { NewLine = "\n" };
        new PlainDoctorOutput(output, TextWriter.Null, canErase: false).Show(Diagnosis.Of(report));
        return output.ToString().Split('\n');
    }
}
