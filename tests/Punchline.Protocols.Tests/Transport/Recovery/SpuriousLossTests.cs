using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Tests.Transport.Recovery;

/// <summary>A packet that is acknowledged after it was declared lost: the congestion response is taken back, the thresholds widen.</summary>
public sealed class SpuriousLossTests() : RecoveryScript(CongestionAlgorithm.NewReno)
{
    [Fact]
    public void An_event_whose_only_loss_was_none_is_undone()
    {
        Send(0, 10);
        Ack(At(100), (1, 3));
        Assert.Equal([0], Frames.Lost);
        Assert.Equal(6_000, Recovery.Congestion.Window);
        Ack(At(105), (0, 3));
        Assert.Equal([1, 2, 3, 0], Frames.Acknowledged);
        Assert.Equal((1UL, 1UL), (Recovery.PacketsLost, Recovery.SpuriousLosses));
        Assert.Equal(12_000, Recovery.Congestion.Window);
        Assert.True(Recovery.Congestion.IsInSlowStart);
        Assert.Equal(6 * Size, Recovery.Congestion.BytesInFlight);
        // The recovery period is over, and packets 4 to 9 of before it count: 6 × 1,200 bytes in slow start.
        Ack(At(110), (0, 9));
        Assert.Equal(12_000 + (6 * Size), Recovery.Congestion.Window);
    }

    [Fact]
    public void An_event_with_a_true_loss_stays()
    {
        Send(0, 10);
        Ack(At(100), (2, 4));
        Assert.Equal([0, 1], Frames.Lost);
        Ack(At(105), (0, 0), (2, 4));
        Assert.Equal(6_000, Recovery.Congestion.Window);
        Ack(At(108), (0, 4)); // the other one as well
        Assert.Equal(12_000, Recovery.Congestion.Window);
    }

    [Fact]
    public void A_later_loss_of_the_same_round_trip_belongs_to_the_event()
    {
        Send(0, 10);
        Ack(At(100), (1, 3));
        Ack(At(101), (1, 3), (5, 9)); // 4 is lost too
        Assert.Equal([0, 4], Frames.Lost);
        Ack(At(105), (0, 3), (5, 9));
        Assert.Equal(6_000, Recovery.Congestion.Window);
    }

    [Fact]
    public void A_loss_of_an_earlier_event_undoes_nothing()
    {
        Send(0, 10);
        Ack(At(100), (1, 9)); // the window halves to 6,000
        for (ulong number = 10; number < 15; number++) SendOne(number, At(110));
        Ack(At(210), (1, 9), (11, 14)); // and again, to 3,000
        Assert.Equal([0, 10], Frames.Lost);
        var window = Recovery.Congestion.Window;
        Ack(At(215), (0, 9), (11, 14));
        Assert.Equal(window, Recovery.Congestion.Window);
    }

    [Fact]
    public void The_packet_threshold_widens_to_the_distance_seen()
    {
        Send(0, 8);
        Ack(At(100), (1, 5));
        Ack(At(101), (0, 5)); // five behind
        for (ulong number = 10; number < 20; number++) SendOne(number, At(200));
        Ack(At(300), (0, 7), (11, 15)); // packet 10 is five behind again
        Assert.Equal([0], Frames.Lost);
        Ack(At(300), (0, 7), (11, 16));
        Assert.Equal([0, 10], Frames.Lost);
    }

    [Fact]
    public void The_packet_threshold_has_a_bound()
    {
        Send(0, 400);
        Ack(At(100), (1, 399));
        Ack(At(101), (0, 399));
        for (ulong number = 400; number < 700; number++) SendOne(number, At(200));
        Ack(At(300), (0, 399), (401, 400 + ReorderingTolerance.MaxPackets - 1));
        Assert.Equal([0], Frames.Lost);
        Ack(At(300), (0, 399), (401, 400 + ReorderingTolerance.MaxPackets));
        Assert.Equal([0, 400], Frames.Lost);
    }

    [Theory] // lost at 112.5 ms, 9/8 of the round trip
    [InlineData(140, 140)] // came 40 ms late
    [InlineData(500, 200)] // at most one round trip more
    public void The_time_threshold_widens_to_the_lateness_seen(double arrives, double nextLoss)
    {
        Send(0, 2);
        Ack(At(100), (1, 1));
        Recovery.HandleTimeout(At(112.5));
        Assert.Equal([0], Frames.Lost);
        Ack(At(arrives), (0, 1)); // no sample: the largest is not newly acknowledged
        SendOne(2, At(1_000));
        SendOne(3, At(1_000));
        Ack(At(1_100), (0, 1), (3, 3));
        Assert.Equal(At(1_000 + nextLoss), Recovery.Deadline);
    }

    [Fact]
    public void What_was_lost_last_is_remembered()
    {
        Send(0, LostPackets.Limit + 10);
        Ack(At(100), (LostPackets.Limit + 9, LostPackets.Limit + 9));
        Recovery.HandleTimeout(At(112.5));
        Assert.Equal(LostPackets.Limit + 9, Frames.Lost.Count);
        Ack(At(120), (0, LostPackets.Limit + 9));
        Assert.Equal((ulong)LostPackets.Limit, Recovery.SpuriousLosses); // the nine oldest are forgotten
        Assert.Equal(Enumerable.Range(9, LostPackets.Limit), Frames.Acknowledged.Skip(1));
        Assert.Equal(6_000, Recovery.Congestion.Window);
    }

    [Fact]
    public void A_late_packet_of_an_old_path_counts_for_nothing_but_its_frames()
    {
        Send(0, 4);
        Ack(At(100), (1, 3));
        Recovery.MoveTo(NewPath(), 4);
        Ack(At(105), (0, 3));
        Assert.Equal([1, 2, 3, 0], Frames.Acknowledged);
        Assert.Equal(12_000, Recovery.Congestion.Window);
    }
}
