using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Punchline.Sockets;

/// <summary>What a system says of an address.</summary>
[Flags]
internal enum InterfaceAddressTraits
{
    None = 0,

    /// <summary>Its interface has a router: it leads somewhere. Containers' bridges and many tunnels have none.</summary>
    HasGateway = 1,

    /// <summary>Changes with time, so as not to be followed (RFC 8981); where a system has one, its packets leave from it.</summary>
    Temporary = 2,

    /// <summary>Good for what is under way, not for anything new (RFC 4862 §5.5.4).</summary>
    Deprecated = 4,

    /// <summary>Not this machine's, or not yet: another has it, or that is still being asked (RFC 4862 §5.4).</summary>
    Unusable = 8,
}

/// <summary>An address of an interface that is up, of either family.</summary>
internal readonly record struct InterfaceAddress(IPAddress Address, int PrefixLength, InterfaceAddressTraits Traits)
{
    /// <summary>Whose it is.</summary>
    public NetworkInterface? Interface { get; init; }

    /// <summary>All of this machine's.</summary>
    /// <exception cref="NetworkInformationException">The system does not list its interfaces.</exception>
    public static IEnumerable<InterfaceAddress> All()
    {
        var linux = OperatingSystem.IsLinux() ? LinuxInterfaceFlags.Read() : null;
        foreach (var network in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (network.OperationalStatus is not (OperationalStatus.Up or OperationalStatus.Unknown)) continue;
            var properties = network.GetIPProperties();
            var ofInterface = HasGateway(properties) ? InterfaceAddressTraits.HasGateway : InterfaceAddressTraits.None;
            foreach (var unicast in properties.UnicastAddresses)
            {
                if (unicast.Address.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) continue;
                var traits = linux is null ? TraitsOf(unicast) : linux.GetValueOrDefault(unicast.Address);
                yield return new InterfaceAddress(unicast.Address, unicast.PrefixLength, ofInterface | traits) { Interface = network };
            }
        }
    }

    private static bool HasGateway(IPInterfaceProperties properties)
    {
        try
        {
            return properties.GatewayAddresses.Any(gateway => !gateway.Address.Equals(IPAddress.Any) && !gateway.Address.Equals(IPAddress.IPv6Any));
        }
        catch (PlatformNotSupportedException)
        {
            return false;
        }
    }

    // Only Windows says it through .NET; on other systems the order in which they choose sources has to do.
    private static InterfaceAddressTraits TraitsOf(UnicastIPAddressInformation unicast)
    {
        if (!OperatingSystem.IsWindows()) return InterfaceAddressTraits.None;
        var traits = unicast.DuplicateAddressDetectionState switch
        {
            DuplicateAddressDetectionState.Deprecated => InterfaceAddressTraits.Deprecated,
            DuplicateAddressDetectionState.Preferred => InterfaceAddressTraits.None,
            _ => InterfaceAddressTraits.Unusable,
        };
        return unicast.SuffixOrigin == SuffixOrigin.Random ? traits | InterfaceAddressTraits.Temporary : traits;
    }
}
