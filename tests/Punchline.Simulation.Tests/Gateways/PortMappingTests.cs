using Punchline.Protocols.Node;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Gateways;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Gateways;

/// <summary>Peers whose router maps a port for them.</summary>
public sealed class PortMappingTests
{
    private const int Seeds = 5;

    private static readonly MeetingConditions Usual = new(OneWayMilliseconds: 20, LossPercent: 0);

    // Behind the worst of routers: by punching it meets nobody who is not wide open.
    private static readonly Network Symmetric = Network.Named("symmetric");

    private static readonly string[] Protocols = ["PCP", "NAT-PMP", "UPnP 1", "UPnP 2", "all"];
    private static readonly int[] Losses = [0, 5];

    private static GatewayBehavior Behavior(string protocol) => protocol switch
    {
        "PCP" => GatewayBehavior.OfPcp,
        "NAT-PMP" => GatewayBehavior.OfNatPmp,
        "UPnP 1" => GatewayBehavior.OfUpnp1,
        "UPnP 2" => GatewayBehavior.OfUpnp2,
        _ => GatewayBehavior.OfAll,
    };

    public static IEnumerable<TheoryDataRow<string, string, int>> Cells() =>
        from protocol in Protocols
        from network in Network.All
        from loss in protocol == "all" ? Losses : [0]
        select new TheoryDataRow<string, string, int>(protocol, network.Name, loss);

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_mapped_peer_behind_a_symmetric_router_meets_every_network(string protocol, string network, int lossPercent)
    {
        var conditions = Usual with { LossPercent = lossPercent };
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Symmetric, Network.Named(network), conditions.Link);
                var gateway = Map(internet, meeting.First, Behavior(protocol));
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                Assert.Equal(1, gateway.Mappings);
                if (Network.WhyImpossible(Symmetric, Network.Named(network)) is not null || Network.TakesSearch(Symmetric, Network.Named(network)))
                {
                    // There is no other way than the mapping, or none so soon, and both know it.
                    Assert.True(Assert.Single(meeting.First.EventsOf<NodeEvent.Connected>()).IsMapped);
                    Assert.True(Assert.Single(meeting.Second.EventsOf<NodeEvent.Connected>()).IsMapped);
                }
                meeting.Server.Kill();
                Assert.True(meeting.First.Send("hello"));
                Assert.True(meeting.Second.Send("hello"));
                Assert.True(internet.RunUntil(() => meeting.First.Undelivered + meeting.Second.Undelivered == 0, TimeSpan.FromSeconds(10)), "A message was not acknowledged.");
            }, $"{protocol} - {network}, {conditions}");
        }
    }

    public static TheoryData<string> Networks() => [.. Network.All.Select(network => network.Name)];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Where_UDP_is_blocked_the_mapped_TCP_port_is_reached_from_every_network(string network)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Symmetric, Network.Named(network).WithoutUdp, Usual.Link, SimulatedPeer.Port);
                var gateway = Map(internet, meeting.First, GatewayBehavior.OfAll);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                Assert.Equal(2, gateway.Mappings);
                var (first, second) = (Assert.Single(meeting.First.EventsOf<NodeEvent.Connected>()), Assert.Single(meeting.Second.EventsOf<NodeEvent.Connected>()));
                Assert.Equal((Carrier.Tcp, Carrier.Tcp), (first.Path.Local.Carrier, second.Path.Local.Carrier));
                if (Network.WhyImpossible(Symmetric, Network.Named(network)) is not null || Network.TakesSearch(Symmetric, Network.Named(network)))
                    Assert.Equal((true, true), (first.IsMapped, second.IsMapped));
                internet.Schedule(internet.Now, () => meeting.First.Node.ClosePortMappings(internet.Now));
                Assert.True(internet.RunUntil(() => meeting.First.Node.ArePortMappingsClosed, TimeSpan.FromSeconds(1)));
                Assert.Equal(0, gateway.Mappings);
            }, network);
        }
    }

    [Fact]
    public void Where_UDP_is_blocked_TCPs_STUN_tells_whether_the_gateway_is_behind_another_NAT() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("carrier").WithoutUdp, Network.Named("port-restricted").WithoutUdp, Usual.Link, SimulatedPeer.Port);
        Map(internet, meeting.First, GatewayBehavior.OfAll);
        Map(internet, meeting.Second, GatewayBehavior.OfAll);
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
        Assert.Equal((true, false), (meeting.First.Node.IsBehindSecondNat, meeting.Second.Node.IsBehindSecondNat));
    });

    [Fact]
    public void Without_a_mapping_and_beside_it_a_direct_path_is_not_called_mapped() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("port-restricted"), Network.Named("port-restricted"), Usual.Link);
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience));
        Assert.False(Assert.Single(meeting.First.EventsOf<NodeEvent.Connected>()).IsMapped);
        Assert.False(Assert.Single(meeting.Second.EventsOf<NodeEvent.Connected>()).IsMapped);
    });

    [Fact]
    public void The_join_waits_for_no_gateway() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("port-restricted"), Network.Named("port-restricted"), Usual.Link);
        // It answers nothing at all.
        Map(internet, meeting.First, new GatewayBehavior());
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience));
        using var other = new VirtualInternet(1);
        using var without = MeetingScenario.Between(other, Network.Named("port-restricted"), Network.Named("port-restricted"), Usual.Link);
        without.JoinBoth();
        Assert.True(without.RunUntilConnected(MeetingMatrix.Patience));
        Assert.Equal(without.Elapsed, meeting.Elapsed);
    });

    [Fact]
    public void A_router_that_restarts_with_another_address_has_the_mapping_again_within_a_STUN_interval() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Symmetric, Symmetric, Usual.Link);
        var gateway = Map(internet, meeting.First, GatewayBehavior.OfAll);
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience));
        internet.RunFor(TimeSpan.FromMinutes(2));

        var site = meeting.First.Machine.Site!;
        internet.Rebind(site);
        gateway.Gateway.Restart(internet.Now);
        Assert.True(internet.RunUntil(() => gateway.Mappings == 1, NodeCore.StunRefreshInterval + TimeSpan.FromSeconds(1)), "The mapping was not made anew.");
        Assert.True(internet.RunUntil(() => meeting.First.Node.Gateway.Udp == site.ExternalAt(SimulatedPeer.Port), TimeSpan.FromSeconds(5)));
        // The members hear of it, and the connection moves to the new port.
        Assert.True(internet.RunUntil(() => meeting.Second.EventsOf<NodeEvent.PathChanged>().Any(), TimeSpan.FromSeconds(20)), "The connection did not move.");
        var moved = meeting.Second.EventsOf<NodeEvent.PathChanged>().Last();
        Assert.Equal((site.ExternalAt(SimulatedPeer.Port), true), (moved.Path.Remote, moved.IsMapped));
        Assert.Single(meeting.Second.EventsOf<NodeEvent.Connected>());
    });

    [Fact]
    public void A_gateway_behind_another_NAT_is_known_for_it_and_its_mapping_is_told_to_nobody() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("carrier"), Network.Named("port-restricted"), Usual.Link);
        Map(internet, meeting.First, GatewayBehavior.OfAll);
        var straight = Map(internet, meeting.Second, GatewayBehavior.OfAll);
        Assert.Null(meeting.First.Node.IsBehindSecondNat);
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience));
        Assert.True(meeting.First.Node.IsBehindSecondNat);
        Assert.False(meeting.Second.Node.IsBehindSecondNat);
        var status = meeting.First.Node.Gateway;
        Assert.Equal((GatewaySupport.Speaks, GatewaySupport.Speaks, GatewaySupport.Speaks, 2), (status.Pcp, status.NatPmp, status.Upnp, status.UpnpVersion));
        Assert.StartsWith("100.64.", status.ExternalAddress.ToString(), StringComparison.Ordinal);
        // The other one's mapping leads here, and no path to this one goes by its own.
        Assert.Equal(1, straight.Mappings);
        Assert.DoesNotContain(meeting.Second.EventsOf<NodeEvent.Connected>(), connected => connected.Path.Remote.Address == status.Udp!.Value.Address);
    });

    [Fact]
    public void At_the_end_the_gateway_has_nothing_and_where_nobody_said_goodbye_the_lease_ends_it() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Symmetric, Symmetric, Usual.Link);
        var first = Map(internet, meeting.First, GatewayBehavior.OfAll);
        var second = Map(internet, meeting.Second, GatewayBehavior.OfAll);
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience));
        internet.Schedule(internet.Now, () => meeting.First.Node.ClosePortMappings(internet.Now));
        Assert.True(internet.RunUntil(() => meeting.First.Node.ArePortMappingsClosed, TimeSpan.FromSeconds(1)));
        Assert.Equal(0, first.Mappings);
        // Who is connected stays so: the flow is the router's.
        Assert.True(meeting.Second.Send("still here"));
        Assert.True(internet.RunUntil(() => meeting.Second.Undelivered == 0, TimeSpan.FromSeconds(1)));

        meeting.Second.Kill();
        meeting.Second.Machine.Sockets[^1].Close();
        Assert.Equal(1, second.Mappings);
        internet.RunFor(MappingSlot.WantedLease);
        Assert.Equal(0, second.Mappings);
    });

    private static SimulatedGateway Map(VirtualInternet internet, SimulatedPeer peer, GatewayBehavior behavior)
    {
        var gateway = new SimulatedGateway(internet, peer.Machine.Site!, behavior);
        peer.UseGateway(gateway);
        return gateway;
    }
}
