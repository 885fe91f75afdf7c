using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// How long our router keeps mappings: measured once for a network, and remembered by the driver for later processes.
internal sealed partial class NodeCore
{
    /// <summary>How long our router keeps mappings; null where that was not measured.</summary>
    public MappingLifetime? MappingLifetime => _services.Keeper.Lifetime;

    /// <summary>Likewise what stands before IPv6.</summary>
    public MappingLifetime? IPv6Lifetime => _services.IPv6Keeper.Lifetime;

    /// <summary>What the present network is remembered by; null where it is not known yet.</summary>
    public ulong? Network => _services.Keeper.Network;

    /// <summary>How often paths over UDP and IPv4 are used, so that it does.</summary>
    public TimeSpan KeepAliveInterval => _services.MappingKeepAlive.IPv4;

    /// <summary>How often paths over UDP and IPv6 are.</summary>
    public TimeSpan IPv6KeepAliveInterval => _services.MappingKeepAlive.IPv6;

    /// <summary>It is being measured.</summary>
    public bool IsMeasuringLifetime => _services.Keeper.IsSearching || _services.IPv6Keeper.IsSearching;

    /// <summary>What an earlier process learnt of networks, the oldest first.</summary>
    public void RememberLifetimes(IEnumerable<KnownLifetime> known)
    {
        _services.Lifetimes.Remember(known);
        _services.Keeper.HandleRemembered();
        _services.IPv6Keeper.HandleRemembered();
    }

    /// <summary>What made connections of an earlier process, the oldest first.</summary>
    public void RememberWays(IEnumerable<KnownWay> known) => _services.Ways.Remember(known);

    /// <summary>What is to be kept for a later process, where it has changed.</summary>
    public bool TryTakeKnownWays(out IReadOnlyList<KnownWay> known) => _services.Ways.TryTakeKnown(out known);

    /// <inheritdoc cref="TryTakeKnownWays"/>
    public bool TryTakeKnownLifetimes(out IReadOnlyList<KnownLifetime> known) => _services.Lifetimes.TryTakeKnown(out known);
}
