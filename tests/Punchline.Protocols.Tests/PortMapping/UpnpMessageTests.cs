using System.Text;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.PortMapping;

/// <summary>UPnP's XML, as routers write it.</summary>
public sealed class UpnpMessageTests
{
    private static readonly GatewayUrl Location = new(Endpoint.Parse("192.168.1.1:5000"), "/rootDesc.xml");
    private static readonly UpnpService Service = new(UpnpServiceType.IPConnection2, Location);

    // miniupnpd 2.3.1's, without what is not read.
    private const string Miniupnpd = """
        <?xml version="1.0"?>
        <root xmlns="urn:schemas-upnp-org:device-1-0" configId="1337"><specVersion><major>1</major><minor>1</minor></specVersion><device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:2</deviceType><friendlyName>Debian router</friendlyName><serviceList><service><serviceType>urn:schemas-upnp-org:service:Layer3Forwarding:1</serviceType><serviceId>urn:upnp-org:serviceId:L3Forwarding1</serviceId><SCPDURL>/L3F.xml</SCPDURL><controlURL>/ctl/L3F</controlURL><eventSubURL>/evt/L3F</eventSubURL></service></serviceList><deviceList><device><deviceType>urn:schemas-upnp-org:device:WANDevice:2</deviceType><deviceList><device><deviceType>urn:schemas-upnp-org:device:WANConnectionDevice:2</deviceType><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType><serviceId>urn:upnp-org:serviceId:WANIPConn1</serviceId><SCPDURL>/WANIPCn.xml</SCPDURL><controlURL>/ctl/IPConn</controlURL><eventSubURL>/evt/IPConn</eventSubURL></service><service><serviceType>urn:schemas-upnp-org:service:WANIPv6FirewallControl:1</serviceType><controlURL>/ctl/IP6FCtl</controlURL></service></serviceList></device></deviceList></device></deviceList><presentationURL>http://192.168.1.1/</presentationURL></device></root>
        """;

    [Fact]
    public void Miniupnpds_description_has_one_service_that_maps_ports() =>
        Assert.Equal([new UpnpService(UpnpServiceType.IPConnection2, Location with { Path = "/ctl/IPConn" })], Read(Miniupnpd));

    [Fact]
    public void The_best_service_comes_first_and_tolerates_how_routers_write()
    {
        const string text = """
            <root><URLBase>http://192.168.1.1:49152/</URLBase>
            <s:service a="x>y"><s:serviceType>
              urn:schemas-upnp-org:service:WANPPPConnection:1 </s:serviceType><s:controlURL>ppp?a=1&amp;b=2</s:controlURL></s:service>
            <!-- <service> --><service><controlURL><![CDATA[/ip]]></controlURL><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType></service>
            <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType><controlURL>http://192.168.1.66/steal</controlURL></service>
            <service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:2</serviceType><controlURL/></service>
            <service/>
            """;
        var server = Endpoint.Parse("192.168.1.1:49152");
        Assert.Equal(
            [new(UpnpServiceType.IPConnection1, new GatewayUrl(server, "/ip")), new(UpnpServiceType.PppConnection1, new GatewayUrl(server, "/ppp?a=1&b=2"))],
            Read(text));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><body>Login</body></html>")]
    [InlineData("<!DOCTYPE r [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/x</controlURL></service>")]
    [InlineData("<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/x</controlURL>")]
    [InlineData("<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1&#0;</serviceType><controlURL>/x</controlURL></service>")]
    public void What_is_no_description_has_no_service(string text) => Assert.Empty(Read(text));

    [Fact]
    public void More_than_the_limit_is_not_read()
    {
        var service = "<service><serviceType>urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/x</controlURL></service>";
        Assert.Equal(UpnpDescription.MaxServices, Read(string.Concat(Enumerable.Repeat(service, 100))).Count);
        Assert.Empty(Read(service + new string(' ', UpnpDescription.MaxLength)));
    }

    [Fact]
    public void An_action_is_what_miniupnpd_took()
    {
        var action = UpnpAction.Add(MappedTransport.Udp, 41_000, Endpoint.Parse("192.168.1.10:0"), 40_000, 600, any: true);
        Assert.Equal("\"urn:schemas-upnp-org:service:WANIPConnection:2#AddAnyPortMapping\"", action.HeaderFor(Service));
        Assert.Equal(
            "<?xml version=\"1.0\"?>\r\n<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
            + "<u:AddAnyPortMapping xmlns:u=\"urn:schemas-upnp-org:service:WANIPConnection:2\"><NewRemoteHost></NewRemoteHost><NewExternalPort>41000</NewExternalPort>"
            + "<NewProtocol>UDP</NewProtocol><NewInternalPort>40000</NewInternalPort><NewInternalClient>192.168.1.10</NewInternalClient><NewEnabled>1</NewEnabled>"
            + "<NewPortMappingDescription>Punchline</NewPortMappingDescription><NewLeaseDuration>600</NewLeaseDuration></u:AddAnyPortMapping></s:Body></s:Envelope>\r\n",
            Encoding.UTF8.GetString(action.WriteFor(Service)));
    }

    [Theory]
    [InlineData("""<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><u:GetExternalIPAddressResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:2"><NewExternalIPAddress>44.128.0.11</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>""", true, 0, "44.128.0.11:0", 0)]
    [InlineData("""<s:Envelope><s:Body><u:AddAnyPortMappingResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:2"><NewReservedPort>41000</NewReservedPort></u:AddAnyPortMappingResponse></s:Body></s:Envelope>""", true, 0, null, 41_000)]
    [InlineData("""<s:Envelope><s:Body><u:AddPortMappingResponse xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:2"/></s:Body></s:Envelope>""", true, 0, null, 0)]
    [InlineData("""<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault><faultcode>s:Client</faultcode><faultstring>UPnPError</faultstring><detail><UPnPError xmlns="urn:schemas-upnp-org:control-1-0"><errorCode>718</errorCode><errorDescription>ConflictInMappingEntry</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>""", false, 718, null, 0)]
    [InlineData("""<s:Fault><errorCode>99999999999</errorCode></s:Fault><a><NewExternalIPAddress>nowhere</NewExternalIPAddress><NewReservedPort>70000</NewReservedPort>""", false, 0, null, 0)]
    public void Miniupnpds_answers_are_read(string text, bool isSuccess, int code, string? address, ushort port)
    {
        Assert.True(UpnpAnswer.TryRead(Encoding.UTF8.GetBytes(text), out var answer));
        Assert.Equal((isSuccess, code, address, port), (answer.IsSuccess, answer.ErrorCode, answer.ExternalAddress?.ToString(), answer.ReservedPort));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html><h1>500</h1></html>")]
    public void What_is_neither_a_response_nor_a_fault_is_no_answer(string text) => Assert.False(UpnpAnswer.TryRead(Encoding.UTF8.GetBytes(text), out _));

    private static IReadOnlyList<UpnpService> Read(string text) => UpnpDescription.ReadServices(Encoding.UTF8.GetBytes(text), Location);
}
