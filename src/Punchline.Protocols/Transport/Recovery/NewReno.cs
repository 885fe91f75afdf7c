using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>The window of RFC 9002 §7.3 and appendix B.</summary>
internal sealed class NewReno(int datagramSize) : ICongestionController
{
    private (long Window, long Threshold)? _before;

    public long Window { get; private set; } = CongestionWindow.Initial(datagramSize);

    public long SlowStartThreshold { get; private set; } = long.MaxValue;

    public bool IsInSlowStart => Window < SlowStartThreshold;

    public int DatagramSize { get; set; } = datagramSize;

    public void OnRoundTrip(TimeSpan sample, ulong largestAcknowledged, ulong nextNumber)
    {
        // Only losses end this one's slow start.
    }

    public void OnAcknowledged(int bytes, TimeSpan smoothedRtt, Timestamp now)
    {
        if (IsInSlowStart) Window += bytes;
        else Window += Math.Max(1, (long)DatagramSize * bytes / Window);
    }

    public void OnUnderused(Timestamp now)
    {
        // §7.8: no growth, and nothing here counts the time.
    }

    public void OnCongestionEvent()
    {
        _before = (Window, SlowStartThreshold);
        SlowStartThreshold = Window / 2;
        Window = Math.Max(SlowStartThreshold, CongestionWindow.Min(DatagramSize));
    }

    public void OnPersistentCongestion()
    {
        _before = null;
        Window = CongestionWindow.Min(DatagramSize);
    }

    public void Undo()
    {
        if (_before is not { } before || before.Window <= Window) return;
        (Window, SlowStartThreshold) = before;
        _before = null;
    }
}
