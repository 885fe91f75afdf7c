using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Observation;

/// <summary>
/// Sees what a connection does, and changes nothing: what a log is written from. A connection without one pays a comparison for each of these.
/// Called in the middle of the connection's work, so it only takes note, and calls nothing of the connection.
/// </summary>
internal interface IConnectionObserver
{
    /// <summary>A packet is about to be sealed and sent.</summary>
    void OnPacketSent(in ObservedPacket packet, Timestamp now);

    /// <summary>A packet authenticated, and is about to be handled.</summary>
    void OnPacketReceived(in ObservedPacket packet, Timestamp now);

    /// <summary>A packet with this connection's id was not taken.</summary>
    void OnPacketDropped(PacketDrop reason, Endpoint source, int length, Timestamp now);

    /// <summary>A packet of ours is taken for lost.</summary>
    void OnPacketLost(ulong number, Timestamp now);

    /// <summary>After everything that may have changed them; they may be the same as before.</summary>
    void OnRecovery(in RecoveryMetrics metrics, Timestamp now);

    /// <summary>How far the change to another address of the peer is.</summary>
    void OnMigration(MigrationStep step, Endpoint remote, Timestamp now);

    /// <summary>A key was followed by the next one.</summary>
    /// <param name="isSendKey">Ours, or else the peer's.</param>
    /// <param name="isPeers">The peer began with it.</param>
    /// <param name="keyPhase">Which key of the direction it is, from 0.</param>
    /// <param name="now">The time.</param>
    void OnKeyUpdated(bool isSendKey, bool isPeers, ulong keyPhase, Timestamp now);

    /// <summary>The connection is over.</summary>
    void OnClosed(CloseReason reason, Timestamp now);

    /// <summary>The connection is forgotten: nothing follows.</summary>
    void OnForgotten(Timestamp now);
}

/// <summary>A packet, and its frames in clear: valid during the call only, and their data is the application's.</summary>
internal readonly ref struct ObservedPacket(ulong number, ReadOnlySpan<byte> frames, Endpoint remote, int length)
{
    public ulong Number { get; } = number;

    /// <summary>RFC 9000 §19, one behind the other.</summary>
    public ReadOnlySpan<byte> Frames { get; } = frames;

    /// <summary>Where it goes to, or comes from.</summary>
    public Endpoint Remote { get; } = remote;

    /// <summary>Bytes of UDP payload.</summary>
    public int Length { get; } = length;
}

internal enum PacketDrop : byte
{
    Duplicate,

    /// <summary>The tag does not hold: damaged, forged, or of a key that is gone.</summary>
    Unauthentic,
}

internal enum MigrationStep : byte
{
    /// <summary>Packets come from another address, and it is asked to prove itself.</summary>
    ProbingStarted,

    /// <summary>It did not answer.</summary>
    ProbingAbandoned,

    /// <summary>It answered, and is where packets go from now on.</summary>
    Completed,
}

internal enum CongestionState : byte
{
    SlowStart,
    CongestionAvoidance,
}

/// <summary>What RFC 9002 keeps of a path (appendices A.3 and B.2).</summary>
/// <param name="MinRtt">Zero before the first sample.</param>
/// <param name="SmoothedRtt">An assumption before the first sample.</param>
/// <param name="LatestRtt">Zero before the first sample.</param>
/// <param name="RttVariation">An assumption before the first sample.</param>
/// <param name="Window">Bytes that may be in flight.</param>
/// <param name="BytesInFlight">Bytes that are.</param>
/// <param name="State">Of the congestion controller.</param>
/// <param name="PacketSize">Bytes of a full packet, by path MTU discovery.</param>
internal readonly record struct RecoveryMetrics(
    TimeSpan MinRtt, TimeSpan SmoothedRtt, TimeSpan LatestRtt, TimeSpan RttVariation, long Window, long BytesInFlight, CongestionState State, int PacketSize);
