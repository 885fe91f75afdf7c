namespace Punchline.Protocols.Traversal;

/// <summary>What decides whether two networks can be crossed.</summary>
/// <param name="Profile">IPv4's mapping and allocation, for UDP.</param>
/// <param name="Filtering">IPv4's.</param>
internal sealed record NetworkTraits(NetworkProfile Profile, FilteringBehavior Filtering)
{
    public bool? Udp { get; init; } = true;

    /// <summary>The gateway maps a port that all the world reaches.</summary>
    public bool IsMapped { get; init; }

    /// <summary>And one of TCP's.</summary>
    public bool IsTcpMapped { get; init; }

    public bool? Tcp { get; init; } = true;

    /// <summary>Its IPv6 leads into the internet.</summary>
    public bool HasIPv6 { get; init; }

    /// <summary>Whether it lets in a packet from a port that it did not send to, of an address that it did.</summary>
    public bool? AdmitsAnyPort => IsMapped ? true : Filtering switch
    {
        FilteringBehavior.Unknown => null,
        FilteringBehavior.AddressAndPortDependent => false,
        _ => true,
    };
}
