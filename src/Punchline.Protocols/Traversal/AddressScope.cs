using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>What an address is good for, by the IANA special-purpose registries (RFC 6890).</summary>
internal static class AddressScope
{
    public static bool IsUnspecified(Endpoint endpoint) => endpoint.IsIPv4 ? endpoint.IPv4 >> 24 == 0 : endpoint.Address == 0;

    public static bool IsLoopback(Endpoint endpoint) => endpoint.IsIPv4 ? endpoint.IPv4 >> 24 == 127 : endpoint.Address == 1;

    /// <summary>Multicast, or for IPv4 anything from 224.0.0.0 on: reserved and limited broadcast too.</summary>
    public static bool IsMulticastOrBroadcast(Endpoint endpoint) =>
        endpoint.IsIPv4 ? endpoint.IPv4 >> 28 >= 0xe : endpoint.Address >> 120 == 0xff;

    /// <summary>169.254.0.0/16 (RFC 3927), or fe80::/10.</summary>
    public static bool IsLinkLocal(Endpoint endpoint) =>
        endpoint.IsIPv4 ? endpoint.IPv4 >> 16 == 0xa9fe : endpoint.Address >> 118 == 0xfe80 >> 6;

    /// <summary>RFC 1918, the carriers' 100.64.0.0/10 (RFC 6598), or unique local fc00::/7 (RFC 4193).</summary>
    public static bool IsPrivate(Endpoint endpoint) => endpoint.IsIPv4
        ? endpoint.IPv4 >> 24 == 10 || endpoint.IPv4 >> 20 == 0xac1 || endpoint.IPv4 >> 16 == 0xc0a8 || endpoint.IPv4 >> 22 == (0x6440 >> 6)
        : endpoint.Address >> 121 == 0xfc >> 1;
}
