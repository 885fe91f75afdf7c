using System.Buffers.Binary;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Gateways;

namespace Punchline.Protocols.Tests.PortMapping;

public sealed class PortMapperTests
{
    private static readonly Endpoint Mapped = Endpoint.Parse("198.51.100.7:40000");

    public static TheoryData<string> Protocols { get; } = ["pcp", "nat-pmp", "upnp1", "upnp2", "all"];

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Whatever_the_gateway_speaks_the_port_is_mapped_renewed_and_deleted(string protocol)
    {
        var driver = new MapperDriver(Behavior(protocol));
        driver.Start();
        driver.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([new PortMapperEvent(MappedTransport.Udp, Mapped)], driver.Events);
        Assert.Equal(Mapped, driver.Mapper.Status.Udp);
        Assert.Equal(Mapped.WithPort(0), driver.Mapper.Status.ExternalAddress);
        Assert.Equal(Holder(protocol), driver.Mapper.Status.Protocol);
        Assert.Equal(MapperDriver.Local.WithPort(MapperDriver.InternalPort), driver.Gateway.Find(MappedTransport.Udp, Mapped.Port, driver.Now)?.Inside);

        // A day of renewals: it never lapses, and nobody hears of them. Each costs a packet or two, every 300 to 375 s.
        var before = driver.Gateway.Requests;
        for (var minute = 0; minute < 24 * 60; minute++)
        {
            driver.RunFor(TimeSpan.FromMinutes(1));
            Assert.Equal(1, driver.Gateway.CountMappings(driver.Now));
        }
        Assert.Single(driver.Events);
        var searches = driver.Sent.Count(sent => sent.To.Port == SsdpMessage.Port && sent.At > Timestamp.Zero + TimeSpan.FromSeconds(200));
        Assert.InRange(driver.Gateway.Requests - before - searches, 230, 2 * 289 + 85);

        driver.Mapper.Close(driver.Now);
        driver.Drain();
        Assert.True(driver.Mapper.IsOver);
        Assert.Equal(0, driver.Gateway.CountMappings(driver.Now));
        Assert.Equal(Timestamp.Never, driver.Mapper.NextTimeout);
    }

    [Fact]
    public void All_protocols_are_asked_at_once()
    {
        var driver = new MapperDriver(GatewayBehavior.OfAll) { IsReachable = false };
        driver.Start();
        Assert.Equal(
            ["192.168.1.1:5351 2", "192.168.1.1:5351 60", "239.255.255.250:1900 137", "239.255.255.250:1900 137", "192.168.1.1:1900 137"],
            driver.Sent.Select(sent => $"{sent.To} {sent.Bytes.Length}"));
        Assert.Equal(new PortMapperStatus(MapperDriver.GatewayAddress, GatewaySupport.Silent, GatewaySupport.Silent, GatewaySupport.Silent, 0, null, null, null, null), driver.Mapper.Status);
    }

    [Fact]
    public void A_silent_gateway_is_asked_at_the_times_of_the_RFCs()
    {
        var driver = new MapperDriver(GatewayBehavior.OfAll) { IsReachable = false };
        driver.Start();
        driver.RunFor(TimeSpan.FromHours(2));
        var start = driver.Sent[0].At;
        // RFC 6886 §3.1: 250 ms, doubled, nine times in all.
        Assert.Equal<int>(
            [0, 250, 750, 1_750, 3_750, 7_750, 15_750, 31_750, 63_750],
            driver.Sent.Where(sent => sent.Bytes.Length == NatPmpRequest.AddressLength).Select(sent => (int)(sent.At - start).TotalMilliseconds));
        // RFC 6887 §8.1.1: 3 s, doubled up to 1,024 s, each a tenth more or less.
        var pcp = driver.Sent.Where(sent => sent.Bytes.Length == PcpMapRequest.Length).Select(sent => sent.At).ToArray();
        var (previous, longest) = (0.0, 0.0);
        foreach (var interval in pcp.Zip(pcp[1..], (at, next) => (next - at).TotalSeconds))
        {
            var expected = previous == 0 ? 3 : Math.Min(2 * previous, 1_024);
            Assert.InRange(interval, 0.9 * expected, 1.1 * expected);
            (previous, longest) = (interval, Math.Max(longest, interval));
        }
        Assert.InRange(longest, 900, 1_127);
        // SSDP: three rounds, then every ten minutes.
        Assert.Equal<int>([0, 1, 3, 603], driver.Sent.Where(sent => sent.To == SsdpMessage.Multicast).Select(sent => (int)(sent.At - start).TotalSeconds).Distinct().Take(4));
        Assert.Empty(driver.Events);
    }

    [Fact]
    public void A_TCP_port_is_mapped_only_where_it_is_asked_for()
    {
        foreach (var protocol in Protocols)
        {
            var driver = new MapperDriver(Behavior(protocol));
            driver.Start();
            driver.RunFor(TimeSpan.FromSeconds(1));
            Assert.Null(driver.Mapper.Status.Tcp);
            driver.Mapper.Map(MappedTransport.Tcp, 40_002, driver.Now);
            driver.Drain();
            Assert.Equal(Mapped.WithPort(40_002), driver.Mapper.Status.Tcp);
            Assert.Equal(2, driver.Gateway.CountMappings(driver.Now));
            driver.Mapper.Close(driver.Now);
            driver.Drain();
            Assert.Equal(0, driver.Gateway.CountMappings(driver.Now));
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_port_that_another_has_is_not_asked_for_again(string protocol)
    {
        var driver = new MapperDriver(Behavior(protocol) with { TakenPorts = new HashSet<ushort> { 40_000, 40_001 } });
        driver.Start();
        driver.RunFor(TimeSpan.FromSeconds(1));
        var mapped = Assert.NotNull(driver.Mapper.Status.Udp);
        Assert.DoesNotContain(mapped.Port, new ushort[] { 40_000, 40_001 });
        Assert.Equal(MapperDriver.InternalPort, driver.Gateway.Find(MappedTransport.Udp, mapped.Port, driver.Now)?.Inside.Port);
        driver.RunFor(TimeSpan.FromHours(1));
        Assert.Equal(mapped, driver.Mapper.Status.Udp);
        Assert.Single(driver.Events);
    }

    [Fact]
    public void A_gateway_whose_every_port_is_taken_is_left_in_peace_for_a_while()
    {
        var all = Enumerable.Range(0, 65_536).Select(port => (ushort)port).ToHashSet();
        var driver = new MapperDriver(GatewayBehavior.OfUpnp1 with { TakenPorts = all });
        driver.Start();
        driver.RunFor(TimeSpan.FromMinutes(14));
        Assert.Equal(1 + UpnpClient.MaxConflicts, driver.Exchanges.Count(exchange => exchange.Request.Action?.Contains("#AddPortMapping", StringComparison.Ordinal) is true));
        Assert.Equal(GatewaySupport.Refuses, driver.Mapper.Status.Upnp);
        Assert.Empty(driver.Events);
    }

    [Theory]
    [InlineData("upnp1")]
    [InlineData("upnp2")]
    public void A_router_without_leases_gets_a_mapping_without_end_that_is_made_anew_and_deleted(string protocol)
    {
        var driver = new MapperDriver(Behavior(protocol) with { OnlyPermanentLeases = true });
        driver.Start();
        Assert.Equal(Mapped, driver.Mapper.Status.Udp);
        Assert.Equal(Timestamp.Never, driver.Gateway.Find(MappedTransport.Udp, Mapped.Port, driver.Now)?.Expires);
        driver.Gateway.Restart(driver.Now);
        driver.RunFor(TimeSpan.FromSeconds(376));
        Assert.Equal(1, driver.Gateway.CountMappings(driver.Now));
        driver.Mapper.Close(driver.Now);
        driver.Drain();
        Assert.Equal(0, driver.Gateway.CountMappings(driver.Now));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_gateway_that_lost_everything_has_it_again_with_the_next_renewal_or_as_soon_as_our_address_moves(string protocol)
    {
        var driver = new MapperDriver(Behavior(protocol));
        driver.Start();
        driver.RunFor(TimeSpan.FromSeconds(10));
        driver.Gateway.Restart(driver.Now);
        driver.RunFor(TimeSpan.FromSeconds(375));
        Assert.Equal(1, driver.Gateway.CountMappings(driver.Now));
        Assert.Single(driver.Events);

        driver.Gateway.Restart(driver.Now);
        driver.External = Endpoint.Parse("198.51.100.99:0");
        driver.Mapper.Refresh(driver.Now);
        driver.Drain();
        driver.RunFor(PortControlClient.MinRenewalInterval);
        Assert.Equal(1, driver.Gateway.CountMappings(driver.Now));
        Assert.Equal(driver.External.WithPort(40_000), driver.Mapper.Status.Udp);
        Assert.Equal([Mapped, driver.External.WithPort(40_000)], driver.Events.Select(told => told.External));
    }

    [Fact]
    public void An_epoch_that_began_anew_has_the_other_mapping_renewed_at_once()
    {
        var driver = new MapperDriver(GatewayBehavior.OfPcp);
        driver.Start();
        driver.RunFor(TimeSpan.FromSeconds(200));
        driver.Mapper.Map(MappedTransport.Tcp, 40_002, driver.Now);
        driver.Drain();
        driver.Gateway.Restart(driver.Now);
        // UDP's renewal is due first, and its answer tells.
        driver.RunFor(TimeSpan.FromSeconds(375 - 200) + PortControlClient.MaxRestartDelay);
        Assert.Equal(2, driver.Gateway.CountMappings(driver.Now));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void A_gateway_that_is_gone_takes_its_mapping_with_it_and_gets_it_back(string protocol)
    {
        var driver = new MapperDriver(Behavior(protocol));
        driver.Start();
        driver.RunFor(TimeSpan.FromSeconds(1));
        driver.IsReachable = false;
        driver.RunFor(MappingSlot.WantedLease);
        Assert.Equal([Mapped, null], driver.Events.Select(told => told.External));
        driver.IsReachable = true;
        driver.RunFor(TimeSpan.FromHours(1));
        Assert.Equal([Mapped, null, Mapped], driver.Events.Select(told => told.External));
    }

    [Fact]
    public void A_refusal_is_told_and_not_argued_with()
    {
        var driver = new MapperDriver(GatewayBehavior.OfAll with { Refuses = true });
        driver.Start();
        driver.RunFor(TimeSpan.FromMinutes(14));
        Assert.Equal(GatewaySupport.Refuses, driver.Mapper.Status.Pcp);
        Assert.Equal(GatewaySupport.Speaks, driver.Mapper.Status.NatPmp);
        Assert.Equal(GatewaySupport.Refuses, driver.Mapper.Status.Upnp);
        Assert.Equal(Mapped.WithPort(0), driver.Mapper.Status.ExternalAddress);
        Assert.Empty(driver.Events);
        Assert.Single(driver.Sent, sent => sent.Bytes.Length == PcpMapRequest.Length);
    }

    [Fact]
    public void A_gateway_that_knows_no_PCP_is_asked_by_NAT_PMP_without_waiting()
    {
        var driver = new MapperDriver(GatewayBehavior.OfNatPmp);
        driver.Start();
        Assert.Equal(Mapped, driver.Mapper.Status.Udp);
        Assert.Equal((GatewaySupport.Lacks, GatewaySupport.Speaks), (driver.Mapper.Status.Pcp, driver.Mapper.Status.NatPmp));
    }

    [Fact]
    public void Where_a_PCP_request_is_not_even_refused_NAT_PMP_takes_over_after_a_moment()
    {
        var mapper = new PortMapper(new Punchline.Simulation.SeededRandom(1));
        var now = Timestamp.Zero;
        mapper.Map(MappedTransport.Udp, 40_000, now);
        mapper.SetGateway(MapperDriver.GatewayAddress, MapperDriver.Local, now);
        var buffer = new byte[PortMapper.MaxDatagram];
        while (mapper.TryDequeueTransmit(now, buffer, out _)) { }
        mapper.HandleDatagram(MapperDriver.GatewayAddress.WithPort(5351), Convert.FromHexString("00800000000003492C80000B"), now);
        Assert.False(mapper.TryDequeueTransmit(now, buffer, out _));
        Assert.Equal(now + PortControlClient.PcpGrace, mapper.NextTimeout);
        now = mapper.NextTimeout;
        mapper.HandleTimeout(now);
        Assert.True(mapper.TryDequeueTransmit(now, buffer, out var transmit));
        Assert.Equal("000100009C409C4000000258", Convert.ToHexString(buffer.AsSpan(0, transmit.Length)));
    }

    [Fact]
    public void Only_the_gateway_is_listened_to_and_only_where_it_was_asked()
    {
        var driver = new MapperDriver(GatewayBehavior.OfAll) { IsReachable = false };
        driver.Start();
        var request = driver.Sent.Single(sent => sent.Bytes.Length == PcpMapRequest.Length).Bytes;
        var answer = driver.Gateway.Answer(PcpMapResponse.ServerPort, MapperDriver.Local, request, driver.Now)!;
        var search = driver.Gateway.Answer(SsdpMessage.Port, MapperDriver.Local, driver.Sent[2].Bytes, driver.Now)!;
        // From a neighbour, from another port, with another nonce or port.
        driver.Mapper.HandleDatagram(Endpoint.Parse("192.168.1.66:5351"), answer, driver.Now);
        driver.Mapper.HandleDatagram(Endpoint.Parse("192.168.1.66:1900"), search, driver.Now);
        driver.Mapper.HandleDatagram(MapperDriver.GatewayAddress.WithPort(5352), answer, driver.Now);
        foreach (var at in new[] { 24, 35, 36, 41 })
        {
            var forged = (byte[])answer.Clone();
            forged[at] ^= 1;
            driver.Mapper.HandleDatagram(MapperDriver.GatewayAddress.WithPort(PcpMapResponse.ServerPort), forged, driver.Now);
        }
        driver.Drain();
        Assert.Empty(driver.Events);
        Assert.Empty(driver.Exchanges);
        driver.Mapper.HandleDatagram(MapperDriver.GatewayAddress.WithPort(PcpMapResponse.ServerPort), answer, driver.Now);
        driver.Drain();
        Assert.Equal(Mapped, driver.Mapper.Status.Udp);
        // A second time it answers nothing.
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(42), 50_000);
        driver.Mapper.HandleDatagram(MapperDriver.GatewayAddress.WithPort(PcpMapResponse.ServerPort), answer, driver.Now);
        Assert.Equal(Mapped, driver.Mapper.Status.Udp);
    }

    [Fact]
    public void Another_network_has_another_gateway_and_none_has_no_mapping()
    {
        var driver = new MapperDriver(GatewayBehavior.OfAll);
        driver.Start();
        driver.Mapper.SetGateway(null, default, driver.Now);
        driver.Drain();
        Assert.Equal([Mapped, null], driver.Events.Select(told => told.External));
        Assert.Equal(Timestamp.Never, driver.Mapper.NextTimeout);
        driver.Start();
        Assert.Equal(Mapped, driver.Mapper.Status.Udp);
    }

    [Fact]
    public void What_is_not_answered_to_a_deletion_does_not_keep_anybody()
    {
        var driver = new MapperDriver(GatewayBehavior.OfPcp);
        driver.Start();
        driver.IsReachable = false;
        driver.Mapper.Close(driver.Now);
        driver.Drain();
        Assert.False(driver.Mapper.IsOver);
        var before = driver.Sent.Count;
        driver.RunFor(TimeSpan.FromSeconds(5));
        Assert.True(driver.Mapper.IsOver);
        Assert.Equal(PortControlClient.MaxDeletions - 1, driver.Sent.Count - before);
        Assert.Equal(Timestamp.Never, driver.Mapper.NextTimeout);
    }

    private static GatewayBehavior Behavior(string protocol) => protocol switch
    {
        "pcp" => GatewayBehavior.OfPcp,
        "nat-pmp" => GatewayBehavior.OfNatPmp,
        "upnp1" => GatewayBehavior.OfUpnp1,
        "upnp2" => GatewayBehavior.OfUpnp2,
        _ => GatewayBehavior.OfAll,
    };

    private static PortMappingProtocol Holder(string protocol) => protocol switch
    {
        "nat-pmp" => PortMappingProtocol.NatPmp,
        "upnp1" or "upnp2" => PortMappingProtocol.Upnp,
        _ => PortMappingProtocol.Pcp,
    };
}
