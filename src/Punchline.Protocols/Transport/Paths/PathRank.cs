namespace Punchline.Protocols.Transport.Paths;

/// <summary>What one of two working paths is preferred by (PROTOCOL §7).</summary>
/// <param name="IsUdp">It is no TCP connection: nothing lost holds up what follows it, and the window is ours.</param>
/// <param name="IsNear">It does not leave the neighbourhood.</param>
/// <param name="IsIntroduced">The peer named its address.</param>
/// <param name="RoundTrip">Smoothed.</param>
internal readonly record struct PathRank(bool IsUdp, bool IsNear, bool IsIntroduced, TimeSpan RoundTrip)
{
    /// <summary>Round trips that differ by less are equal: a fifth of the present path's, and at least this. Jitter moves nothing.</summary>
    public static readonly TimeSpan LeastGain = TimeSpan.FromMilliseconds(5);

    /// <summary>What the neighbourhood may cost, at most: a busy Wi-Fi is better than a way through two routers, a sleeping one is not.</summary>
    public static readonly TimeSpan NearAllowance = TimeSpan.FromMilliseconds(20);

    private const int GainDivisor = 5;

    /// <summary>Whether to leave <paramref name="present"/> for this one. Of two, at most one is better than the other.</summary>
    public bool IsBetterThan(in PathRank present)
    {
        if (IsUdp != present.IsUdp) return IsUdp;
        if (IsNear != present.IsNear)
        {
            return IsNear ? RoundTrip <= present.RoundTrip + NearAllowance : RoundTrip + Gain(present.RoundTrip) + NearAllowance < present.RoundTrip;
        }
        if (RoundTrip + Gain(present.RoundTrip) < present.RoundTrip) return true;
        return IsIntroduced && !present.IsIntroduced && RoundTrip <= present.RoundTrip + Gain(RoundTrip);
    }

    private static TimeSpan Gain(TimeSpan roundTrip) => roundTrip / GainDivisor > LeastGain ? roundTrip / GainDivisor : LeastGain;
}
