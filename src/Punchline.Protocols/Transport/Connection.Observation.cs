using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport;

/// <summary>What an observer is told; with none, each of these is a comparison.</summary>
internal sealed partial class Connection
{
    private readonly IConnectionObserver? _observer;

    // Of the input that is being handled, for not everything below it is told the time.
    private Timestamp _observedAt;

    // Before the frames are sealed in place: of a packet that the key's limit then forbids, the close that follows tells.
    private void ObserveSent(ReadOnlySpan<byte> buffer, int framesLength, Endpoint destination)
    {
        if (_observer is null) return;
        var length = PacketHeader.Length + framesLength + PacketHeader.TagLength;
        _observer.OnPacketSent(new ObservedPacket(_sealer.NextNumber, buffer.Slice(PacketHeader.Length, framesLength), destination, length), _observedAt);
    }

    private void ObserveReceived(ulong number, ReadOnlySpan<byte> frames, Endpoint source, int length) =>
        _observer?.OnPacketReceived(new ObservedPacket(number, frames, source, length), _observedAt);

    private void ObserveDropped(PacketDrop reason, Endpoint source, int length) => _observer?.OnPacketDropped(reason, source, length, _observedAt);

    private void ObserveMigration(MigrationStep step, Endpoint remote) => _observer?.OnMigration(step, remote, _observedAt);

    private void ObserveRecovery()
    {
        if (_observer is null) return;
        var (rtt, congestion) = (_recovery.Rtt, _recovery.Congestion);
        var state = congestion.IsInSlowStart ? CongestionState.SlowStart : CongestionState.CongestionAvoidance;
        _observer.OnRecovery(
            new RecoveryMetrics(rtt.Min, rtt.Smoothed, rtt.Latest, rtt.Variation, congestion.Window, congestion.BytesInFlight, state, _recovery.PathMtu.PacketSize), _observedAt);
    }

    void ISentFrameOwner.OnPacketLost(ulong number) => _observer?.OnPacketLost(number, _observedAt);
}
