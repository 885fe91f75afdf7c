namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// How far behind others a packet may be before it counts as lost: RFC 9002 §6.1's thresholds, which widen where the path
/// proves to reorder. "Implementations that detect spurious losses MAY increase" them (§6.1.1, §6.1.2).
/// </summary>
internal sealed class ReorderingTolerance
{
    /// <summary>§6.1.1: kPacketThreshold.</summary>
    public const int InitialPackets = 3;

    /// <summary>As far as it widens: 25 ms of full packets at 100 Mbit/s are 260.</summary>
    public const int MaxPackets = 256;

    // §6.1.2: kTimeThreshold is 9/8.
    private const int TimeDivisor = 8;

    private TimeSpan _lateness;

    public int Packets { get; private set; } = InitialPackets;

    /// <summary>A packet is lost when a later one is acknowledged and it is older than this.</summary>
    public TimeSpan Delay(RttEstimator rtt)
    {
        var roundTrip = Max(rtt.Latest, rtt.Smoothed);
        return Max(roundTrip + Max(roundTrip / TimeDivisor, _lateness), RttEstimator.Granularity);
    }

    /// <summary>A packet was acknowledged that had been taken for lost.</summary>
    /// <param name="distance">How far its number is below the largest acknowledged one.</param>
    /// <param name="elapsed">Since it was sent.</param>
    /// <param name="rtt">Of its path.</param>
    public void OnSpuriousLoss(ulong distance, TimeSpan elapsed, RttEstimator rtt)
    {
        Packets = (int)Math.Max((ulong)Packets, Math.Min(distance + 1, MaxPackets));
        // At most one round trip: the bound of RACK (RFC 8985 §6.2).
        var lateness = elapsed - Max(rtt.Latest, rtt.Smoothed);
        _lateness = Max(_lateness, lateness < rtt.Smoothed ? lateness : rtt.Smoothed);
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
