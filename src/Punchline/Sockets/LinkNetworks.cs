using System.Net;
using System.Net.NetworkInformation;
using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>The interfaces on whose links members are looked for.</summary>
internal static class LinkNetworks
{
    /// <summary>Those that carry multicast, the best first: whose address is among the first candidates, with all its addresses.</summary>
    /// <param name="bound">The punching socket's end.</param>
    public static IReadOnlyList<MdnsNetwork> Of(IPEndPoint bound)
    {
        try
        {
            return Group(HostAddresses.InOrder(InterfaceAddress.All(), HostAddresses.Chosen(), bound), bound);
        }
        catch (NetworkInformationException)
        {
            // A system that does not tell.
            return [];
        }
    }

    /// <summary>Addresses by their interfaces, in the order in which those come up, as many as are of use.</summary>
    public static IReadOnlyList<MdnsNetwork> Group(IEnumerable<InterfaceAddress> ordered, IPEndPoint bound) =>
    [
        .. ordered.Where(address => address.Interface is { SupportsMulticast: true, NetworkInterfaceType: not NetworkInterfaceType.Loopback })
            .GroupBy(address => address.Interface!.Id, StringComparer.Ordinal)
            .Take(MdnsNode.MaxNetworks)
            .Select(group => new MdnsNetwork(IndexOf(group.First().Interface!), [.. group.Take(MdnsNetwork.MaxAddresses)
                .Select(address => new HostAddress(Endpoint.From(address.Address, (ushort)bound.Port), address.PrefixLength))]))
            .Where(network => network.Number != 0),
    ];

    // 0 where the system does not say: then it would choose the interface itself.
    private static int IndexOf(NetworkInterface network)
    {
        try
        {
            var properties = network.GetIPProperties();
            return network.Supports(NetworkInterfaceComponent.IPv4) ? properties.GetIPv4Properties().Index : properties.GetIPv6Properties().Index;
        }
        catch (NetworkInformationException)
        {
            // It went meanwhile.
            return 0;
        }
    }
}
