using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>Which <see cref="ICongestionController"/> a connection has.</summary>
internal enum CongestionAlgorithm : byte
{
    /// <summary>RFC 9438, with HyStart++ (RFC 9406).</summary>
    Cubic,

    /// <summary>RFC 9002's own, to compare with.</summary>
    NewReno,
}

/// <summary>
/// How large the window of one path is: what RFC 9002 §7 leaves to the algorithm. When something happens is not its business
/// but <see cref="CongestionControl"/>'s.
/// </summary>
internal interface ICongestionController
{
    /// <summary>Bytes that may be in flight.</summary>
    long Window { get; }

    bool IsInSlowStart { get; }

    /// <summary>The size of a full packet, which path MTU discovery changes.</summary>
    int DatagramSize { get; set; }

    /// <summary>An ACK brought a round-trip sample.</summary>
    /// <param name="sample">The sample.</param>
    /// <param name="largestAcknowledged">The packet that it was taken of.</param>
    /// <param name="nextNumber">The number that follows the last packet sent: where the next round ends.</param>
    void OnRoundTrip(TimeSpan sample, ulong largestAcknowledged, ulong nextNumber);

    /// <summary>Bytes were acknowledged that were sent since the last congestion event, and the window was in use.</summary>
    void OnAcknowledged(int bytes, TimeSpan smoothedRtt, Timestamp now);

    /// <summary>Bytes were acknowledged while the application had less to send than the window allows.</summary>
    void OnUnderused(Timestamp now);

    /// <summary>Packets were lost that were sent since the last congestion event.</summary>
    void OnCongestionEvent();

    /// <summary>RFC 9002 §7.6.2: the path has failed to carry anything for long.</summary>
    void OnPersistentCongestion();

    /// <summary>The last congestion event was none: what it did is taken back.</summary>
    void Undo();
}

/// <summary>The windows that RFC 9002 §7.2 fixes for every algorithm.</summary>
internal static class CongestionWindow
{
    /// <summary>10 packets, at most the larger of 14,720 bytes and two packets.</summary>
    public static int Initial(int datagramSize) => Math.Min(10 * datagramSize, Math.Max(14_720, 2 * datagramSize));

    /// <summary>kMinimumWindow.</summary>
    public static int Min(int datagramSize) => 2 * datagramSize;
}
