using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Mdns;

/// <summary>What is the same for all: names, groups, and how long records live.</summary>
internal static class MdnsService
{
    public const ushort Port = 5353;

    /// <summary>RFC 6762 §10: records with a host's name in them, 120 s; others 75 minutes.</summary>
    public const uint HostTimeToLive = 120;

    public const uint OtherTimeToLive = 4_500;

    /// <summary>Our messages have at most some 200 bytes and 30 for each known answer: they fit into the least MTU of IPv6, less its header and UDP's (RFC 8200 §5).</summary>
    public const int MaxSent = 1_232;

    public static readonly Endpoint IPv4Group = Endpoint.Parse("224.0.0.251:5353");

    public static readonly Endpoint IPv6Group = Endpoint.Parse("[ff02::fb]:5353");

    /// <summary>Under which all instances are found (RFC 6763 §4.1). What each one is called is its <see cref="RoomLabel"/>.</summary>
    public static readonly DnsName Name = DnsName.Of("_punchline", "_udp", "local");
}
