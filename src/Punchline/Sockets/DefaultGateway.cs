using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>The router between this machine and the internet.</summary>
/// <param name="Gateway">Its address on our side.</param>
/// <param name="Local">Our address towards it.</param>
internal sealed record DefaultGateway(IPAddress Gateway, IPAddress Local)
{
    private const string RouteTable = "/proc/net/route";

    /// <summary>
    /// The gateway of the default route, as the system has it now. Null where there is none, and where our own address is public: then there
    /// is no NAT that could map anything.
    /// </summary>
    /// <param name="bound">What our socket is bound to.</param>
    public static DefaultGateway? Find(IPAddress bound)
    {
        try
        {
            var gateway = OperatingSystem.IsLinux() ? FindInRoutes(File.ReadLines(RouteTable)) : FindInInterfaces();
            if (gateway is null) return null;
            var local = bound.Equals(IPAddress.Any) ? LocalAddressTowards(gateway) : bound;
            return AddressScope.IsPrivate(Endpoint.From(local, 0)) ? new DefaultGateway(gateway, local) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NetworkInformationException or SocketException)
        {
            return null;
        }
    }

    /// <summary>From the kernel's table of IPv4 routes: the default route of the lowest metric.</summary>
    /// <param name="lines"><c>Iface Destination Gateway Flags RefCnt Use Metric Mask …</c>, addresses in hexadecimal of the machine's byte order.</param>
    internal static IPAddress? FindInRoutes(IEnumerable<string> lines)
    {
        // linux/route.h: RTF_UP and RTF_GATEWAY.
        const int UpToGateway = 0x0001 | 0x0002;
        IPAddress? best = null;
        var lowest = long.MaxValue;
        foreach (var line in lines)
        {
            var fields = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 8 || !TryReadHex(fields[1], out var destination) || !TryReadHex(fields[2], out var gateway)
                || !TryReadHex(fields[3], out var flags) || !TryReadHex(fields[7], out var mask)) continue;
            if (destination != 0 || mask != 0 || gateway == 0 || (flags & UpToGateway) != UpToGateway) continue;
            if (!uint.TryParse(fields[6], NumberStyles.None, CultureInfo.InvariantCulture, out var metric) || metric >= lowest) continue;
            lowest = metric;
            best = new IPAddress(BitConverter.GetBytes(gateway));
        }
        return best;
    }

    private static bool TryReadHex(string text, out uint value) => uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);

    private static IPAddress? FindInInterfaces() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(network => network.OperationalStatus == OperationalStatus.Up)
        .SelectMany(network => network.GetIPProperties().GatewayAddresses)
        .Select(gateway => gateway.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !address.Equals(IPAddress.Any));

    // Asks the routing table; sends nothing.
    private static IPAddress LocalAddressTowards(IPAddress gateway)
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        probe.Connect(gateway, 9);
        return ((IPEndPoint)probe.LocalEndPoint!).Address;
    }
}
