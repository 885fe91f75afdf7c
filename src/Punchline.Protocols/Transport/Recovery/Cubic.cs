using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// CUBIC (RFC 9438): after a congestion event the window returns as a cubic function of time, flat around where the event was,
/// and never slower than Reno's. In its first slow start it has HyStart++.
/// </summary>
internal sealed class Cubic(int datagramSize) : ICongestionController
{
    /// <summary>RFC 9438 §5: C, in packets a second cubed.</summary>
    public const double Scale = 0.4;

    /// <summary>§4.6: β_cubic.</summary>
    public const double Decrease = 0.7;

    // §4.3: α_cubic, with which the Reno-friendly window loses as often as Reno's.
    private const double FriendlyIncrease = 3 * (1 - Decrease) / (1 + Decrease);

    // §4.2: the target is at most 1.5 times the window.
    private const double MaxTarget = 1.5;

    private readonly HyStart _hyStart = new();
    private State _state = new() { Window = CongestionWindow.Initial(datagramSize), Threshold = double.PositiveInfinity };
    private State? _before;
    private Timestamp? _underusedSince;

    public long Window => (long)_state.Window;

    public bool IsInSlowStart => _state.Window < _state.Threshold;

    public int DatagramSize { get; set; } = datagramSize;

    public void OnRoundTrip(TimeSpan sample, ulong largestAcknowledged, ulong nextNumber)
    {
        // RFC 9406 §4.3: only for the first slow start, where the threshold is still without bound.
        if (!double.IsPositiveInfinity(_state.Threshold) || !_hyStart.TakeSample(sample, largestAcknowledged, nextNumber)) return;
        _state.Threshold = _state.Prior = _state.Window;
    }

    public void OnAcknowledged(int bytes, TimeSpan smoothedRtt, Timestamp now)
    {
        if (IsInSlowStart)
        {
            _state.Window += double.IsPositiveInfinity(_state.Threshold) && _hyStart.IsConservative ? (double)bytes / HyStart.ConservativeGrowthDivisor : bytes;
            return;
        }
        BeginEpoch(now);
        Grow(bytes, (now - _state.EpochStart!.Value).TotalSeconds, smoothedRtt.TotalSeconds);
    }

    // §4.2: time in which the window was not tried does not count.
    public void OnUnderused(Timestamp now) => _underusedSince ??= now;

    public void OnCongestionEvent()
    {
        _before = _state;
        var window = _state.Window;
        // §4.7: fast convergence: below where it was the last time, it makes room for newer flows.
        _state.Max = window < _state.Max ? window * (1 + Decrease) / 2 : window;
        _state.Prior = window;
        _state.Window = Math.Max(window * Decrease, CongestionWindow.Min(DatagramSize));
        _state.Threshold = _state.Window;
        _state.EpochStart = null;
        _underusedSince = null;
    }

    public void OnPersistentCongestion()
    {
        _before = null;
        _state.Window = CongestionWindow.Min(DatagramSize);
        // §4.8: the first congestion avoidance behind it has K = 0, and W_max where it begins.
        _state.Max = 0;
        _state.EpochStart = null;
    }

    // §4.9.2: back to what was before, unless the window has grown beyond it already.
    public void Undo()
    {
        if (_before is not { } before || before.Window <= _state.Window) return;
        _state = before;
        _before = null;
    }

    private void BeginEpoch(Timestamp now)
    {
        if (_underusedSince is { } since)
        {
            if (_state.EpochStart is { } start) _state.EpochStart = start + (now - since);
            _underusedSince = null;
        }
        if (_state.EpochStart is not null) return;
        _state.EpochStart = now;
        _state.Friendly = _state.Window;
        // §4.2: K = cbrt((W_max − cwnd_epoch) / C); §4.10: without a loss before, the plateau is where it stands.
        var missing = Math.Max(0, _state.Max - _state.Window);
        _state.Plateau = _state.Window + missing;
        _state.PlateauAfter = Math.Cbrt(missing / DatagramSize / Scale);
    }

    private void Grow(int bytes, double elapsed, double roundTrip)
    {
        ref var window = ref _state.Window;
        // §4.3: W_est grows by α_cubic packets a round trip, and by one once it has come to where the window was.
        var increase = _state.Friendly < _state.Prior ? FriendlyIncrease : 1;
        _state.Friendly += increase * DatagramSize * bytes / window;
        if (CubicWindow(elapsed) < _state.Friendly)
        {
            window = Math.Max(window, _state.Friendly);
            return;
        }
        // §4.4 and §4.5: (target − cwnd) / cwnd for each packet acknowledged.
        var target = Math.Clamp(CubicWindow(elapsed + roundTrip), window, MaxTarget * window);
        window += (target - window) * bytes / window;
    }

    // §4.2, figure 1: W_cubic(t) = C × (t − K)³ + W_max.
    private double CubicWindow(double elapsed)
    {
        var distance = elapsed - _state.PlateauAfter;
        return (Scale * DatagramSize * distance * distance * distance) + _state.Plateau;
    }

    /// <summary>What a congestion event changes, and its undoing restores. In bytes, where RFC 9438 counts segments.</summary>
    private struct State
    {
        public double Window;

        /// <summary>ssthresh.</summary>
        public double Threshold;

        /// <summary>W_max.</summary>
        public double Max;

        /// <summary>cwnd_prior.</summary>
        public double Prior;

        /// <summary>W_est.</summary>
        public double Friendly;

        /// <summary>t_epoch: null until the first growth behind a congestion event.</summary>
        public Timestamp? EpochStart;

        /// <summary>W_max as the epoch began, but at least its window.</summary>
        public double Plateau;

        /// <summary>K, in seconds.</summary>
        public double PlateauAfter;
    }
}
