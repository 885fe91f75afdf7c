using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests;

public sealed class RoutingTests
{
    private static readonly byte[] Datagram = [1, 2, 3];

    [Theory] // the sender's router, the core, the peer's router; then one more for a carrier's NAT
    [InlineData(1, false, "a-gw", nameof(Verdict.TimeToLiveExceeded))]
    [InlineData(2, false, "core", nameof(Verdict.TimeToLiveExceeded))]
    [InlineData(3, false, "b-gw", nameof(Verdict.AcceptedByRouter))]
    [InlineData(4, false, "b-gw", nameof(Verdict.AcceptedByRouter))]
    [InlineData(2, true, "isp-gw", nameof(Verdict.TimeToLiveExceeded))]
    [InlineData(3, true, "core", nameof(Verdict.TimeToLiveExceeded))]
    [InlineData(4, true, "b-gw", nameof(Verdict.AcceptedByRouter))]
    public void Time_to_live_ends_where_it_does_in_the_laboratory(byte timeToLive, bool carrier, string place, string verdict)
    {
        using var internet = new VirtualInternet(1);
        var isp = carrier ? internet.AddSite("isp", NatBehavior.PortRestricted, new() { Lan = "100.64.1.0" }) : null;
        var a = internet.AddSite("a", NatBehavior.PortRestricted, new() { Behind = isp });
        var b = internet.AddSite("b", NatBehavior.PortRestrictedAccepting);
        var host = new ScriptedHost();
        internet.AddMachine("a1", a).Bind(5000, host);
        host.Send(b.ExternalAt(5000), Datagram, timeToLive);
        internet.RunFor(TimeSpan.FromSeconds(1));

        var last = internet.Trace.Recent().Last();
        Assert.Equal((place, Enum.Parse<Verdict>(verdict)), (last.Place, last.Verdict));
    }

    [Fact]
    public void A_server_sees_the_external_endpoint_after_both_links_and_its_answer_comes_back()
    {
        using var internet = new VirtualInternet(1);
        var site = internet.AddSite("a", NatBehavior.PortRestricted, new() { Link = LinkConditions.Of(7) });
        var server = internet.AddServer("s1", LinkConditions.Of(2));
        ScriptedHost client = new(), echo = new();
        internet.AddMachine("a1", site).Bind(5000, client);
        server.Bind(3478, echo);
        echo.OnDatagram = (source, datagram) => echo.Send(source, datagram);
        client.Send(server.At(3478), Datagram);

        Assert.True(internet.RunUntil(() => client.Received.Count == 1, TimeSpan.FromSeconds(1)));
        Assert.Equal((Timestamp.FromMilliseconds(9), site.ExternalAt(5000)), (echo.Received[0].At, echo.Received[0].Source));
        Assert.Equal((Timestamp.FromMilliseconds(18), server.At(3478)), (client.Received[0].At, client.Received[0].Source));
        Assert.Equal(Datagram, client.Received[0].Datagram);
    }

    [Fact]
    public void Neighbours_of_one_LAN_talk_past_the_router()
    {
        using var internet = new VirtualInternet(1);
        var site = internet.AddSite("a", NatBehavior.Symmetric);
        ScriptedHost first = new(), second = new();
        var from = internet.AddMachine("a1", site).Bind(5000, first);
        var to = internet.AddMachine("a2", site).Bind(6000, second);
        first.Send(to.LocalEndpoint, Datagram, timeToLive: 1);
        internet.RunFor(TimeSpan.FromSeconds(1));

        var (at, source, _) = Assert.Single(second.Received);
        Assert.Equal((new Timestamp(VirtualInternet.LanDelay.Ticks), from.LocalEndpoint), (at, source));
        Assert.Equal(0, internet.Trace.Count(Verdict.Forwarded));
    }

    [Theory]
    [InlineData(true, 1, 0)]
    [InlineData(false, 0, 1)]
    public void Neighbours_reach_each_other_from_outside_only_with_hairpinning(bool hairpin, int received, int refused)
    {
        using var internet = new VirtualInternet(1);
        var site = internet.AddSite("a", NatBehavior.FullCone with { Hairpin = hairpin });
        var server = internet.AddServer("s1");
        ScriptedHost first = new(), second = new();
        internet.AddMachine("a1", site).Bind(5000, first);
        internet.AddMachine("a2", site).Bind(6000, second);
        second.Send(server.At(9), Datagram); // opens a mapping for 6000
        internet.RunFor(TimeSpan.FromSeconds(1));
        first.Send(site.ExternalAt(6000), Datagram);
        internet.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(received, second.Received.Count);
        Assert.Equal(refused, internet.Trace.Count(Verdict.HairpinRefused));
        // RFC 4787 REQ-9: "External source IP address and port"
        Assert.All(second.Received, packet => Assert.Equal(site.ExternalAt(5000), packet.Source));
    }

    [Fact]
    public void Subscribers_of_a_carrier_share_its_address_and_have_a_block_each()
    {
        using var internet = new VirtualInternet(1);
        var isp = internet.AddSite("isp", NatBehavior.SymmetricBlock, new() { Lan = "100.64.1.0" });
        var server = internet.AddServer("s1");
        var seen = new ScriptedHost();
        server.Bind(3478, seen);
        foreach (var name in new[] { "a", "b" })
        {
            var host = new ScriptedHost();
            internet.AddMachine(name + "1", internet.AddSite(name, NatBehavior.PortRestricted, new() { Behind = isp })).Bind(5000, host);
            host.Send(server.At(3478), Datagram);
        }
        internet.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(2, seen.Received.Count);
        Assert.All(seen.Received, packet => Assert.Equal(isp.ExternalAddress, packet.Source.Address));
        Assert.InRange(seen.Received[0].Source.Port, 30_000, 30_511);
        Assert.InRange(seen.Received[1].Source.Port, 30_512, 31_023);
    }

    [Fact]
    public void A_rebound_router_is_reached_at_its_new_address_only()
    {
        using var internet = new VirtualInternet(1);
        var site = internet.AddSite("a", NatBehavior.FullCone);
        var server = internet.AddServer("s1");
        ScriptedHost client = new(), peer = new();
        internet.AddMachine("a1", site).Bind(5000, client);
        server.Bind(3478, peer);
        client.Send(server.At(3478), Datagram);
        internet.RunFor(TimeSpan.FromSeconds(1));
        var before = site.ExternalAt(5000);

        internet.Rebind(site);
        client.Send(server.At(3478), Datagram);
        peer.Send(before, Datagram);
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([before, site.ExternalAt(5000)], peer.Received.Select(packet => packet.Source));
        Assert.NotEqual(before.Address, site.ExternalAddress);
        Assert.Empty(client.Received);
        Assert.Equal(1, internet.Trace.Count(Verdict.NoRoute));
    }

    [Theory]
    [InlineData("10.9.9.9:5000", nameof(Verdict.NoRoute))] // a private address of somebody else
    [InlineData("192.168.1.77:5000", nameof(Verdict.NoRoute))] // nobody in the own LAN
    [InlineData("203.0.113.10:81", nameof(Verdict.NoListener))] // the server, at a port that is not bound
    public void A_packet_to_nobody_says_so_in_the_trace(string to, string verdict)
    {
        using var internet = new VirtualInternet(1);
        internet.AddServer("s1");
        var host = new ScriptedHost();
        internet.AddMachine("a1", internet.AddSite("a", NatBehavior.PortRestricted)).Bind(5000, host);
        host.Send(Endpoint.Parse(to), Datagram);
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(1, internet.Trace.Count(Enum.Parse<Verdict>(verdict)));
    }

    [Fact]
    public void Input_at_one_port_drains_the_machines_other_ports_too()
    {
        using var internet = new VirtualInternet(1);
        ScriptedHost main = new(), side = new(), peer = new();
        var machine = internet.AddMachine("a1", internet.AddSite("a", NatBehavior.Open));
        machine.Bind(5000, main);
        machine.Bind(5001, side);
        var server = internet.AddServer("s1");
        server.Bind(1, peer);
        main.OnDatagram = (source, datagram) => side.Send(source, datagram);
        peer.Send(machine.At(5000), Datagram);
        internet.RunFor(TimeSpan.FromMilliseconds(20)); // one round trip: nothing else drains the side port

        Assert.Equal((Timestamp.FromMilliseconds(20), machine.At(5001)), (Assert.Single(peer.Received).At, peer.Received[0].Source));
    }

    [Fact]
    public void A_closed_socket_neither_receives_nor_wakes()
    {
        using var internet = new VirtualInternet(1);
        var server = internet.AddServer("s1");
        var core = new TimerHost(Timestamp.FromMilliseconds(100), TimeSpan.FromMilliseconds(100));
        var socket = server.Bind(1, core);
        internet.RunFor(TimeSpan.FromMilliseconds(250));
        socket.Close();
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([Timestamp.FromMilliseconds(100), Timestamp.FromMilliseconds(200)], core.Woken);
    }
}
