using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>How long routers of networks keep what passes through them, as it was measured, of both families.</summary>
internal sealed class LifetimeMemory() : NetworkMemory<KnownLifetime>(MaxNetworks)
{
    /// <summary>Networks that are remembered, one of each family counted apart; the oldest goes first.</summary>
    public const int MaxNetworks = 64;

    /// <summary>Null: nothing is known of it.</summary>
    public MappingLifetime? Find(ulong? network) => FindEntry(network)?.Lifetime;

    public void Learn(ulong network, MappingLifetime lifetime) => Put(new KnownLifetime(network, lifetime));

    public void Forget(ulong? network) => Remove(network);

    protected override ulong KeyOf(in KnownLifetime known) => known.Network;
}
