using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>The congestion controller of RFC 9002 §7 and appendix B, for one path.</summary>
internal sealed class NewReno(int maxDatagramSize)
{
    /// <summary>RFC 9002 §7.2: 10 packets, at most the larger of 14,720 bytes and two packets.</summary>
    private static int InitialWindow(int maxDatagramSize) => Math.Min(10 * maxDatagramSize, Math.Max(14_720, 2 * maxDatagramSize));

    private Timestamp? _recoveryStart;

    /// <summary>Bytes that may be in flight.</summary>
    public long Window { get; private set; } = InitialWindow(maxDatagramSize);

    public long SlowStartThreshold { get; private set; } = long.MaxValue;

    public long BytesInFlight { get; private set; }

    /// <summary>§7.8: the window is not what holds the sender back, so that acknowledgements say nothing about it.</summary>
    public bool IsApplicationLimited { get; set; }

    // §7.2: kMinimumWindow is two packets.
    private int MinWindow => 2 * maxDatagramSize;

    /// <summary>§7: bytes in flight must not exceed the window; asked for a whole packet, so that no slivers are sent.</summary>
    public bool CanSend => BytesInFlight + maxDatagramSize <= Window;

    public void OnSent(int size) => BytesInFlight += size;

    /// <summary>A packet left the network, or is given up.</summary>
    public void OnGone(int size) => BytesInFlight -= size;

    public void OnAcknowledged(Timestamp sentAt, int size)
    {
        // §7.3.2: no growth for what was sent before the recovery period began.
        if (IsApplicationLimited || sentAt <= _recoveryStart) return;
        if (Window < SlowStartThreshold) Window += size;
        else Window += Math.Max(1, (long)maxDatagramSize * size / Window);
    }

    /// <summary>§7.3.2: halves the window once for all losses of one round trip.</summary>
    /// <param name="lastLostSentAt">When the latest of the lost packets was sent.</param>
    /// <param name="now">The recovery period's beginning.</param>
    public void OnLoss(Timestamp lastLostSentAt, Timestamp now)
    {
        if (lastLostSentAt <= _recoveryStart) return;
        _recoveryStart = now;
        SlowStartThreshold = Window / 2;
        Window = Math.Max(SlowStartThreshold, MinWindow);
    }

    /// <summary>§7.6.2: the path has failed to carry anything for long.</summary>
    public void OnPersistentCongestion()
    {
        Window = MinWindow;
        _recoveryStart = null;
    }
}
