using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.PathMtu;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>
/// What recovery knows of one path: round trip, window, packet size, pace, and how late packets may come. RFC 9000 §9.4: a new
/// path begins anew; one that is returned to goes on with what it had.
/// </summary>
/// <param name="largestDatagram">The largest packet that may be sent, if the path carries it.</param>
/// <param name="algorithm">Of the window.</param>
/// <param name="isReliable">A TCP connection: it repeats what is lost and holds back what is too much by itself, and cuts packets as it likes.</param>
internal sealed class PathRecovery(int largestDatagram, CongestionAlgorithm algorithm, bool isReliable = false)
{
    private readonly Pacer _pacer = new(PathMtuDiscovery.BaseSize);

    /// <summary>Nothing is lost on it as long as it lasts: no timer asks, no window limits (PROTOCOL §7).</summary>
    public bool IsReliable { get; } = isReliable;

    public RttEstimator Rtt { get; } = new();

    public CongestionControl Congestion { get; } = CongestionControl.Create(algorithm, PathMtuDiscovery.BaseSize);

    public PathMtuDiscovery PathMtu { get; } = isReliable ? PathMtuDiscovery.Fixed(largestDatagram) : new(largestDatagram);

    public ReorderingTolerance Tolerance { get; } = new();

    /// <summary>RFC 9002 §7.6.2: losses before it say nothing of persistent congestion.</summary>
    public Timestamp? FirstSampleAt { get; private set; }

    /// <summary>
    /// Of the numbers that went over this path, the largest one acknowledged. Numbers are common to all paths, whose packets
    /// overtake each other: only those of its own path show that a packet is late.
    /// </summary>
    public ulong? LargestAcknowledged { get; private set; }

    public bool IsPaced(Timestamp now) => !IsReliable && !_pacer.CanSend(Pacer.PacedWindow(Congestion), Rtt.Smoothed, now);

    /// <summary>The window has no room for another packet.</summary>
    public bool IsCongested => !IsReliable && !Congestion.CanSend(PathMtu.PacketSize);

    /// <summary>When the pacer lets the next packet go.</summary>
    public Timestamp NextPacedSend => _pacer.NextSend(Pacer.PacedWindow(Congestion), Rtt.Smoothed);

    public void TakeSample(TimeSpan rtt, TimeSpan ackDelay, Timestamp now)
    {
        Rtt.Update(rtt, ackDelay);
        FirstSampleAt ??= now;
    }

    public void OnSent(int size)
    {
        Congestion.OnSent(size);
        _pacer.OnSent(size);
    }

    public void NoteAcknowledged(ulong number) => LargestAcknowledged = Math.Max(LargestAcknowledged ?? 0, number);

    /// <summary>Path MTU discovery has found another size.</summary>
    public void TakePacketSize() => Congestion.DatagramSize = _pacer.DatagramSize = PathMtu.PacketSize;
}
