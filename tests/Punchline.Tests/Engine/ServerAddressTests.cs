using Punchline.Engine;
using Punchline.Protocols.Coordination;

namespace Punchline.Tests.Engine;

public sealed class ServerAddressTests
{
    private const string Pin = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    [Theory]
    [InlineData("coordinate.example", "coordinate.example", 8080, null, "coordinate.example:8080")]
    [InlineData("Coordinate.EXAMPLE:443", "coordinate.example", 443, null, "coordinate.example")]
    [InlineData("192.0.2.1:9000#" + Pin, "192.0.2.1", 9000, Pin, "192.0.2.1:9000")]
    [InlineData(" host#" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "host", 8080, Pin, "host:8080")]
    [InlineData("[2001:DB8:0::1]", "2001:db8::1", 8080, null, "[2001:db8::1]:8080")]
    [InlineData("[2001:db8::1]:443#" + Pin, "2001:db8::1", 443, Pin, "[2001:db8::1]")]
    [InlineData("bücher.example:65535", "xn--bcher-kva.example", 65535, null, "xn--bcher-kva.example:65535")]
    public void Is_read(string text, string host, int port, string? pin, string authority)
    {
        Assert.True(ServerAddress.TryParse(text, out var address, out _));
        Assert.Equal((host, port, pin, authority), (address.Host, address.Port, address.Pin, address.Authority));
        Assert.Equal($"/v1/rooms/{new string('a', 26)}", address.UriOf(CoordinationUrl.PathOf(new byte[16])).AbsolutePath);
        Assert.True(ServerAddress.TryParse(address.ToString(), out var again, out _));
        Assert.Equal(address, again);
    }

    [Theory]
    [InlineData("", "missing")]
    [InlineData(":8080", "missing")]
    [InlineData("#" + Pin, "missing")]
    [InlineData("host:", "'' is not a port")]
    [InlineData("host:0", "'0' is not a port")]
    [InlineData("host:65536", "'65536' is not a port")]
    [InlineData("host:-1", "'-1' is not a port")]
    [InlineData("host:http", "'http' is not a port")]
    [InlineData("host#short", "'short' is not a server's pin")]
    [InlineData("host#", "'' is not a server's pin")]
    [InlineData("2001:db8::1", "stands in brackets")]
    [InlineData("[2001:db8::1", "not an IPv6 address in brackets")]
    [InlineData("[192.0.2.1]:80", "not an IPv6 address in brackets")]
    [InlineData("[::1]8080", "not an IPv6 address in brackets")]
    [InlineData("[fe80::1%1]:80", "has a zone")]
    [InlineData("https://host", "is a URL")]
    [InlineData("host/v1", "is a URL")]
    [InlineData("two words", "neither a host's name nor an IP address")]
    public void Is_refused_with_the_reason(string text, string expected)
    {
        Assert.False(ServerAddress.TryParse(text, out _, out var error));
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }
}
