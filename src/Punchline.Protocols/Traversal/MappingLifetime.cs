namespace Punchline.Protocols.Traversal;

/// <summary>How long the routers of a network keep the mapping of a UDP socket, or what lets answers in over IPv6, as it was measured.</summary>
/// <param name="Idle">It was there so long after the last packet, and not a sixth longer.</param>
/// <param name="MaxAge">It was there so long after the first packet, and later no more, whatever was sent; null: no such end was seen.</param>
internal readonly record struct MappingLifetime(TimeSpan Idle, TimeSpan? MaxAge = null)
{
    /// <summary>How often a path is used: what is missing to the lifetime is for a packet that comes late, and for what was not measured to the second.</summary>
    public TimeSpan Interval => 0.8 * Idle;

    /// <summary>When a path is replaced by another, of a new mapping.</summary>
    public TimeSpan? RenewalAge => 0.8 * MaxAge;
}

/// <summary>What is remembered of a network until a later start.</summary>
/// <param name="Network">A hash of where it is: its external address, and its inside prefix; or its IPv6 prefix.</param>
/// <param name="Lifetime">Of its mappings.</param>
internal readonly record struct KnownLifetime(ulong Network, MappingLifetime Lifetime);
