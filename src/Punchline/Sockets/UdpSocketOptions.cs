using System.Net.Sockets;

namespace Punchline.Sockets;

/// <summary>
/// What a UDP socket has once for each family: time-to-live and hop limit, and whether its packets may be fragmented. On a dual-mode
/// socket .NET's own properties reach one of the two.
/// </summary>
internal sealed class UdpSocketOptions
{
    // linux/in.h and linux/in6.h. PROBE: don't-fragment without the kernel's memory of ICMP messages, which anybody can send: path MTU
    // discovery believes only packets that arrive (RFC 8899 §4.6).
    private const int IPLevel = 0, LinuxMtuDiscover = 10, IPv6Level = 41, LinuxIPv6MtuDiscover = 23, LinuxProbe = 3;

    // Linux and the BSDs (RFC 3542 §11.2), and Windows (ws2ipdef.h).
    private const int UnixIPv6DontFragment = 62, WindowsIPv6DontFragment = 14;

    private readonly Socket _socket;
    private readonly bool _hasIPv4Level;
    private readonly int _defaultTimeToLive;
    private readonly int _defaultHopLimit;

    /// <param name="socket">Not bound yet.</param>
    public UdpSocketOptions(Socket socket)
    {
        _socket = socket;
        var isDual = socket.AddressFamily == AddressFamily.InterNetworkV6 && socket.DualMode;
        // The BSDs' dual-mode sockets have no options of IPv4: what IPv6's sets holds for both (ip6_output.c, IPV6_UNICAST_HOPS).
        _hasIPv4Level = socket.AddressFamily == AddressFamily.InterNetwork || (isDual && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows()));
        if (_hasIPv4Level) _defaultTimeToLive = (int)socket.GetSocketOption(SocketOptionLevel.IP, SocketOptionName.IpTimeToLive)!;
        if (socket.AddressFamily == AddressFamily.InterNetworkV6) _defaultHopLimit = (int)socket.GetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.IpTimeToLive)!;
        ForbidFragments();
    }

    /// <summary>What the following packets to a family live for, until it is restored.</summary>
    /// <param name="isIPv4">To an IPv4 address, on a dual-mode socket as well.</param>
    /// <param name="value">1 to 255.</param>
    /// <exception cref="SocketException">The system refuses.</exception>
    public void SetTimeToLive(bool isIPv4, int value) => _socket.SetSocketOption(
        isIPv4 && _hasIPv4Level ? SocketOptionLevel.IP : SocketOptionLevel.IPv6, SocketOptionName.IpTimeToLive, value);

    /// <exception cref="SocketException">The system refuses.</exception>
    public void RestoreTimeToLive(bool isIPv4) => SetTimeToLive(isIPv4, isIPv4 && _hasIPv4Level ? _defaultTimeToLive : _defaultHopLimit);

    // PROTOCOL §6: no packet of ours is ever fragmented.
    private void ForbidFragments()
    {
        if (OperatingSystem.IsLinux())
        {
            if (_hasIPv4Level) Set(IPLevel, LinuxMtuDiscover, LinuxProbe);
            if (_socket.AddressFamily != AddressFamily.InterNetworkV6) return;
            Set(IPv6Level, LinuxIPv6MtuDiscover, LinuxProbe);
            // IPv6 fragments at the source alone, which this one ends.
            Set(IPv6Level, UnixIPv6DontFragment, 1);
            return;
        }
        if (_hasIPv4Level) _socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.DontFragment, 1);
        if (_socket.AddressFamily == AddressFamily.InterNetworkV6) Set(IPv6Level, OperatingSystem.IsWindows() ? WindowsIPv6DontFragment : UnixIPv6DontFragment, 1);
    }

    private void Set(int level, int option, int value) => _socket.SetRawSocketOption(level, option, BitConverter.GetBytes(value));
}
