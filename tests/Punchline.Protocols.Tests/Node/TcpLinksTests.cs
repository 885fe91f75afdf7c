using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.Node;

public sealed class TcpLinksTests
{
    [Theory]
    [InlineData("198.51.100.10", "198.51.100.10", "198.51.100.11")]
    [InlineData("2001:db8:1::10", "2001:db8:1::ffff", "2001:db8:1:1::10")] // who has a link has all its addresses
    public void One_site_has_eight_connections_that_have_shown_nothing(string one, string same, string other)
    {
        var links = new TcpLinks();
        links.Open(40_000, hasIPv4: true, hasIPv6: true);
        for (ushort port = 1; port <= TcpLinks.MaxUnprovenPerAddress; port++) Assert.True(links.TryAccept(At(one, port), Timestamp.Zero, out _));
        Assert.False(links.TryAccept(At(same, 5_000), Timestamp.Zero, out _));
        Assert.True(links.TryAccept(At(other, 5_000), Timestamp.Zero, out _));
        Assert.Equal(TcpLinks.MaxUnprovenPerAddress + 1, links.Count);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_port_is_of_the_families_that_the_driver_has_it_in(bool hasIPv4, bool hasIPv6)
    {
        var links = new TcpLinks();
        Assert.False(links.IsOf(At("198.51.100.10", 1)) || links.IsOf(At("2001:db8::1", 1)));
        links.Open(40_000, hasIPv4, hasIPv6);
        Assert.Equal((hasIPv4, hasIPv6), (links.IsOf(At("198.51.100.10", 1)), links.IsOf(At("2001:db8::1", 1))));
    }

    private static Endpoint At(string address, ushort port) => Endpoint.From(System.Net.IPAddress.Parse(address), port);
}
