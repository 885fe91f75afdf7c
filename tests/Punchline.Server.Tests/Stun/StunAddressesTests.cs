using System.Net;
using Punchline.Server.Stun;

namespace Punchline.Server.Tests.Stun;

/// <summary>Where a peer is sent for STUN, by the address that it reached the server at.</summary>
public sealed class StunAddressesTests
{
    [Theory]
    [InlineData("203.0.113.10", "203.0.113.10 2001:db8::10", "203.0.113.10 2001:db8::10")]
    [InlineData("2001:db8::10", "203.0.113.10 2001:db8::10", "2001:db8::10 203.0.113.10")]
    // Kestrel's socket is of both families.
    [InlineData("::ffff:203.0.113.10", "2001:db8::10", "203.0.113.10 2001:db8::10")]
    // An address of the LAN is of no use to who came from the internet, but one of the internet is to the LAN.
    [InlineData("2001:db8::10", "192.168.1.2", "2001:db8::10")]
    [InlineData("192.168.1.2", "fd00::2 2001:db8::10", "192.168.1.2 2001:db8::10")]
    [InlineData("192.168.1.2", "fd00::2", "192.168.1.2 fd00::2")]
    [InlineData("fd00::2", "127.0.0.1 192.168.1.2", "fd00::2 192.168.1.2")]
    // Loopback stays among itself.
    [InlineData("127.0.0.1", "127.0.0.1 ::1 2001:db8::10", "127.0.0.1 ::1")]
    [InlineData("203.0.113.10", "::1", "203.0.113.10")]
    // One of the other family is enough, and none is needed.
    [InlineData("203.0.113.10", "2001:db8::10 2001:db8::11 203.0.113.11", "203.0.113.10 2001:db8::10")]
    [InlineData("203.0.113.10", "", "203.0.113.10")]
    public void The_address_reached_and_one_of_the_other_family(string reached, string listening, string expected) => Assert.Equal(
        expected,
        string.Join(' ', StunAddresses.For(
            IPAddress.Parse(reached),
            listening.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(address => new IPEndPoint(IPAddress.Parse(address), 8080)))));
}
