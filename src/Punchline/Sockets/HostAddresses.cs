using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>The addresses of this machine's interfaces, as candidates.</summary>
internal static class HostAddresses
{
    // Where packets into the internet would leave from; nothing is sent there. 192.0.2.0/24 (RFC 5737) and an unused one of 2000::/3.
    private static readonly IPEndPoint SomewhereIPv4 = new(new IPAddress([192, 0, 2, 1]), 9);
    private static readonly IPEndPoint SomewhereIPv6 = new(IPAddress.Parse("2000::1"), 9);

    /// <summary>All that the socket can be reached at, the best first.</summary>
    public static IReadOnlyList<HostAddress> Of(IPEndPoint bound)
    {
        try
        {
            return Rank(InterfaceAddress.All(), Chosen(), bound);
        }
        catch (NetworkInformationException)
        {
            // A system that does not tell: what STUN sees must do.
            return [];
        }
    }

    /// <summary>
    /// The families by turns; in each, what the system itself takes for its packets into the internet first (that is RFC 6724's choice, with
    /// whatever the administrator made of it), then interfaces with a router, then containers' bridges and the like, then deprecated addresses,
    /// and loopback where there is no better. As many as an introduction holds.
    /// </summary>
    /// <param name="addresses">The system's.</param>
    /// <param name="chosen">The sources that it takes.</param>
    /// <param name="bound">The socket's.</param>
    public static IReadOnlyList<HostAddress> Rank(IEnumerable<InterfaceAddress> addresses, IReadOnlyList<IPAddress> chosen, IPEndPoint bound)
    {
        var families = InOrder(addresses, chosen, bound).ToLookup(address => address.Address.AddressFamily);
        var ranked = families.SelectMany(family => family.Select((address, turn) => (Address: address, Turn: turn)))
            .OrderBy(place => place.Turn).ThenBy(place => place.Address.Address.AddressFamily == AddressFamily.InterNetwork);
        return [.. ranked.Take(Candidate.MaxPerPeer).Select(place => new HostAddress(Endpoint.From(place.Address.Address, (ushort)bound.Port), place.Address.PrefixLength))];
    }

    /// <summary>All that are candidates, of both families, in the order of <see cref="Rank"/> within each.</summary>
    /// <inheritdoc cref="Rank" path="/param"/>
    public static IEnumerable<InterfaceAddress> InOrder(IEnumerable<InterfaceAddress> addresses, IReadOnlyList<IPAddress> chosen, IPEndPoint bound) =>
        addresses.Where(address => IsCandidate(address, bound))
            .DistinctBy(address => address.Address)
            .OrderBy(address => RankOf(address, chosen))
            // RFC 6724 §5, rules 2 and 7: the wider scope, then the temporary one. The sort is stable: the system's order decides among equals.
            .ThenBy(address => AddressScope.IsPrivate(Endpoint.From(address.Address, 0)))
            .ThenBy(address => !address.Traits.HasFlag(InterfaceAddressTraits.Temporary));

    /// <summary>The sources that the system takes for packets into the internet.</summary>
    public static IReadOnlyList<IPAddress> Chosen() => [.. new[] { SomewhereIPv6, SomewhereIPv4 }.Select(ChosenTowards).OfType<IPAddress>()];

    private static bool IsCandidate(InterfaceAddress address, IPEndPoint bound)
    {
        // A link-local one means nothing without a scope, which no candidate has (RFC 4007 §6).
        if (address.Traits.HasFlag(InterfaceAddressTraits.Unusable) || AddressScope.IsLinkLocal(Endpoint.From(address.Address, 0))) return false;
        if (bound.Address.Equals(IPAddress.IPv6Any)) return true;
        return bound.Address.Equals(IPAddress.Any) ? address.Address.AddressFamily == AddressFamily.InterNetwork : bound.Address.Equals(address.Address);
    }

    private static int RankOf(InterfaceAddress address, IReadOnlyList<IPAddress> chosen)
    {
        if (IPAddress.IsLoopback(address.Address)) return 4;
        if (address.Traits.HasFlag(InterfaceAddressTraits.Deprecated)) return 3;
        if (chosen.Contains(address.Address)) return 0;
        return address.Traits.HasFlag(InterfaceAddressTraits.HasGateway) ? 1 : 2;
    }

    private static IPAddress? ChosenTowards(IPEndPoint somewhere)
    {
        try
        {
            using var probe = new Socket(somewhere.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(somewhere);
            return ((IPEndPoint)probe.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            // No such family, or no way out by it.
            return null;
        }
    }
}
