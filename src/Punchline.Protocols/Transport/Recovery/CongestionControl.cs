using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// Appendix B of RFC 9002 for one path: what is in flight, when the window may grow, and which losses belong to one congestion
/// event. An event of which every loss turns out to have been none is undone.
/// </summary>
internal sealed class CongestionControl(ICongestionController controller)
{
    private Timestamp? _recoveryStart;
    private int _losses;
    private int _spuriousLosses;

    public long BytesInFlight { get; private set; }

    public long Window => controller.Window;

    public bool IsInSlowStart => controller.IsInSlowStart;

    /// <summary>Number of congestion events; a loss remembers the one that it belongs to.</summary>
    public int Event { get; private set; }

    /// <summary>§7.8: the window is not what holds the sender back, so that acknowledgements say nothing about it.</summary>
    public bool IsApplicationLimited { get; set; }

    public int DatagramSize
    {
        get => controller.DatagramSize;
        set => controller.DatagramSize = value;
    }

    /// <summary>§7: bytes in flight must not exceed the window; asked for a whole packet, so that no slivers are sent.</summary>
    public bool CanSend(int size) => BytesInFlight + size <= Window;

    public void OnSent(int size) => BytesInFlight += size;

    /// <summary>A packet left the network, or is given up.</summary>
    public void OnGone(int size) => BytesInFlight -= size;

    public void OnRoundTrip(TimeSpan sample, ulong largestAcknowledged, ulong nextNumber) =>
        controller.OnRoundTrip(sample, largestAcknowledged, nextNumber);

    public void OnAcknowledged(Timestamp sentAt, int size, TimeSpan smoothedRtt, Timestamp now)
    {
        if (IsApplicationLimited)
        {
            controller.OnUnderused(now);
            return;
        }
        // §7.3.2: no growth for what was sent before the recovery period began.
        if (sentAt <= _recoveryStart) return;
        controller.OnAcknowledged(size, smoothedRtt, now);
    }

    /// <summary>§7.3.2: one reduction for all losses of a round trip.</summary>
    /// <param name="sentAt">When the lost packet was sent.</param>
    /// <param name="now">Where the recovery period begins, if it does.</param>
    public void OnLost(Timestamp sentAt, Timestamp now)
    {
        if (!(sentAt <= _recoveryStart))
        {
            _recoveryStart = now;
            Event++;
            (_losses, _spuriousLosses) = (0, 0);
            controller.OnCongestionEvent();
        }
        _losses++;
    }

    /// <summary>A packet that had been taken for lost is acknowledged.</summary>
    /// <param name="congestionEvent">The <see cref="Event"/> that its loss counted for.</param>
    public void OnSpuriousLoss(int congestionEvent)
    {
        if (congestionEvent != Event || ++_spuriousLosses < _losses) return;
        // The event ends here: what is lost from now on is another one.
        _recoveryStart = null;
        Event++;
        controller.Undo();
    }

    public void OnPersistentCongestion()
    {
        _recoveryStart = null;
        Event++;
        controller.OnPersistentCongestion();
    }

    public static CongestionControl Create(CongestionAlgorithm algorithm, int datagramSize) =>
        new(algorithm == CongestionAlgorithm.NewReno ? new NewReno(datagramSize) : new Cubic(datagramSize));
}
