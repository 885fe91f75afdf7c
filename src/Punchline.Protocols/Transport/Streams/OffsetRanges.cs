namespace Punchline.Protocols.Transport.Streams;

/// <summary>Offsets of a stream from <paramref name="Start"/> up to, not including, <paramref name="End"/>.</summary>
internal readonly record struct OffsetRange(ulong Start, ulong End)
{
    public ulong Length => End - Start;
}

/// <summary>A set of offsets, as ascending ranges that neither overlap nor touch. Its array is reused.</summary>
internal sealed class OffsetRanges
{
    private OffsetRange[] _ranges = new OffsetRange[4];

    public int Count { get; private set; }

    public OffsetRange this[int index] => _ranges[index];

    public void Add(ulong start, ulong end)
    {
        if (start >= end) return;
        var first = FirstEndingAtOrAfter(start);
        var behind = first;
        while (behind < Count && _ranges[behind].Start <= end)
        {
            start = Math.Min(start, _ranges[behind].Start);
            end = Math.Max(end, _ranges[behind].End);
            behind++;
        }
        Replace(first, behind - first, new OffsetRange(start, end), default, 1);
    }

    public void Remove(ulong start, ulong end)
    {
        if (start >= end) return;
        var first = FirstEndingAtOrAfter(start + 1);
        var behind = first;
        while (behind < Count && _ranges[behind].Start < end) behind++;
        if (first == behind) return;
        var left = new OffsetRange(_ranges[first].Start, start);
        var right = new OffsetRange(end, _ranges[behind - 1].End);
        var hasLeft = left.Start < left.End;
        var hasRight = right.Start < right.End;
        Replace(first, behind - first, hasLeft ? left : right, right, (hasLeft ? 1 : 0) + (hasRight ? 1 : 0));
    }

    /// <summary>Adds what of a range is not in <paramref name="except"/>.</summary>
    public void AddExcept(ulong start, ulong end, OffsetRanges except)
    {
        for (var i = except.FirstEndingAtOrAfter(start); i < except.Count && start < end; i++)
        {
            var hole = except._ranges[i];
            Add(start, Math.Min(end, hole.Start));
            start = Math.Max(start, hole.End);
        }
        Add(start, end);
    }

    public void Clear() => Count = 0;

    private int FirstEndingAtOrAfter(ulong offset)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_ranges[middle].End < offset) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    // Puts 0, 1 or 2 ranges where `removed` ones were.
    private void Replace(int index, int removed, OffsetRange one, OffsetRange two, int inserted)
    {
        var tail = Count - index - removed;
        var count = index + inserted + tail;
        if (count > _ranges.Length) Array.Resize(ref _ranges, _ranges.Length * 2);
        Array.Copy(_ranges, index + removed, _ranges, index + inserted, tail);
        if (inserted > 0) _ranges[index] = one;
        if (inserted > 1) _ranges[index + 1] = two;
        Count = count;
    }
}
