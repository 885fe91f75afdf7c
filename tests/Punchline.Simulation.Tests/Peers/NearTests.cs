using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Gateways;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Peers that are close to each other: on one LAN, or behind one carrier's NAT.</summary>
public sealed class NearTests
{
    private const int Seeds = 20;

    private static readonly LinkConditions Link = new MeetingConditions(OneWayMilliseconds: 20, LossPercent: 0).Link;

    [Theory]
    [InlineData("PCP", true)]
    [InlineData("PCP", false)]
    [InlineData("NAT-PMP", true)]
    [InlineData("UPnP", true)]
    public void Behind_one_carrier_that_does_not_hairpin_one_router_that_maps_ports_is_enough(string protocol, bool isFirst)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.BehindOneNat(internet, NatBehavior.PortRestricted, Link);
                var (mapped, other) = isFirst ? (meeting.First, meeting.Second) : (meeting.Second, meeting.First);
                var gateway = new SimulatedGateway(internet, mapped.Machine.Site!, protocol switch
                {
                    "PCP" => GatewayBehavior.OfPcp,
                    "NAT-PMP" => GatewayBehavior.OfNatPmp,
                    _ => GatewayBehavior.OfUpnp1,
                });
                mapped.UseGateway(gateway);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                var path = Assert.Single(other.EventsOf<NodeEvent.Connected>()).Path;
                Assert.StartsWith("100.64.1.", path.Remote.ToString(), StringComparison.Ordinal);
                // What the gateway maps is known soon behind the introduction, at the latest when both know it.
                Assert.InRange(meeting.Elapsed, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));
            }, $"{protocol}, first {isFirst}");
        }
    }

    [Fact]
    public void Twenty_eight_addresses_of_other_interfaces_delay_nobody_on_one_LAN()
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.OnOneLan(internet, NatBehavior.PortRestricted, Link);
                // As many as an introduction holds beside the one that counts and the reflexive one: bridges that both machines have, and ranked before it.
                foreach (var peer in new[] { meeting.First, meeting.Second })
                {
                    peer.Noise = [.. Enumerable.Range(1, Candidate.MaxPerPeer - 2).Select(n => new HostAddress(Endpoint.Parse($"172.20.{n}.1:{SimulatedPeer.Port}"), 24))];
                    peer.ShowHostAddress();
                }
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
                Assert.InRange(meeting.Elapsed, TimeSpan.Zero, 4 * VirtualInternet.LanDelay);
            });
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(5_000)]
    public void Without_any_server_members_on_one_LAN_meet_within_three_tenths_of_a_second(int laterMilliseconds)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.OnOneLan(internet, NatBehavior.PortRestricted, Link);
                meeting.First.UseLinks();
                internet.RunFor(TimeSpan.FromMilliseconds(laterMilliseconds));
                meeting.Second.UseLinks();
                // A probe within 250 ms, an opener's lead, and some packets over the switch.
                Assert.True(meeting.RunUntilConnected(TimeSpan.FromMilliseconds(280)), "The peers did not connect.");
                Assert.Equal(meeting.Second.Machine.At(SimulatedPeer.Port), Assert.Single(meeting.First.EventsOf<NodeEvent.Connected>()).Path.Remote);
                Assert.True(meeting.First.Send("hello"));
                Assert.True(internet.RunUntil(() => meeting.First.Undelivered == 0, TimeSpan.FromSeconds(1)), "A message was not acknowledged.");
            }, $"{laterMilliseconds} ms later");
        }
    }

    [Fact]
    public void Who_comes_into_a_LAN_hears_of_its_members_and_who_left_for_another_does_not() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.OnOneLan(internet, NatBehavior.PortRestricted, Link);
        var elsewhere = internet.AddSite("elsewhere", NatBehavior.PortRestricted, new SiteOptions { Link = Link });
        meeting.First.UseLinks();
        meeting.Second.UseLinks();
        meeting.Second.Roam(elsewhere);
        internet.RunFor(TimeSpan.FromSeconds(10));
        Assert.Empty(meeting.Second.Events);
        meeting.Second.Roam(meeting.FirstSite);
        Assert.True(meeting.RunUntilConnected(TimeSpan.FromMilliseconds(280)), "The peers did not connect.");
    });

    [Fact]
    public void A_member_that_the_server_has_not_is_met_on_the_LAN_and_gone_when_it_is_silent() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.OnOneLan(internet, NatBehavior.PortRestricted, Link);
        meeting.First.Join(meeting.Server, Link.Delay);
        internet.RunFor(TimeSpan.FromSeconds(1));
        foreach (var peer in new[] { meeting.First, meeting.Second }) peer.UseLinks(hasServer: true);
        Assert.True(meeting.RunUntilConnected(TimeSpan.FromMilliseconds(780)), "The peers did not connect.");
        internet.RunFor(TimeSpan.FromMinutes(2));
        Assert.True(meeting.First.IsConnectedTo(meeting.Second));
        meeting.Second.Kill();
        Assert.True(internet.RunUntil(() => meeting.First.EventsOf<NodeEvent.MemberLeft>().Any(), RoomSession.SilenceLimit + TimeSpan.FromSeconds(3)), "It is still there.");
    });

    [Fact]
    public void Members_that_the_server_has_introduced_are_not_met_a_second_time_on_the_LAN() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.OnOneLan(internet, NatBehavior.PortRestricted, Link);
        foreach (var peer in new[] { meeting.First, meeting.Second })
        {
            peer.UseLinks(hasServer: true);
            peer.Join(meeting.Server, Link.Delay);
            // A contact packet would be one too many.
            peer.Overheard = (_, datagram) => Assert.False(datagram[0] is >= (byte)ContactKind.Hello and <= (byte)ContactKind.Introduction);
        }
        Assert.True(meeting.RunUntilConnected(MeetingMatrix.Patience), "The peers did not connect.");
        internet.RunFor(TimeSpan.FromMinutes(2));
        Assert.Single(meeting.First.EventsOf<NodeEvent.Connected>());
        Assert.Single(meeting.Second.EventsOf<NodeEvent.MemberJoined>());
        meeting.Second.Leave();
        internet.RunFor(TimeSpan.FromSeconds(20));
        Assert.Single(meeting.First.EventsOf<NodeEvent.MemberLeft>());
    });
}
