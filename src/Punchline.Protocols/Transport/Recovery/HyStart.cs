namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// HyStart++ (RFC 9406): ends the first slow start before packets are lost, where the round trip grows because a queue fills.
/// A conservative slow start comes between, which finds out whether it was only jitter.
/// </summary>
internal sealed class HyStart
{
    /// <summary>§4.3: CSS_GROWTH_DIVISOR.</summary>
    public const int ConservativeGrowthDivisor = 4;

    // §4.3: N_RTT_SAMPLE, CSS_ROUNDS, MIN_RTT_DIVISOR, MIN_RTT_THRESH, MAX_RTT_THRESH. L is infinite, for packets are paced.
    private const int SamplesPerRound = 8;
    private const int ConservativeRounds = 5;
    private const int MinRttDivisor = 8;
    private static readonly TimeSpan MinRttThreshold = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan MaxRttThreshold = TimeSpan.FromMilliseconds(16);

    private TimeSpan _lastRoundMin = TimeSpan.MaxValue;
    private TimeSpan _currentRoundMin = TimeSpan.MaxValue;
    private TimeSpan _baselineMin;
    private ulong? _roundEnd;
    private int _samples;
    private int _conservativeRounds;

    public bool IsConservative { get; private set; }

    /// <summary>Takes a round-trip sample of slow start.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="acknowledged">The packet that it was taken of.</param>
    /// <param name="nextNumber">The number that follows the last packet sent.</param>
    /// <returns>True where slow start is over.</returns>
    public bool TakeSample(TimeSpan sample, ulong acknowledged, ulong nextNumber)
    {
        // §4.2: "windowEnd is initialized to SND.NXT", and "when windowEnd is ACKed, the current round ends".
        _roundEnd ??= nextNumber - 1;
        var isRoundOver = acknowledged >= _roundEnd;
        if (sample < _currentRoundMin) _currentRoundMin = sample;
        _samples++;
        if (_samples >= SamplesPerRound) Judge();
        if (!isRoundOver) return false;
        _roundEnd = nextNumber - 1;
        (_lastRoundMin, _currentRoundMin, _samples) = (_currentRoundMin, TimeSpan.MaxValue, 0);
        // §4.2: "If the transition into CSS happens in the middle of a round, that partial round counts towards the limit."
        return IsConservative && ++_conservativeRounds >= ConservativeRounds;
    }

    private void Judge()
    {
        if (IsConservative)
        {
            // §4.2: the round trip is shorter again, so that the exit was spurious.
            if (_currentRoundMin < _baselineMin) IsConservative = false;
            return;
        }
        if (_lastRoundMin == TimeSpan.MaxValue) return;
        var threshold = TimeSpan.FromTicks(Math.Clamp(_lastRoundMin.Ticks / MinRttDivisor, MinRttThreshold.Ticks, MaxRttThreshold.Ticks));
        if (_currentRoundMin < _lastRoundMin + threshold) return;
        _baselineMin = _currentRoundMin;
        _conservativeRounds = 0;
        IsConservative = true;
    }
}
