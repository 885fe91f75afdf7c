using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport;

/// <summary>Probes for larger packets.</summary>
internal sealed partial class Connection
{
    // RFC 9000 §14.4: PING and PADDING. It counts as in flight, and waits for the window and the pacer like data.
    private bool TryWritePathMtuProbe(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_recovery.PathMtu.IsProbeDue(now, out var size) || size > buffer.Length) return false;
        if (_recovery.ProbesPending > 0 || _recovery.IsCongested || !_recovery.Congestion.CanSend(size) || _recovery.IsPaced(now)) return false;
        var writer = FrameWriter(buffer, size);
        writer.WriteByte((byte)FrameType.Ping);
        writer.WriteZeros(writer.Free.Length); // PADDING
        var number = _sealer.NextNumber;
        if (!TrySend(buffer, writer.Length, Path, out transmit)) return false;
        _recovery.PathMtu.OnProbeSent();
        _recovery.OnSent(number, size, SentFrames.None, SentPacket.NoAck, now, isPathMtuProbe: true);
        OnElicitingSent(now);
        return true;
    }
}
