using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>NATs of our own side, which openers have to pass.</summary>
/// <param name="Layers">At least so many in a row, from 1, where there is none as well, to <see cref="MaxLayers"/>.</param>
/// <param name="IsCertain">There are no more.</param>
internal readonly record struct OwnRouters(int Layers, bool IsCertain)
{
    /// <summary>A router of one's own behind another, the provider's, and the carrier's NAT. A private address behind those is the provider's own affair.</summary>
    public const int MaxLayers = 4;

    public static OwnRouters Unknown { get; } = new(1, IsCertain: false);

    /// <summary>
    /// A pure function of what is known of the way out. A NAT has a private address inside, by which it says that a packet's time-to-live has ended: the last such router before a public one
    /// is the outermost. Providers have private addresses without a NAT as well; an opener that goes a router too far still dies long before the peer's.
    /// </summary>
    /// <param name="routers">The first on the way out; null for those that are silent.</param>
    /// <param name="isBehindSecondNat">What the gateway's own word says; null: nothing.</param>
    public static OwnRouters Of(IReadOnlyList<Endpoint?> routers, bool? isBehindSecondNat)
    {
        if (isBehindSecondNat is false) return new(1, IsCertain: true);
        var layers = isBehindSecondNat is true ? 2 : 1;
        for (var i = 0; i < routers.Count && i < MaxLayers; i++)
        {
            if (routers[i] is not { } router) continue;
            if (!AddressScope.IsPrivate(router)) return new(layers, IsCertain: true);
            layers = Math.Max(layers, i + 1);
        }
        return new(layers, IsCertain: layers == MaxLayers);
    }
}
