using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.PortMapping;

/// <summary>Whether there is another NAT behind the gateway, a carrier's or a second router.</summary>
internal static class SecondNat
{
    /// <summary>A pure function of what is known; null is unknown.</summary>
    /// <param name="external">What the gateway says that its external address is; null where it says nothing.</param>
    /// <param name="reflexive">What STUN servers see.</param>
    public static bool? Judge(Endpoint? external, IReadOnlyList<Endpoint> reflexive)
    {
        if (external is not { } address) return null;
        if (AddressScope.IsPrivate(address)) return true;
        return reflexive.Count == 0 ? null : !reflexive.Any(seen => seen.Address == address.Address);
    }
}
