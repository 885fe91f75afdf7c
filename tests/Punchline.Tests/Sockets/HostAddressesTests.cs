using System.Net;
using Punchline.Protocols.Traversal;
using Punchline.Sockets;

namespace Punchline.Tests.Sockets;

/// <summary>From what a system says of its interfaces to the candidates that others hear of.</summary>
public sealed class HostAddressesTests
{
    private static readonly IPEndPoint Both = new(IPAddress.IPv6Any, 40_000);

    [Theory]
    // The families by turns, IPv6 first.
    [InlineData("192.168.1.2 gateway, 10.9.0.1 gateway, 2001:db8::2 gateway", "2001:db8::2 192.168.1.2 10.9.0.1")]
    // What the system itself takes, then what has a router, then bridges.
    [InlineData("172.17.0.1, 192.168.1.2 gateway, 10.8.0.2 chosen", "10.8.0.2 192.168.1.2 172.17.0.1")]
    // RFC 6724 §5: global before unique local, temporary before lasting, deprecated behind all.
    [InlineData(
        "2001:db8::dead gateway deprecated, fd00::2 gateway, 2001:db8::2 gateway, 2001:db8::1234 gateway temporary",
        "2001:db8::1234 2001:db8::2 fd00::2 2001:db8::dead")]
    // Where the administrator prefers the lasting one, the system's choice says so.
    [InlineData("2001:db8::1234 gateway temporary, 2001:db8::2 gateway chosen", "2001:db8::2 2001:db8::1234")]
    [InlineData("2001:db8::2 gateway deprecated chosen, 2001:db8::3", "2001:db8::3 2001:db8::2")]
    // Link-local ones mean nothing to others, and what another machine has is not ours.
    [InlineData("fe80::1 gateway, 169.254.3.4 gateway, 2001:db8::2 gateway unusable, 2001:db8::3 gateway", "2001:db8::3")]
    [InlineData("127.0.0.1, ::1, 172.17.0.1, fd00::2", "fd00::2 172.17.0.1 ::1 127.0.0.1")]
    [InlineData("192.168.1.2 gateway, 192.168.1.2", "192.168.1.2")]
    public void The_best_come_first(string addresses, string expected) => Assert.Equal(expected, Rank(addresses, Both));

    [Theory]
    [InlineData("::", "2001:db8::2 192.168.1.2 2001:db8::3 127.0.0.1")]
    [InlineData("0.0.0.0", "192.168.1.2 127.0.0.1")]
    [InlineData("2001:db8::3", "2001:db8::3")]
    [InlineData("192.168.1.2", "192.168.1.2")]
    public void A_socket_is_reached_by_what_it_is_bound_to(string bound, string expected) =>
        Assert.Equal(expected, Rank("192.168.1.2 gateway, 127.0.0.1, 2001:db8::2 gateway, 2001:db8::3", new(IPAddress.Parse(bound), 40_000)));

    [Fact]
    public void Dozens_of_bridges_push_out_neither_the_good_address_nor_the_other_family()
    {
        var noise = string.Join(", ", Enumerable.Range(1, 60).Select(i => $"172.17.{i}.1, fd00:{i}::1"));
        var ranked = Rank($"{noise}, 192.168.1.2 gateway, 2001:db8::2 gateway", Both).Split(' ');
        Assert.Equal(["2001:db8::2", "192.168.1.2"], ranked.Take(2));
        Assert.Equal(Candidate.MaxPerPeer, ranked.Length);
        Assert.Equal(Candidate.MaxPerPeer / 2, ranked.Count(address => !address.Contains(':', StringComparison.Ordinal)));
    }

    [Fact]
    public void Linux_tells_the_state_of_its_IPv6_addresses()
    {
        // As cat prints them: a lasting, a temporary, a deprecated temporary, a tentative, an optimistic, and a duplicate one.
        var flags = LinuxInterfaceFlags.Parse(
        [
            "20010db8000000000000000000000002 02 40 00 80     eth0",
            "20010db8000000000000000000000003 02 40 00 01     eth0",
            "20010db8000000000000000000000004 02 40 00 21     eth0",
            "20010db8000000000000000000000005 02 40 00 40     eth0",
            "20010db8000000000000000000000006 02 40 00 44     eth0",
            "20010db8000000000000000000000007 02 40 00 c8     eth0",
            "nonsense",
            "",
        ]);
        InterfaceAddressTraits[] expected =
        [
            InterfaceAddressTraits.None, InterfaceAddressTraits.Temporary, InterfaceAddressTraits.Temporary | InterfaceAddressTraits.Deprecated,
            InterfaceAddressTraits.Unusable, InterfaceAddressTraits.None, InterfaceAddressTraits.Unusable,
        ];
        Assert.Equal(expected, Enumerable.Range(2, 6).Select(i => flags[IPAddress.Parse($"2001:db8::{i}")]));
        Assert.Equal(6, flags.Count);
    }

    [Fact]
    public void This_machine_has_candidates_with_the_sockets_port_and_none_is_link_local()
    {
        var addresses = HostAddresses.Of(Both);
        Assert.NotEmpty(addresses);
        Assert.All(addresses, address => Assert.Equal(40_000, address.Endpoint.Port));
        Assert.DoesNotContain(addresses, address => AddressScope.IsLinkLocal(address.Endpoint));
        Assert.Contains(addresses, address => AddressScope.IsLoopback(address.Endpoint));
    }

    private static string Rank(string addresses, IPEndPoint bound)
    {
        var words = addresses.Split(", ").Select(text => text.Split(' ')).ToList();
        var ranked = HostAddresses.Rank(
            words.Select(word => new InterfaceAddress(IPAddress.Parse(word[0]), 64, Traits(word))),
            [.. words.Where(word => word.Contains("chosen")).Select(word => IPAddress.Parse(word[0]))],
            bound);
        return string.Join(' ', ranked.Select(address => address.Endpoint.ToIPAddress()));
    }

    private static InterfaceAddressTraits Traits(string[] words)
    {
        var traits = InterfaceAddressTraits.None;
        if (words.Contains("gateway")) traits |= InterfaceAddressTraits.HasGateway;
        if (words.Contains("temporary")) traits |= InterfaceAddressTraits.Temporary;
        if (words.Contains("deprecated")) traits |= InterfaceAddressTraits.Deprecated;
        return words.Contains("unusable") ? traits | InterfaceAddressTraits.Unusable : traits;
    }
}
