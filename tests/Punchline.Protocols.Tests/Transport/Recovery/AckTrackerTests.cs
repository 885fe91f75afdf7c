using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Tests.Transport.Recovery;

/// <summary>Which packets an ACK reports, and when it is due (RFC 9000 §13.2).</summary>
public sealed class AckTrackerTests
{
    private static readonly TimeSpan AckDelay = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(40);

    [Fact]
    public void An_ack_is_due_for_every_second_packet_or_after_the_delay()
    {
        var acks = new AckTracker(AckDelay, 3);
        acks.OnReceived(0, true, RoundTrip, At(0));
        Assert.False(acks.IsDue);
        Assert.Equal(At(25), acks.Deadline);
        acks.HandleTimeout(At(24.9999));
        Assert.False(acks.IsDue);
        acks.HandleTimeout(At(25));
        Assert.True(acks.IsDue);
        acks.OnSent();
        Assert.False(acks.IsWaiting);
        acks.OnReceived(1, true, RoundTrip, At(30));
        acks.OnReceived(2, false, RoundTrip, At(31));
        Assert.False(acks.IsDue);
        acks.OnReceived(3, true, RoundTrip, At(32));
        Assert.True(acks.IsDue);
        acks.OnSent();
        acks.OnReceived(5, true, RoundTrip, At(33)); // a gap
        Assert.True(acks.IsDue);
        acks.OnSent();
        acks.OnReceived(4, true, RoundTrip, At(34)); // its filling
        Assert.True(acks.IsDue);
        acks.OnSent();
        acks.OnReceived(9, false, RoundTrip, At(35));
        Assert.False(acks.IsWaiting); // nothing that elicits: no ACK, whatever the gap
    }

    [Fact]
    public void Acks_hold_the_32_newest_ranges_and_merge_what_touches()
    {
        var acks = new AckTracker(AckDelay, 3);
        for (ulong number = 0; number <= 80; number += 2) acks.OnReceived(number, true, RoundTrip, At(0));
        Assert.Equal([.. Enumerable.Range(0, 32).Select(i => new PacketRange((ulong)(80 - (2 * i)), (ulong)(80 - (2 * i))))], Ranges(acks));
        for (ulong number = 79; number > 17; number -= 2) acks.OnReceived(number, true, RoundTrip, At(1));
        Assert.Equal([new PacketRange(18, 80)], Ranges(acks));
        acks.OnReceived(5, true, RoundTrip, At(1));
        acks.Forget(30);
        Assert.Equal([new PacketRange(31, 80)], Ranges(acks));
        acks.Forget(80);
        Assert.Equal([new PacketRange(31, 80)], Ranges(acks));
        acks.OnReceived(81, true, RoundTrip, At(2));
        Assert.Equal([new PacketRange(31, 81)], Ranges(acks));
    }

    [Fact]
    public void The_delay_of_an_ack_counts_from_its_largest_packet()
    {
        var acks = new AckTracker(AckDelay, 3);
        acks.OnReceived(7, true, RoundTrip, At(0));
        acks.OnReceived(3, true, RoundTrip, At(6));
        var writer = new SpanWriter(new byte[64]);
        Assert.True(acks.TryWrite(ref writer, At(8)));
        var reader = new SpanReader(writer.Written[1..]);
        Assert.True(AckFrame.TryRead(ref reader, false, out var frame));
        Assert.Equal(1_000UL, frame.Delay); // 8,000 µs / 2^3
    }

    [Theory] // packets in a round trip of 40 ms, and the ACKs that are due for a thousand
    [InlineData(16, 500)]
    [InlineData(40, 260)] // two each in the first round trip, then four
    [InlineData(80, 155)] // eight
    [InlineData(400, 260)] // ten
    public void Ten_acks_a_round_trip_are_enough(int packetsInRound, int acksDue)
    {
        var acks = new AckTracker(AckDelay, 3);
        var due = 0;
        for (var i = 0; i < 1_000; i++)
        {
            acks.OnReceived((ulong)i, true, RoundTrip, At(40.0 * i / packetsInRound));
            if (!acks.IsDue) continue;
            acks.OnSent();
            due++;
        }
        Assert.Equal(acksDue, due);
    }

    [Fact]
    public void Under_load_a_gap_is_told_at_once_and_a_pause_ends_the_load()
    {
        var acks = new AckTracker(AckDelay, 3);
        for (var i = 0; i < 400; i++) Receive((ulong)i, 0.2 * i);
        acks.OnSent();
        for (var i = 400; i < 410; i++)
        {
            Assert.False(acks.IsDue);
            Receive((ulong)i, 80);
        }
        Assert.True(acks.IsDue);
        acks.OnSent();
        acks.OnReceived(411, true, RoundTrip, At(81));
        Assert.True(acks.IsDue);
        acks.OnSent();
        acks.OnReceived(412, true, RoundTrip, At(82));
        Assert.Equal(At(82 + 25), acks.Deadline);
        acks.OnSent();
        Receive(413, 200);
        Receive(414, 200);
        Assert.True(acks.IsDue);

        void Receive(ulong number, double at)
        {
            if (acks.IsDue) acks.OnSent();
            acks.OnReceived(number, true, RoundTrip, At(at));
        }
    }

    private static Timestamp At(double milliseconds) => Timestamp.Zero + TimeSpan.FromMilliseconds(1_000 + milliseconds);

    private static PacketRange[] Ranges(AckTracker acks)
    {
        var writer = new SpanWriter(new byte[1_000]);
        Assert.True(acks.TryWrite(ref writer, Timestamp.FromMilliseconds(2_000)));
        var reader = new SpanReader(writer.Written[1..]);
        Assert.True(AckFrame.TryRead(ref reader, false, out var frame));
        var ranges = new List<PacketRange>();
        foreach (var range in frame) ranges.Add(range);
        return [.. ranges];
    }
}
