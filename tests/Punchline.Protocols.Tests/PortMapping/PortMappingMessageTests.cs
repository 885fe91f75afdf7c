using System.Text;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.PortMapping;

/// <summary>Codecs against what miniupnpd 2.3.1 really sent and took, and the specifications' own words.</summary>
public sealed class PortMappingMessageTests
{
    private static readonly Endpoint Gateway = Endpoint.Parse("192.168.1.1:0");
    private static readonly PcpNonce Nonce = new(0x0102030405060708, 0x090a0b0c);

    [Fact]
    public void A_PCP_request_is_what_miniupnpd_took()
    {
        var buffer = new byte[PcpMapRequest.Length];
        var request = new PcpMapRequest(
            Endpoint.Parse("192.168.1.10:0").Address, Nonce, MappedTransport.Udp, 40_001, Endpoint.FromIPv4(0, 40_001), 600);
        Assert.Equal(60, request.Write(buffer));
        Assert.Equal(
            "020100000000025800000000000000000000FFFFC0A8010A0102030405060708090A0B0C110000009C419C4100000000000000000000FFFF00000000",
            Convert.ToHexString(buffer));
    }

    [Fact]
    public void Miniupnpds_PCP_answer_is_read()
    {
        var answer = Convert.FromHexString("0281000000000258000003490000000000000000000000000102030405060708090A0B0C110000009C419C4100000000000000000000FFFF2C80000B");
        Assert.True(PcpMapResponse.TryRead(answer, out var read));
        Assert.Equal(new PcpMapResponse(PcpResult.Success, 600, 0x349, Nonce, MappedTransport.Udp, 40_001, Endpoint.Parse("44.128.0.11:40001")), read);
        for (var length = 0; length < answer.Length; length++) Assert.False(PcpMapResponse.TryRead(answer.AsSpan(0, length), out _));
        // RFC 6887 §8.3: a multiple of 4, and 1,100 at most. Options behind are passed over.
        Assert.False(PcpMapResponse.TryRead([.. answer, 0], out _));
        Assert.True(PcpMapResponse.TryRead([.. answer, 0, 0, 0, 0], out _));
        Assert.True(PcpMapResponse.TryRead([.. answer, .. new byte[1_040]], out _));
        Assert.False(PcpMapResponse.TryRead([.. answer, .. new byte[1_044]], out _));
        // Our own request is no answer, nor is another opcode's.
        answer[1] = 1;
        Assert.False(PcpMapResponse.TryRead(answer, out _));
        answer[1] = 0x82;
        Assert.False(PcpMapResponse.TryRead(answer, out _));
    }

    [Theory]
    // miniupnpd's answer to version 3, which has its result but not its version.
    [InlineData("030100010000000000000349", false)]
    [InlineData("038100010000000000000349", true)]
    [InlineData("018100010000000000000349", true)]
    [InlineData("018100000000000000000349", false)]
    [InlineData("0081000100000349", false)] // NAT-PMP's
    [InlineData("028100010000000000000349", false)]
    [InlineData("038100", false)]
    public void A_refused_version_is_known(string packet, bool expected) => Assert.Equal(expected, PcpVersion.IsRefusal(Convert.FromHexString(packet)));

    [Fact]
    public void NAT_PMP_requests_are_what_miniupnpd_took()
    {
        var buffer = new byte[NatPmpRequest.MapLength];
        Assert.Equal("0000", Convert.ToHexString(buffer.AsSpan(0, NatPmpRequest.WriteAddress(buffer))));
        Assert.Equal("000100009C409C4000000258", Convert.ToHexString(buffer.AsSpan(0, NatPmpRequest.WriteMap(buffer, MappedTransport.Udp, 40_000, 40_000, 600))));
        Assert.Equal("000200009C40000000000000", Convert.ToHexString(buffer.AsSpan(0, NatPmpRequest.WriteMap(buffer, MappedTransport.Tcp, 40_000, 0, 0))));
    }

    [Fact]
    public void Miniupnpds_NAT_PMP_answers_are_read()
    {
        var address = Convert.FromHexString("00800000000003492C80000B");
        Assert.True(NatPmpResponse.TryRead(address, out var read));
        Assert.Equal(new NatPmpResponse(NatPmpResponse.Address, NatPmpResult.Success, 0x349) { ExternalAddress = Endpoint.Parse("44.128.0.11:0") }, read);
        var map = Convert.FromHexString("00810000000003499C409C4000000258");
        Assert.True(NatPmpResponse.TryRead(map, out read));
        Assert.Equal(new NatPmpResponse(NatPmpResponse.MapUdp, NatPmpResult.Success, 0x349) { InternalPort = 40_000, ExternalPort = 40_000, Seconds = 600 }, read);
        for (var length = 0; length < map.Length; length++) Assert.False(NatPmpResponse.TryRead(map.AsSpan(0, length), out _));
        // RFC 6886 §3.5: what refuses may be as short as its result.
        Assert.True(NatPmpResponse.TryRead([0, 0x81, 0, 1], out read));
        Assert.Equal(NatPmpResult.UnsupportedVersion, read.Result);
        Assert.False(NatPmpResponse.TryRead([0, 0, 0, 0], out _));
    }

    [Theory] // RFC 6887 §8.5's arithmetic.
    [InlineData(100, 100, 400, 300, false)]
    [InlineData(100, 99, 0, 0, false)]
    [InlineData(100, 98, 0, 0, true)]
    [InlineData(100, 0, 300, 0, true)]
    [InlineData(100, 400, 0, 320, false)] // 300 s there, 320 here: within a sixteenth and 2 s
    [InlineData(100, 400, 0, 323, true)]
    [InlineData(100, 400, 0, 270, true)]
    [InlineData(100, 400, 0, 280, false)]
    public void An_epoch_that_does_not_go_on_is_a_restart(uint first, uint second, int startSeconds, int elapsedSeconds, bool expected)
    {
        var epoch = default(GatewayEpoch);
        var start = Timestamp.Zero + TimeSpan.FromSeconds(startSeconds);
        Assert.False(epoch.HasRestarted(first, start));
        // The first case's clock is not ours: 300 s pass on both.
        var (seconds, elapsed) = startSeconds == 400 ? (second + 300, 300) : (second, elapsedSeconds);
        Assert.Equal(expected, epoch.HasRestarted(seconds, start + TimeSpan.FromSeconds(elapsed)));
    }

    [Fact]
    public void A_search_is_what_UPnP_wants()
    {
        var buffer = new byte[SsdpMessage.MaxRequestLength];
        Assert.Equal(
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:2\r\n\r\n",
            Encoding.ASCII.GetString(buffer, 0, SsdpMessage.WriteSearch(buffer, SsdpMessage.GatewayDevice2)));
        Assert.Equal("239.255.255.250:1900", SsdpMessage.Multicast.ToString());
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nEXT:\r\nSERVER: Debian/6.18 UPnP/1.1 MiniUPnPd/2.3.1\r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\nOPT: \"http://schemas.upnp.org/upnp/1/0/\"; ns=01\r\n\r\n", "http://192.168.1.1:5000/rootDesc.xml")]
    [InlineData("HTTP/1.0 200 OK\nlocation:http://192.168.1.1/x\nst:urn:schemas-upnp-org:device:InternetGatewayDevice:2\n", "http://192.168.1.1/x")]
    [InlineData("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLOCATION: http://192.168.1.1:5000/rootDesc.xml\r\n\r\n", null)]
    [InlineData("HTTP/1.1 404 Not Found\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: http://192.168.1.1:5000/\r\n\r\n", null)]
    [InlineData("NOTIFY * HTTP/1.1\r\nST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\nLOCATION: http://192.168.1.1:5000/\r\n\r\n", null)]
    [InlineData("HTTP/1.1 200", null)]
    [InlineData("", null)]
    public void A_gateways_location_is_found(string answer, string? expected)
    {
        Assert.Equal(expected is not null, SsdpMessage.TryReadLocation(Encoding.ASCII.GetBytes(answer), out var location));
        if (expected is not null) Assert.Equal(expected, Encoding.ASCII.GetString(location));
    }

    [Theory]
    [InlineData("http://192.168.1.1:5000/rootDesc.xml", "192.168.1.1:5000", "/rootDesc.xml")]
    [InlineData("HTTP://192.168.1.1", "192.168.1.1:80", "/")]
    [InlineData("http://192.168.1.1/a?b=c", "192.168.1.1:80", "/a?b=c")]
    [InlineData("http://192.168.1.2:5000/", null, null)]
    [InlineData("https://192.168.1.1/", null, null)]
    [InlineData("http://router.example/", null, null)]
    [InlineData("http://192.168.1.1@10.0.0.1/", null, null)]
    [InlineData("http://10.0.0.1#@192.168.1.1/", null, null)]
    [InlineData("http://192.168.1.1:0/", null, null)]
    [InlineData("http://192.168.1.1:65536/", null, null)]
    [InlineData("http://192.168.1.1:+80/", null, null)]
    [InlineData("http://192.168.257/", null, null)]
    [InlineData("http://3232235777/", null, null)]
    [InlineData("http://0xc0.0xa8.1.1/", null, null)]
    [InlineData("http://192.168.1.1/a\r\nHost: b", null, null)]
    [InlineData("http://192.168.1.1/a b", null, null)]
    [InlineData("http://192.168.1.1/a#b", null, null)]
    [InlineData("http://", null, null)]
    [InlineData("file:///etc/passwd", null, null)]
    public void Only_the_gateway_itself_has_URLs(string url, string? server, string? path)
    {
        Assert.Equal(server is not null, GatewayUrl.TryParse(Encoding.UTF8.GetBytes(url), Gateway.Address, out var parsed));
        Assert.Equal((server, path), (parsed?.Server.ToString(), parsed?.Path));
    }

    [Theory] // RFC 3986 §5.4, as far as routers go.
    [InlineData("/ctl", "/ctl")]
    [InlineData("ctl/IPConn", "/upnp/ctl/IPConn")]
    [InlineData("?x", "/upnp/?x")]
    [InlineData("http://192.168.1.1:5000/other", "/other")]
    [InlineData("http://192.168.1.9:5000/other", null)]
    [InlineData("//192.168.1.9/other", null)]
    [InlineData("gopher://x", null)]
    [InlineData("", null)]
    public void A_relative_URL_stays_at_the_gateway(string url, string? path)
    {
        Assert.True(GatewayUrl.TryParse("http://192.168.1.1:5000/upnp/desc.xml?a/b"u8, Gateway.Address, out var location));
        Assert.Equal(path is not null, location!.TryResolve(Encoding.UTF8.GetBytes(url), out var resolved));
        Assert.Equal(path, resolved?.Path);
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData("198.51.100.7:0", "198.51.100.7:40000", false)]
    [InlineData("198.51.100.7:0", "198.51.100.8:40000", true)]
    [InlineData("198.51.100.7:0", null, null)]
    [InlineData("100.64.3.2:0", "198.51.100.8:40000", true)]
    [InlineData("192.168.0.2:0", null, true)]
    public void A_second_NAT_is_told_by_the_external_address(string? external, string? reflexive, bool? expected) => Assert.Equal(
        expected, SecondNat.Judge(external is null ? null : Endpoint.Parse(external), reflexive is null ? [] : [Endpoint.Parse(reflexive)]));
}
