using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>Packet numbers from <paramref name="Smallest"/> to <paramref name="Largest"/>, both included.</summary>
internal readonly record struct PacketRange(ulong Smallest, ulong Largest);

/// <summary>
/// Which packets have arrived (RFC 9000 §19.3). Ranges go from the largest number down; Gap and Length are one less than
/// what they count.
/// <code>
///  ACK: type 0x02 or 0x03, Largest (i), Delay (i), Range Count (i), First Range (i),
///       { Gap (i), Range Length (i) } × Range Count,
///       [ECT0 (i), ECT1 (i), CE (i)]                      where the type is 0x03
/// </code>
/// </summary>
internal readonly ref struct AckFrame
{
    private readonly ReadOnlySpan<byte> _ranges;
    private readonly ulong _firstRange;

    private AckFrame(ulong largest, ulong delay, ulong firstRange, ReadOnlySpan<byte> ranges)
    {
        Largest = largest;
        Delay = delay;
        _firstRange = firstRange;
        _ranges = ranges;
    }

    public ulong Largest { get; }

    /// <summary>As encoded: microseconds divided by 2 to the power of the sender's ack_delay_exponent.</summary>
    public ulong Delay { get; }

    public Enumerator GetEnumerator() => new(this);

    /// <summary>Reads what follows the type. False where a range reaches below packet 0, too.</summary>
    public static bool TryRead(ref SpanReader reader, bool hasEcnCounts, out AckFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var largest) || !reader.TryReadVarInt(out var delay)
            || !reader.TryReadVarInt(out var count) || !reader.TryReadVarInt(out var first)) return false;
        if (first > largest) return false;
        var ranges = reader.Remaining;
        var smallest = largest - first;
        for (ulong i = 0; i < count; i++)
        {
            if (!TryReadRange(ref reader, smallest, out var range)) return false;
            smallest = range.Smallest;
        }
        ranges = ranges[..(ranges.Length - reader.Remaining.Length)];
        if (hasEcnCounts && !(reader.TryReadVarInt(out _) && reader.TryReadVarInt(out _) && reader.TryReadVarInt(out _))) return false;
        frame = new AckFrame(largest, delay, first, ranges);
        return true;
    }

    /// <summary>Writes a whole ACK, with as many ranges as fit; <paramref name="ranges"/> go from the largest down, at least one.</summary>
    /// <returns>False, with nothing written, where not even the first range fits.</returns>
    public static bool TryWrite(ref SpanWriter writer, scoped ReadOnlySpan<PacketRange> ranges, ulong delay)
    {
        var first = ranges[0];
        // A count below 64 takes one byte.
        var length = 2 + SpanWriter.VarIntLength(first.Largest) + SpanWriter.VarIntLength(delay) + SpanWriter.VarIntLength(first.Largest - first.Smallest);
        if (length > writer.Free.Length) return false;
        var count = 1;
        while (count < ranges.Length && count < 63)
        {
            length += SpanWriter.VarIntLength(Gap(ranges, count)) + SpanWriter.VarIntLength(ranges[count].Largest - ranges[count].Smallest);
            if (length > writer.Free.Length) break;
            count++;
        }
        writer.WriteByte((byte)FrameType.Ack);
        writer.WriteVarInt(first.Largest);
        writer.WriteVarInt(delay);
        writer.WriteVarInt((ulong)(count - 1));
        writer.WriteVarInt(first.Largest - first.Smallest);
        for (var i = 1; i < count; i++)
        {
            writer.WriteVarInt(Gap(ranges, i));
            writer.WriteVarInt(ranges[i].Largest - ranges[i].Smallest);
        }
        return true;
    }

    // RFC 9000 §19.3.1: "largest = previous_smallest - gap - 2".
    private static ulong Gap(scoped ReadOnlySpan<PacketRange> ranges, int index) => ranges[index - 1].Smallest - ranges[index].Largest - 2;

    private static bool TryReadRange(ref SpanReader reader, ulong previousSmallest, out PacketRange range)
    {
        range = default;
        if (!reader.TryReadVarInt(out var gap) || !reader.TryReadVarInt(out var length)) return false;
        if (gap + 2 > previousSmallest) return false;
        var largest = previousSmallest - gap - 2;
        if (length > largest) return false;
        range = new PacketRange(largest - length, largest);
        return true;
    }

    /// <summary>Goes through the ranges from the largest down.</summary>
    public ref struct Enumerator
    {
        private readonly AckFrame _frame;
        private SpanReader _reader;
        private bool _isStarted;

        public Enumerator(AckFrame frame)
        {
            _frame = frame;
            _reader = new SpanReader(frame._ranges);
        }

        public PacketRange Current { get; private set; }

        public bool MoveNext()
        {
            if (!_isStarted)
            {
                _isStarted = true;
                Current = new PacketRange(_frame.Largest - _frame._firstRange, _frame.Largest);
                return true;
            }
            if (!TryReadRange(ref _reader, Current.Smallest, out var range)) return false;
            Current = range;
            return true;
        }
    }
}
