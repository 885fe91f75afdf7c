using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Tests.Transport.Recovery;

/// <summary>Loss recovery on a path of 100 ms, fed by hand: packets of 1,200 bytes whose number is known from their only frame.</summary>
public abstract class RecoveryScript
{
    private protected const int Size = 1_200;
    private protected static readonly TimeSpan AckDelay = TimeSpan.FromMilliseconds(25);

    private protected RecoveryScript(CongestionAlgorithm algorithm, int largestDatagram = Size)
    {
        NewPath = () => new PathRecovery(largestDatagram, algorithm);
        Recovery = new LossRecovery(Frames, AckDelay, NewPath());
        Recovery.Path.TakeSample(Ms(100), TimeSpan.Zero, Start);
    }

    private protected Recorder Frames { get; } = new();

    private protected Func<PathRecovery> NewPath { get; }

    private protected LossRecovery Recovery { get; }

    private protected Timestamp Start { get; } = Timestamp.FromMilliseconds(1_000);

    private protected static TimeSpan Ms(double milliseconds) => TimeSpan.FromTicks((long)Math.Round(milliseconds * TimeSpan.TicksPerMillisecond));

    private protected Timestamp At(double milliseconds) => Start + Ms(milliseconds);

    private protected void Send(int first, int count)
    {
        for (var i = 0; i < count; i++) SendOne((ulong)(first + i), At(0));
    }

    // The packet's number is hidden in its only frame, as the segment's offset.
    private protected void SendOne(ulong number, Timestamp at, int size = Size)
    {
        var frames = Recovery.RecordFrame(SentFrames.None, new SentFrame(SentFrameKind.Stream, null, new(number, 1, false)));
        Recovery.OnSent(number, size, frames, SentPacket.NoAck, at);
    }

    private protected ulong Ack(Timestamp at, params (ulong Smallest, ulong Largest)[] ranges)
    {
        var writer = new SpanWriter(new byte[1_000]);
        Assert.True(AckFrame.TryWrite(ref writer, ranges.Reverse().Select(r => new PacketRange(r.Smallest, r.Largest)).ToArray(), 0));
        var reader = new SpanReader(writer.Written[1..]);
        Assert.True(AckFrame.TryRead(ref reader, false, out var frame));
        return Recovery.OnAck(frame, TimeSpan.Zero, at);
    }

    private protected sealed class Recorder : ISentFrameOwner
    {
        public List<int> Acknowledged { get; } = [];

        public List<int> Lost { get; } = [];

        public void OnFrameAcknowledged(in SentFrame frame) => Acknowledged.Add((int)frame.Segment.Offset);

        public void OnFrameLost(in SentFrame frame) => Lost.Add((int)frame.Segment.Offset);
    }
}
