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

    /// <summary>RFC 1918, the carriers' 100.64.0.0/10 (RFC 6598), unique local fc00::/7 (RFC 4193), or what site-local fec0::/10 was (RFC 3879).</summary>
    public static bool IsPrivate(Endpoint endpoint) => endpoint.IsIPv4
        ? endpoint.IPv4 >> 24 == 10 || endpoint.IPv4 >> 20 == 0xac1 || endpoint.IPv4 >> 16 == 0xc0a8 || IsCarrierShared(endpoint)
        : endpoint.Address >> 121 == 0xfc >> 1 || endpoint.Address >> 118 == 0xfec0 >> 6;

    /// <summary>100.64.0.0/10, between a carrier's NAT and its subscribers (RFC 6598).</summary>
    public static bool IsCarrierShared(Endpoint endpoint) => endpoint.IsIPv4 && endpoint.IPv4 >> 22 == (0x6440 >> 6);

    /// <summary>
    /// An IPv4 address in an IPv6 one: compatible (::/96, RFC 4291 §2.5.5.1, deprecated), or a translator's (64:ff9b::/96, RFC 6052 §2.1, and
    /// 64:ff9b:1::/48, RFC 8215). Nobody has it himself, and by what is in it it could mean any machine. Mapped ones are IPv4 here.
    /// </summary>
    public static bool IsEmbedded(Endpoint endpoint) =>
        !endpoint.IsIPv4 && (endpoint.Address >> 32 == 0 || endpoint.Address >> 32 == WellKnownTranslated || endpoint.Address >> 80 == LocalTranslated)
        && !IsLoopback(endpoint);

    /// <summary>
    /// What stands for one site: an IPv4 address, or the IPv6 /64 that any single link has (RFC 6177 §2, RFC 7421), where one host may take
    /// as many addresses as it likes.
    /// </summary>
    public static UInt128 SiteOf(Endpoint endpoint) => endpoint.IsIPv4 ? endpoint.Address : endpoint.Address >> 64 << 64;

    private static readonly UInt128 WellKnownTranslated = (UInt128)0x0064_ff9b << 64;
    private static readonly UInt128 LocalTranslated = 0x0064_ff9b_0001;
}
