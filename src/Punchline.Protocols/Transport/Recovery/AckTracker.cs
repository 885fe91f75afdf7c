using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// Which packets have arrived, as the ranges that the next ACK reports, and when that is due (RFC 9000 §13.2).
/// </summary>
internal sealed class AckTracker(TimeSpan maxAckDelay, int delayExponent)
{
    /// <summary>Ranges remembered and reported; the oldest go first (§13.2.3).</summary>
    public const int MaxRanges = 32;

    /// <summary>Type and count, three varints for the first range, and two for each other.</summary>
    public const int MaxFrameLength = 2 + (3 * 8) + ((MaxRanges - 1) * 16);

    /// <summary>Bytes by TCP, behind which an ACK lets the peer's buffers go (PROTOCOL §7): nothing else needs it there.</summary>
    private const int ReliableBytesPerAck = 64 << 10;

    /// <summary>§13.2.2: an ACK for at least every second ack-eliciting packet.</summary>
    private const int PacketsPerAck = 2;

    // §13.2.2: "A receiver MAY process multiple available packets before determining whether to send an ACK". Ten ACKs a round trip tell
    // a sender all that it wants to know (RFC 9406 §4.3 takes 8 samples a round); where there are more than 20 packets in one, each second is
    // more than that. On ways shorter than 5 ms round trips are counted as that long: they are made of queues.
    private const int AcksPerRoundTrip = 10;
    private const int MaxPacketsPerAck = 10;

    private static readonly TimeSpan MinRoundTrip = TimeSpan.FromMilliseconds(5);

    // From the largest down; one more than allowed for the moment of an insertion.
    private readonly PacketRange[] _ranges = new PacketRange[MaxRanges + 1];
    private int _count;
    private Timestamp _largestAt;
    private int _unacknowledged;
    private int _reliableBytes;
    private int _packetsPerAck = PacketsPerAck;
    private int _packetsInRound;
    private Timestamp _roundBegan;
    private bool _isDue;

    /// <summary>When the ACK is due at the latest.</summary>
    public Timestamp Deadline { get; private set; } = Timestamp.Never;

    /// <summary>An ack-eliciting packet waits for its ACK: any packet that leaves anyway takes it along.</summary>
    public bool IsWaiting => _unacknowledged > 0;

    /// <summary>The ACK has to leave now.</summary>
    public bool IsDue => _isDue && IsWaiting;

    public ulong Largest => _ranges[0].Largest;

    /// <summary>Notes a packet.</summary>
    /// <param name="number">The packet's.</param>
    /// <param name="isAckEliciting">It asks for an ACK.</param>
    /// <param name="roundTrip">The path's, smoothed.</param>
    /// <param name="now">The time.</param>
    /// <param name="reliableBytes">Its length where it came by TCP, whose losses are not ours to tell; else 0.</param>
    public void OnReceived(ulong number, bool isAckEliciting, TimeSpan roundTrip, Timestamp now, int reliableBytes = 0)
    {
        // §13.2.1: at once where the number is below another, or leaves a gap behind the largest.
        var isInOrder = _count == 0 ? number == 0 : number == Largest + 1;
        if (_count == 0 || number > Largest) _largestAt = now;
        Insert(number);
        if (!isAckEliciting) return;
        CountRound(roundTrip < MinRoundTrip ? MinRoundTrip : roundTrip, now);
        if (_unacknowledged++ == 0) Deadline = now + maxAckDelay;
        _reliableBytes += reliableBytes;
        _isDue |= reliableBytes > 0 ? _reliableBytes >= ReliableBytesPerAck : !isInOrder || _unacknowledged >= _packetsPerAck;
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now < Deadline) return;
        _isDue = true;
        Deadline = Timestamp.Never;
    }

    /// <summary>Writes the ACK frame; it counts as sent with <see cref="OnSent"/>.</summary>
    public bool TryWrite(ref SpanWriter writer, Timestamp now)
    {
        var microseconds = (ulong)Math.Max(0, (long)(now - _largestAt).TotalMicroseconds);
        return AckFrame.TryWrite(ref writer, _ranges.AsSpan(0, _count), microseconds >> delayExponent);
    }

    public void OnSent()
    {
        _unacknowledged = _reliableBytes = 0;
        _isDue = false;
        Deadline = Timestamp.Never;
    }

    /// <summary>§13.2.4: the peer has our ACKs up to this number, and need not hear of it again.</summary>
    public void Forget(ulong upTo)
    {
        // The largest range stays: an ACK must have one, and its largest number is what gaps are seen by.
        while (_count > 1 && _ranges[_count - 1].Largest <= upTo) _count--;
        ref var last = ref _ranges[_count - 1];
        if (last.Smallest <= upTo && upTo < last.Largest) last = last with { Smallest = upTo + 1 };
    }

    private void CountRound(TimeSpan roundTrip, Timestamp now)
    {
        _packetsInRound++;
        var elapsed = now - _roundBegan;
        if (elapsed < roundTrip) return;
        // A pause was in it, which says nothing of what flows now.
        _packetsPerAck = elapsed >= 2 * roundTrip ? PacketsPerAck : Math.Clamp(_packetsInRound / AcksPerRoundTrip, PacketsPerAck, MaxPacketsPerAck);
        _packetsInRound = 0;
        _roundBegan = now;
    }

    private void Insert(ulong number)
    {
        var at = 0;
        while (at < _count && _ranges[at].Smallest > number + 1) at++;
        if (at < _count && number <= _ranges[at].Largest + 1)
        {
            // Extends this range, and may close the gap to the one below.
            ref var range = ref _ranges[at];
            range = new PacketRange(Math.Min(range.Smallest, number), Math.Max(range.Largest, number));
            if (at + 1 < _count && _ranges[at + 1].Largest + 1 == range.Smallest)
            {
                range = range with { Smallest = _ranges[at + 1].Smallest };
                Array.Copy(_ranges, at + 2, _ranges, at + 1, _count - at - 2);
                _count--;
            }
            return;
        }
        Array.Copy(_ranges, at, _ranges, at + 1, _count - at);
        _ranges[at] = new PacketRange(number, number);
        if (_count < MaxRanges) _count++;
    }
}
