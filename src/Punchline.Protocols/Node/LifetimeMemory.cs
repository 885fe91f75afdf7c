using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>How long routers of networks keep what passes through them, as it was measured, of both families, the oldest first; the driver keeps it for a later process.</summary>
internal sealed class LifetimeMemory
{
    /// <summary>Networks that are remembered, one of each family counted apart; the oldest goes first.</summary>
    public const int MaxNetworks = 64;

    private readonly List<KnownLifetime> _known = [];
    private bool _isNews;

    /// <summary>What an earlier process has learnt, the oldest first.</summary>
    public void Remember(IEnumerable<KnownLifetime> known)
    {
        _known.InsertRange(0, known);
        Trim();
    }

    /// <summary>What is to be kept, where it has changed.</summary>
    public bool TryTakeKnown(out IReadOnlyList<KnownLifetime> known)
    {
        known = _known;
        var isNews = _isNews;
        _isNews = false;
        return isNews;
    }

    /// <summary>Null: nothing is known of it.</summary>
    public MappingLifetime? Find(ulong? network)
    {
        var index = _known.FindLastIndex(known => known.Network == network);
        return index < 0 ? null : _known[index].Lifetime;
    }

    public void Learn(ulong network, MappingLifetime lifetime)
    {
        _known.RemoveAll(known => known.Network == network);
        _known.Add(new KnownLifetime(network, lifetime));
        Trim();
        _isNews = true;
    }

    public void Forget(ulong? network) => _isNews |= _known.RemoveAll(known => known.Network == network) > 0;

    private void Trim()
    {
        if (_known.Count > MaxNetworks) _known.RemoveRange(0, _known.Count - MaxNetworks);
    }
}
