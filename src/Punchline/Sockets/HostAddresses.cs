using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>The addresses of this machine's interfaces, as candidates.</summary>
internal static class HostAddresses
{
    /// <summary>All that the socket can be reached at: loopback last, where there is no better.</summary>
    public static IReadOnlyList<HostAddress> Of(IPEndPoint bound)
    {
        var port = (ushort)bound.Port;
        var addresses = new List<HostAddress>();
        try
        {
            foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
            {
                if (network.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown)) continue;
                foreach (var unicast in network.GetIPProperties().UnicastAddresses)
                {
                    if (unicast.Address.AddressFamily != AddressFamily.InterNetwork) continue;
                    if (!bound.Address.Equals(IPAddress.Any) && !bound.Address.Equals(unicast.Address)) continue;
                    addresses.Add(new HostAddress(Endpoint.From(unicast.Address, port), unicast.PrefixLength));
                }
            }
        }
        catch (NetworkInformationException)
        {
            // A system that does not tell: what STUN sees must do.
        }
        return [.. addresses.OrderBy(address => AddressScope.IsLoopback(address.Endpoint)).Take(Candidate.MaxPerPeer)];
    }
}
