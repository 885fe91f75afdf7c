using System.Net;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Server.Stun;

/// <summary>Which of the server's addresses a peer is told to ask, so that it learns what each family's routers make of its own.</summary>
internal static class StunAddresses
{
    /// <summary>The address by which the peer came, and one of the other family, where one goes as far.</summary>
    /// <param name="reached">By which the peer came.</param>
    /// <param name="listening">Where STUN answers.</param>
    public static IReadOnlyList<IPAddress> For(IPAddress reached, IEnumerable<IPEndPoint> listening)
    {
        if (reached.IsIPv4MappedToIPv6) reached = reached.MapToIPv4();
        var other = listening.Select(endpoint => endpoint.Address)
            .Where(address => address.AddressFamily != reached.AddressFamily && ReachOf(address) >= ReachOf(reached) && IPAddress.IsLoopback(address) == IPAddress.IsLoopback(reached))
            // The widest first; among equals the system's order decides.
            .OrderByDescending(ReachOf).FirstOrDefault();
        return other is null ? [reached] : [reached, other];
    }

    // A home's server may be reached from everywhere by IPv6, and by IPv4 from its LAN only: a stranger would ask an address of his own LAN.
    private static int ReachOf(IPAddress address)
    {
        var endpoint = Endpoint.From(address, 0);
        return AddressScope.IsLoopback(endpoint) ? 0 : AddressScope.IsPrivate(endpoint) ? 1 : 2;
    }
}
