using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Streams;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class StreamPartTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Ranges_agree_with_a_set_of_all_offsets(ulong seed)
    {
        var random = new SeededRandom(seed);
        var ranges = new OffsetRanges();
        var except = new OffsetRanges();
        var model = new SortedSet<ulong>();
        var exceptModel = new SortedSet<ulong>();
        for (var i = 0; i < 3_000; i++)
        {
            var start = (ulong)random.NextInt32(200);
            var end = start + (ulong)random.NextInt32(30);
            switch (random.NextInt32(4))
            {
                case 0: ranges.Add(start, end); Each(start, end, o => _ = model.Add(o)); break;
                case 1: ranges.Remove(start, end); Each(start, end, o => _ = model.Remove(o)); break;
                case 2: ranges.AddExcept(start, end, except); Each(start, end, o => { if (!exceptModel.Contains(o)) model.Add(o); }); break;
                default:
                    except.Clear();
                    exceptModel.Clear();
                    except.Add(start, end);
                    except.Add(end + 3, end + 9);
                    Each(start, end, o => exceptModel.Add(o));
                    Each(end + 3, end + 9, o => exceptModel.Add(o));
                    break;
            }
            var listed = new List<ulong>();
            for (var r = 0; r < ranges.Count; r++)
            {
                Assert.True(ranges[r].Start < ranges[r].End);
                Assert.True(r == 0 || ranges[r - 1].End < ranges[r].Start);
                Each(ranges[r].Start, ranges[r].End, listed.Add);
            }
            Assert.Equal(model, listed);
        }
    }

    [Fact]
    public void A_sending_part_sends_new_bytes_within_both_limits_and_lost_ones_first()
    {
        var part = new SendingPart(initialLimit: 100);
        Assert.Equal(150, part.Write(new byte[150]));
        Assert.True(part.TryTakeSegment(60, 1_000, out var first, out var newBytes));
        Assert.Equal((new StreamSegment(0, 60, false), 60UL), (first, newBytes));
        Assert.True(part.TryTakeSegment(60, 15, out var second, out newBytes));
        Assert.Equal((new StreamSegment(60, 15, false), 15UL), (second, newBytes));
        Assert.True(part.TryTakeSegment(60, 1_000, out var third, out _));
        Assert.Equal(new StreamSegment(75, 25, false), third);
        Assert.False(part.TryTakeSegment(60, 1_000, out _, out _));
        Assert.True(part.TryReportBlocked(out var limit));
        Assert.Equal(100UL, limit);
        Assert.False(part.TryReportBlocked(out _));

        part.OnAcknowledged(second);
        part.OnLost(new StreamSegment(0, 100, false)); // of which the middle has arrived
        Assert.True(part.TryTakeSegment(1_000, 0, out var again, out newBytes));
        Assert.Equal((new StreamSegment(0, 60, false), 0UL), (again, newBytes));
        Assert.True(part.TryTakeSegment(1_000, 0, out again, out _));
        Assert.Equal(new StreamSegment(75, 25, false), again);

        part.Complete();
        Assert.True(part.TryRaiseLimit(150));
        Assert.True(part.TryTakeSegment(1_000, 1_000, out var last, out _));
        Assert.Equal(new StreamSegment(100, 50, true), last);
        part.OnAcknowledged(new StreamSegment(0, 60, false));
        part.OnAcknowledged(new StreamSegment(75, 25, false));
        Assert.False(part.IsDone);
        part.OnLost(last);
        Assert.True(part.TryTakeSegment(20, 0, out again, out _));
        Assert.Equal(new StreamSegment(100, 20, false), again);
        part.OnAcknowledged(last); // late, but not lost after all
        Assert.True(part.IsDone);
        Assert.False(part.TryTakeSegment(1_000, 1_000, out _, out _));
    }

    [Fact]
    public void A_bare_end_is_sent_and_sent_again()
    {
        var part = new SendingPart(100);
        part.Write([1]);
        Assert.True(part.TryTakeSegment(60, 60, out var data, out _));
        part.Complete();
        Assert.True(part.TryTakeSegment(0, 0, out var end, out _));
        Assert.Equal(new StreamSegment(1, 0, true), end);
        part.OnLost(end);
        Assert.True(part.TryTakeSegment(0, 0, out end, out _));
        part.OnAcknowledged(end);
        Assert.False(part.IsDone);
        part.OnAcknowledged(data);
        Assert.True(part.IsDone);
    }

    [Fact]
    public void A_send_buffer_takes_one_MiB()
    {
        var part = new SendingPart(ulong.MaxValue);
        Assert.Equal(SendingPart.BufferLimit, part.Write(new byte[SendingPart.BufferLimit + 1]));
        Assert.Equal(0, part.Write([1]));
        Assert.True(part.TryTakeSegment(1_000, ulong.MaxValue, out var segment, out _));
        part.OnAcknowledged(segment);
        Assert.Equal(1_000, part.Write(new byte[2_000]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Pieces_in_any_order_and_overlap_come_out_in_order(ulong seed)
    {
        var random = new SeededRandom(seed);
        var bytes = random.NextBytes(50_000);
        var part = new ReceivingPart(window: 60_000);
        var connection = new ReceiveCredit(60_000, 60_000);
        var output = new List<byte>();
        var read = new byte[4_000];
        for (var i = 0; output.Count < bytes.Length; i++)
        {
            Assert.True(i < 100_000);
            var start = random.NextInt32(bytes.Length);
            var length = Math.Min(random.NextInt32(3_000), bytes.Length - start);
            Assert.Equal(TransportError.NoError, part.Receive((ulong)start, bytes.AsSpan(start, length), start + length == bytes.Length, ref connection));
            var count = part.Read(read.AsSpan(0, random.NextInt32(read.Length)), ref connection);
            output.AddRange(read[..count]);
        }
        part.Read(read, ref connection);
        Assert.Equal(bytes, output);
        Assert.True(part.IsDone);
        Assert.Equal(50_000UL, connection.Received);
        Assert.Equal(50_000UL, connection.Consumed);
    }

    [Fact]
    public void Flow_control_and_final_size_are_enforced_to_the_byte()
    {
        Assert.Equal(TransportError.NoError, Receive(0, 100, false));
        Assert.Equal(TransportError.FlowControlError, Receive(1, 100, false));
        Assert.Equal(TransportError.FlowControlError, Receive(100, 1, false));

        var part = new ReceivingPart(100);
        var connection = new ReceiveCredit(1_000, 1_000);
        Assert.Equal(TransportError.NoError, part.Receive(0, new byte[50], false, ref connection));
        Assert.Equal(TransportError.FinalSizeError, part.Receive(0, new byte[49], true, ref connection));
        Assert.Equal(TransportError.NoError, part.Receive(40, new byte[20], true, ref connection));
        Assert.Equal(TransportError.FinalSizeError, part.Receive(40, new byte[21], false, ref connection));
        Assert.Equal(TransportError.FinalSizeError, part.ReceiveReset(0, 61, ref connection));
        Assert.Equal(TransportError.NoError, part.ReceiveReset(0, 60, ref connection));
        Assert.Equal(60UL, connection.Consumed);

        var small = new ReceiveCredit(10, 10);
        Assert.Equal(TransportError.FlowControlError, new ReceivingPart(100).Receive(0, new byte[11], false, ref small));

        static TransportError Receive(ulong offset, int length, bool isFinal)
        {
            var credit = new ReceiveCredit(1_000, 1_000);
            return new ReceivingPart(100).Receive(offset, new byte[length], isFinal, ref credit);
        }
    }

    [Fact]
    public void A_sender_of_crumbs_is_stopped()
    {
        var part = new ReceivingPart(200_000);
        var connection = new ReceiveCredit(200_000, 200_000);
        for (var i = 0; i < ReceivingPart.MaxPieces; i++)
            Assert.Equal(TransportError.NoError, part.Receive((ulong)(1 + (2 * i)), [1], false, ref connection));
        Assert.Equal(TransportError.InternalError, part.Receive(2 * ReceivingPart.MaxPieces + 1, [1], false, ref connection));
    }

    [Fact]
    public void The_window_is_announced_when_half_of_it_is_used()
    {
        var part = new ReceivingPart(1_000);
        var connection = new ReceiveCredit(10_000, 10_000);
        part.Receive(0, new byte[1_000], false, ref connection);
        part.Read(new byte[500], ref connection);
        Assert.False(part.IsLimitPending);
        part.Read(new byte[1], ref connection);
        Assert.True(part.IsLimitPending);
        Assert.Equal(1_501UL, part.TakeLimit(Timestamp.Zero, TimeSpan.Zero, new ReceiveBudget()));
    }

    private static void Each(ulong start, ulong end, Action<ulong> action)
    {
        for (var offset = start; offset < end; offset++) action(offset);
    }
}
