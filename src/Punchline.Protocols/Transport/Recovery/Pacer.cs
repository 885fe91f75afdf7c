using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// Spreads packets over the round trip (RFC 9002 §7.7): a bucket that fills at 5/4 of window/RTT, in slow start at
/// twice window/RTT, for the window doubles meanwhile. It holds 10 packets, the
/// burst that §7.7 allows, or what flows in 2 ms where that is more, so that a timer of 1 ms does not slow a fast path.
/// </summary>
internal sealed class Pacer(int datagramSize)
{
    private const int BurstPackets = 10;

    private static readonly TimeSpan BurstTime = TimeSpan.FromMilliseconds(2);

    // An hour's idleness fills the bucket no more than a second does, and the product below stays within 63 bits.
    private static readonly TimeSpan LongestFill = TimeSpan.FromSeconds(1);

    private long _tokens = BurstPackets * datagramSize;
    private Timestamp _filledAt;

    public int DatagramSize { get; set; } = datagramSize;

    public bool CanSend(long window, TimeSpan rtt, Timestamp now)
    {
        Fill(window, rtt, now);
        return _tokens >= DatagramSize;
    }

    /// <summary>The window to pace by: the bucket's 5/4 of 8/5 are 2.</summary>
    public static long PacedWindow(CongestionControl congestion) => congestion.IsInSlowStart ? congestion.Window * 8 / 5 : congestion.Window;

    public void OnSent(int size) => _tokens -= size;

    /// <summary>When a packet can be sent, at the current rate.</summary>
    public Timestamp NextSend(long window, TimeSpan rtt)
    {
        var missing = DatagramSize - _tokens;
        // Rounded up: a deadline that comes one tick early would be armed again at once.
        return missing <= 0 ? _filledAt : _filledAt + new TimeSpan((missing * 4 * Ticks(rtt) / (5 * window)) + 1);
    }

    private void Fill(long window, TimeSpan rtt, Timestamp now)
    {
        var elapsed = Math.Min((now - _filledAt).Ticks, LongestFill.Ticks);
        var gained = Flow(window, rtt, elapsed);
        // Nothing gained: the moment is kept, or frequent calls would lose the fractions.
        if (gained == 0) return;
        _filledAt = now;
        _tokens = Math.Min(_tokens + gained, Math.Max((long)BurstPackets * DatagramSize, Flow(window, rtt, BurstTime.Ticks)));
    }

    private static long Flow(long window, TimeSpan rtt, long ticks) => (long)((Int128)5 * window * ticks / (4 * Ticks(rtt)));

    // A round trip of zero occurs in simulations only.
    private static long Ticks(TimeSpan rtt) => Math.Max(1, rtt.Ticks);
}
