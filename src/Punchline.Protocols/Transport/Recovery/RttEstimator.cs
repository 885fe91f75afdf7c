namespace Punchline.Protocols.Transport.Recovery;

/// <summary>The round-trip time of one path (RFC 9002 §5).</summary>
internal sealed class RttEstimator
{
    /// <summary>RFC 9002 §6.2.2: the round-trip time to assume before the first sample.</summary>
    public static readonly TimeSpan Initial = TimeSpan.FromMilliseconds(333);

    /// <summary>RFC 9002 §6.1.2: kGranularity.</summary>
    public static readonly TimeSpan Granularity = TimeSpan.FromMilliseconds(1);

    public bool HasSample { get; private set; }

    public TimeSpan Latest { get; private set; }

    public TimeSpan Min { get; private set; }

    public TimeSpan Smoothed { get; private set; } = Initial;

    public TimeSpan Variation { get; private set; } = Initial / 2;

    /// <summary>Takes a sample; <paramref name="ackDelay"/> is already capped by the peer's max_ack_delay (§5.3).</summary>
    public void Update(TimeSpan sample, TimeSpan ackDelay)
    {
        Latest = sample;
        if (!HasSample)
        {
            HasSample = true;
            Min = sample;
            Smoothed = sample;
            Variation = sample / 2;
            return;
        }
        // §5.2: min_rtt takes no account of the delay that the peer reports.
        if (sample < Min) Min = sample;
        // §5.3: "MUST NOT subtract the acknowledgment delay from the RTT sample if the resulting value is smaller than the min_rtt."
        var adjusted = sample >= Min + ackDelay ? sample - ackDelay : sample;
        Variation = new TimeSpan(((3 * Variation.Ticks) + Math.Abs(Smoothed.Ticks - adjusted.Ticks)) / 4);
        Smoothed = new TimeSpan(((7 * Smoothed.Ticks) + adjusted.Ticks) / 8);
    }

    /// <summary>§5.2: after persistent congestion the minimum is the newest sample.</summary>
    public void ResetMin() => Min = Latest;

    /// <summary>§6.2.1: PTO = smoothed_rtt + max(4 × rttvar, kGranularity) + max_ack_delay.</summary>
    public TimeSpan ProbeTimeout(TimeSpan maxAckDelay) => Smoothed + Max(4 * Variation, Granularity) + maxAckDelay;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
