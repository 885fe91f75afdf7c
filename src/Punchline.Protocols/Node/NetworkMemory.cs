namespace Punchline.Protocols.Node;

/// <summary>What is remembered of networks, known by a hash of them, the oldest first: a bounded list, which the driver keeps for a later process.</summary>
/// <param name="capacity">Of entries; the oldest goes first.</param>
internal abstract class NetworkMemory<TKnown>(int capacity)
    where TKnown : struct
{
    private readonly List<TKnown> _known = [];
    private bool _isNews;

    /// <summary>What an earlier process has learnt, the oldest first.</summary>
    public void Remember(IEnumerable<TKnown> known)
    {
        _known.InsertRange(0, known);
        Trim();
    }

    /// <summary>What is to be kept, where it has changed.</summary>
    public bool TryTakeKnown(out IReadOnlyList<TKnown> known)
    {
        known = _known;
        var isNews = _isNews;
        _isNews = false;
        return isNews;
    }

    protected abstract ulong KeyOf(in TKnown known);

    protected TKnown? FindEntry(ulong? key)
    {
        var index = _known.FindLastIndex(known => KeyOf(known) == key);
        return index < 0 ? null : _known[index];
    }

    /// <summary>The latest that is known, in the place of what was.</summary>
    protected void Put(TKnown latest)
    {
        var key = KeyOf(latest);
        _known.RemoveAll(known => KeyOf(known) == key);
        _known.Add(latest);
        Trim();
        _isNews = true;
    }

    protected void Remove(ulong? key) => _isNews |= _known.RemoveAll(known => KeyOf(known) == key) > 0;

    private void Trim()
    {
        if (_known.Count > capacity) _known.RemoveRange(0, _known.Count - capacity);
    }
}
