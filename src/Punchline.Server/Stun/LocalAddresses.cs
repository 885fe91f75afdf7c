using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Punchline.Server.Stun;

/// <summary>The addresses that this machine can be reached at.</summary>
internal static class LocalAddresses
{
    /// <summary>
    /// What to bind for an address: itself; for <see cref="IPAddress.Any"/> all unicast IPv4 addresses, and for
    /// <see cref="IPAddress.IPv6Any"/> those of both families. IPv6 link-local ones are left out: a candidate carries no scope.
    /// </summary>
    /// <exception cref="NetworkInformationException">The system does not list its interfaces.</exception>
    public static IReadOnlyList<IPAddress> Of(IPAddress address)
    {
        if (!IsAny(address)) return [address];
        return
        [
            .. NetworkInterface.GetAllNetworkInterfaces()
                .Where(network => network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                .SelectMany(network => network.GetIPProperties().UnicastAddresses)
                .Select(unicast => unicast.Address)
                .Where(unicast => unicast.AddressFamily == AddressFamily.InterNetwork || address.Equals(IPAddress.IPv6Any))
                .Where(unicast => !unicast.IsIPv6LinkLocal)
                .Distinct(),
        ];
    }

    public static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
