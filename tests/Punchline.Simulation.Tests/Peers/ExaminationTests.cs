using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Gateways;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Every sort of network is told for what it is where a server has two addresses, and what cannot be known without is not claimed.</summary>
public sealed class ExaminationTests
{
    private const int Seeds = 5;
    private const ushort TcpPort = 40_000;

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    [Theory] // mapping, filtering, allocation, moved by unsolicited packets, NATs
    [InlineData("open", "EndpointIndependent EndpointIndependent Preserved - 0")]
    [InlineData("firewall", "EndpointIndependent AddressAndPortDependent Preserved False 0")]
    [InlineData("full cone", "EndpointIndependent EndpointIndependent Preserved - -")]
    [InlineData("address-restricted", "EndpointIndependent AddressDependent Preserved - -")]
    [InlineData("port-restricted", "EndpointIndependent AddressAndPortDependent Preserved False -")]
    [InlineData("endpoint-independent", "EndpointIndependent AddressAndPortDependent Preserved False -")]
    [InlineData("moved port", "EndpointIndependent AddressAndPortDependent Random False -")]
    [InlineData("accepting", "EndpointIndependent AddressAndPortDependent Preserved True -")]
    [InlineData("rejecting", "EndpointIndependent AddressAndPortDependent Preserved False -")]
    [InlineData("carrier", "EndpointIndependent AddressAndPortDependent Preserved False -")]
    [InlineData("symmetric", "AddressAndPortDependent AddressAndPortDependent Random - -")]
    [InlineData("symmetric by address", "AddressDependent AddressAndPortDependent Random - -")]
    [InlineData("symmetric in sequence", "AddressAndPortDependent AddressAndPortDependent Sequential - -")]
    [InlineData("symmetric in a block", "AddressAndPortDependent AddressAndPortDependent Random - -")]
    public void With_a_second_address_a_network_is_told_for_what_it_is(string network, string expected)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            Examine(seed, network, hasAlternate: true, (report, took) =>
            {
                Assert.Equal(expected, string.Join(' ', report.Profile.Mapping, report.Filtering, report.Profile.Allocation, Tell(report.IsMovedByUnsolicited), report.NatLayers is { } layers ? layers : "-"));
                Assert.Equal((true, true, true, 1, 1), (report.Udp, report.Tcp, report.HasAlternate, report.ServersAsked, report.ServersAnswered));
                Assert.Equal(network.StartsWith("symmetric", StringComparison.Ordinal), report.Profile.IsTcpSymmetric);
                Assert.Equal(network is "symmetric in a block", report.Profile.Ports <= 2 * MappingObservations.MaxBlock);
                Assert.Equal(report.IsTranslated is false || report.Profile.IsSymmetric ? null : false, report.Hairpins);
                Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(1.5));
            });
        }
    }

    [Theory]
    [InlineData("open", "NotPortDependent Unknown Preserved")]
    [InlineData("full cone", "NotPortDependent Unknown Preserved")]
    [InlineData("port-restricted", "NotPortDependent Unknown Preserved")]
    [InlineData("symmetric", "AddressAndPortDependent Unknown Random")]
    [InlineData("symmetric by address", "NotPortDependent Unknown Random")]
    public void With_one_address_what_it_does_not_show_is_unknown(string network, string expected) => Examine(1, network, hasAlternate: false, (report, took) =>
    {
        Assert.Equal(expected, string.Join(' ', report.Profile.Mapping, report.Filtering, report.Profile.Allocation));
        Assert.False(report.HasAlternate);
        Assert.Null(report.IsMovedByUnsolicited);
        Assert.InRange(took, TimeSpan.Zero, Longest);
    });

    [Fact]
    public void Where_udp_is_blocked_TCP_shows_that_it_is() => SimulationRun.Check(1, internet =>
    {
        var (report, took) = Examine(internet, Network.Named("port-restricted").WithoutUdp, hasAlternate: true, (_, _) => { });
        Assert.Equal((false, true, 0), (report.Udp, report.Tcp, report.ServersAnswered));
        Assert.Equal(MappingBehavior.EndpointIndependent, report.TcpMapping);
        Assert.InRange(took, TimeSpan.Zero, Longest);
    });

    [Theory]
    [InlineData("dual stack", true)]
    [InlineData("IPv6 only", false)]
    public void Where_UDP_is_blocked_TCP_shows_that_IPv6_leads_somewhere(string network, bool hasIPv4) => SimulationRun.Check(1, internet =>
    {
        var (report, took) = Examine(internet, Network.Named(network).WithoutUdp, hasAlternate: true, (_, _) => { });
        Assert.Equal((false, true, true, hasIPv4), (report.Udp, report.Tcp, report.IPv6Reaches, report.TcpReflexive is not null));
        Assert.Equal(ProspectKind.IPv6, Prospect.Between(report.Traits, report.Traits).Kind);
        Assert.InRange(took, TimeSpan.Zero, Longest);
    });

    [Fact]
    public void Where_no_server_answers_nothing_is_claimed() => SimulationRun.Check(1, internet =>
    {
        var (report, took) = Examine(internet, Network.Named("port-restricted"), hasAlternate: true, (_, server) => server.Kill());
        Assert.Equal((null, null, null, null), ((object?)report.Udp, (object?)report.Tcp, (object?)report.IsTranslated, (object?)report.Hairpins));
        Assert.Equal((FilteringBehavior.Unknown, MappingBehavior.Unknown), (report.Filtering, report.Profile.Mapping));
        Assert.InRange(took, NetworkExaminer.Duration, Longest);
    });

    [Fact] // the second NAT shows by the gateway's own word
    public void A_gateway_behind_a_carrier_is_known_for_two_NATs() => SimulationRun.Check(1, internet =>
    {
        var (report, _) = Examine(internet, Network.Named("carrier"), hasAlternate: true, (peer, _) =>
            peer.UseGateway(new SimulatedGateway(internet, peer.Machine.Site!, GatewayBehavior.OfAll)));
        Assert.Equal((2, true), (report.NatLayers, report.IsBehindCarrier));
        Assert.Null(report.Mapped);
    });

    [Fact]
    public void A_router_that_hairpins_is_known_for_it() => SimulationRun.Check(1, internet =>
    {
        var ordinary = Network.Named("port-restricted");
        var (report, _) = Examine(internet, ordinary with { Nat = ordinary.Nat with { Hairpin = true } }, hasAlternate: true, (_, _) => { });
        Assert.True(report.Hairpins);
    });

    [Theory] // 5 % lost each way: what is told is right, or unknown
    [InlineData("full cone")]
    [InlineData("port-restricted")]
    [InlineData("symmetric")]
    public void Loss_makes_nothing_wrong(string network)
    {
        foreach (var seed in SimulationSeeds.Take(10))
        {
            SimulationRun.Check(seed, internet =>
            {
                var (report, took) = Examine(internet, Network.Named(network), hasAlternate: true, (_, _) => { }, lossPercent: 5);
                Assert.Contains(report.Profile.Mapping, (MappingBehavior[])[MappingBehavior.Unknown, MappingBehavior.NotPortDependent, network == "symmetric" ? MappingBehavior.AddressAndPortDependent : MappingBehavior.EndpointIndependent]);
                Assert.Contains(report.Filtering, (FilteringBehavior[])[FilteringBehavior.Unknown, network == "full cone" ? FilteringBehavior.EndpointIndependent : FilteringBehavior.AddressAndPortDependent]);
                Assert.InRange(took, TimeSpan.Zero, Longest);
            });
        }
    }

    private static string Tell(bool? value) => value?.ToString() ?? "-";

    private static void Examine(ulong seed, string network, bool hasAlternate, Action<NetworkReport, TimeSpan> assert) => SimulationRun.Check(seed, internet =>
    {
        var (report, took) = Examine(internet, Network.Named(network), hasAlternate, (_, _) => { });
        assert(report, took);
    }, network);

    private static (NetworkReport Report, TimeSpan Took) Examine(
        VirtualInternet internet, Network network, bool hasAlternate, Action<SimulatedPeer, SimulatedServer> prepare, double lossPercent = 0)
    {
        using var meeting = MeetingScenario.Between(
            internet, network, Network.Named("open"), LinkConditions.Of(10, lossPercent / 100), tcpPort: TcpPort, hasAlternate: hasAlternate);
        prepare(meeting.First, meeting.Server);
        var start = internet.Now;
        NetworkReport? last = null;
        Endpoint[] servers = [.. meeting.Server.StunEndpoints.Take(2), .. meeting.Server.StunEndpoints.Where(server => !server.IsIPv4)];
        internet.Schedule(start, () => meeting.First.Node.Examine(servers, expectsRouters: false, internet.Now));
        Assert.True(internet.RunUntil(() =>
        {
            while (meeting.First.Node.TryDequeueReport(out var report)) last = report;
            return last is { IsComplete: true };
        }, TimeSpan.FromSeconds(5)), "The examination did not end.");
        var took = internet.Now - start;
        internet.RunFor(TimeSpan.FromSeconds(1));
        // Nothing of it is left.
        Assert.Equal(0, meeting.First.SideSockets.Count);
        Assert.False(meeting.First.Node.TryDequeueReport(out _));
        return (last!, took);
    }
}
