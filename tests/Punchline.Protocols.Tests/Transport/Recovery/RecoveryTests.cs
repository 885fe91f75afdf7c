using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Tests.Transport.Recovery;

public sealed class RecoveryTests() : RecoveryScript(CongestionAlgorithm.NewReno)
{
    [Fact]
    public void The_round_trip_follows_RFC_9002_section_5()
    {
        var rtt = new RttEstimator();
        Assert.Equal((Ms(333), Ms(166.5)), (rtt.Smoothed, rtt.Variation));
        rtt.Update(Ms(100), Ms(10)); // the first sample ignores the delay
        Assert.Equal((Ms(100), Ms(50), Ms(100)), (rtt.Smoothed, rtt.Variation, rtt.Min));
        rtt.Update(Ms(140), Ms(20)); // adjusted 120: 3/4 × 50 + 1/4 × 20, 7/8 × 100 + 1/8 × 120
        Assert.Equal((Ms(102.5), Ms(42.5)), (rtt.Smoothed, rtt.Variation));
        rtt.Update(Ms(110), Ms(20)); // less the delay it would fall below the minimum: not adjusted
        Assert.Equal((Ms(103.4375), Ms(33.75)), (rtt.Smoothed, rtt.Variation));
        Assert.Equal(Ms(103.4375) + Ms(135) + AckDelay, rtt.ProbeTimeout(AckDelay));
        rtt.Update(Ms(80), TimeSpan.Zero);
        Assert.Equal(Ms(80), rtt.Min);
    }

    [Fact]
    public void A_packet_is_lost_when_one_three_later_is_acknowledged()
    {
        Send(0, 5);
        Ack(At(100), (1, 1));
        Ack(At(100), (2, 2));
        Assert.Empty(Frames.Lost);
        Ack(At(100), (3, 3));
        Assert.Equal([0], Frames.Lost);
        Assert.Equal([1, 2, 3], Frames.Acknowledged);
        Assert.Equal(1UL, Recovery.PacketsLost);
        Assert.Equal(Size, Recovery.Congestion.BytesInFlight); // packet 4
    }

    [Fact]
    public void A_packet_is_lost_nine_eighths_of_a_round_trip_after_it_was_sent()
    {
        Send(0, 2);
        Ack(At(100), (1, 1));
        Assert.Empty(Frames.Lost);
        Assert.Equal(At(112.5), Recovery.Deadline); // 9/8 × 100 ms
        Recovery.HandleTimeout(At(112.4999));
        Assert.Empty(Frames.Lost);
        Recovery.HandleTimeout(At(112.5));
        Assert.Equal([0], Frames.Lost);
        Assert.Equal(Timestamp.Never, Recovery.Deadline);
    }

    [Fact]
    public void Probe_timeouts_double_and_repeat_the_two_oldest_packets()
    {
        Send(0, 3);
        // 100 + 4 × 50 + 25 ms
        Assert.Equal(At(325), Recovery.Deadline);
        Recovery.HandleTimeout(At(325));
        Assert.Equal(2, Recovery.ProbesPending);
        Assert.Equal([0, 1], Frames.Lost);
        Assert.Equal(0UL, Recovery.PacketsLost);
        Assert.Equal(3 * Size, Recovery.Congestion.BytesInFlight);
        Assert.Equal(At(650), Recovery.Deadline);
        SendOne(3, At(325));
        SendOne(4, At(325));
        Assert.Equal(0, Recovery.ProbesPending);
        Assert.Equal(At(325 + 650), Recovery.Deadline);
        Recovery.HandleTimeout(At(975));
        SendOne(5, At(975));
        Assert.Equal(At(975 + 1_000), Recovery.Deadline); // not 1,300 ms: the longest interval is a second
        Ack(At(1_075), (5, 5)); // the backoff ends, and the rest is lost by the packet threshold and by time
        Assert.Equal(Timestamp.Never, Recovery.Deadline);
        Assert.Equal(5UL, Recovery.PacketsLost);
        SendOne(6, At(2_000));
        Assert.Equal(At(2_000) + Recovery.ProbeTimeout, Recovery.Deadline);
    }

    [Fact]
    public void SlowStart_doubles_the_window_and_a_loss_halves_it_once()
    {
        Assert.Equal(12_000, Recovery.Congestion.Window);
        Send(0, 10);
        Assert.True(Recovery.IsCongested);
        Ack(At(100), (0, 4));
        Assert.Equal(18_000, Recovery.Congestion.Window);
        Ack(At(110), (8, 9)); // 5 and 6 are three behind 9; 7 is not
        Assert.Equal([5, 6], Frames.Lost);
        Assert.Equal(9_000, Recovery.Congestion.Window); // these acknowledgements were sent before the recovery began: no growth
        Assert.False(Recovery.Congestion.IsInSlowStart);
        Recovery.HandleTimeout(At(500));
        Assert.Equal([5, 6, 7], Frames.Lost);
        Assert.Equal(9_000, Recovery.Congestion.Window); // of the same round trip

        SendOne(10, At(600));
        Ack(At(700), (10, 10));
        Assert.Equal(9_000 + (Size * Size / 9_000), Recovery.Congestion.Window); // congestion avoidance
    }

    [Fact]
    public void An_application_limited_sender_does_not_grow()
    {
        Send(0, 2);
        Recovery.Congestion.IsApplicationLimited = true;
        Ack(At(100), (0, 1));
        Assert.Equal(12_000, Recovery.Congestion.Window);
    }

    [Theory] // The sample of 100 ms leaves a variation of 37.5 ms: 3 × (100 + 4 × 37.5 + 25) = 825 ms
    [InlineData(825, 12_000 / 2)]
    [InlineData(826, 2_400 + Size)] // slow start anew, with the packet that was acknowledged
    public void Losses_for_more_than_three_probe_timeouts_are_persistent_congestion(int span, long window)
    {
        SendOne(0, At(1));
        SendOne(1, At(1 + span));
        for (ulong number = 2; number <= 4; number++) SendOne(number, At(1 + span));
        Ack(At(101 + span), (4, 4));
        Assert.Equal([0, 1], Frames.Lost);
        Assert.Equal(window, Recovery.Congestion.Window);
    }

    [Fact]
    public void An_acknowledged_packet_between_the_losses_disproves_persistent_congestion()
    {
        SendOne(0, At(1));
        SendOne(1, At(500));
        for (ulong number = 2; number <= 5; number++) SendOne(number, At(1_000));
        Ack(At(1_100), (1, 1), (5, 5));
        Assert.Equal([0, 2], Frames.Lost);
        Assert.Equal(6_000, Recovery.Congestion.Window);
    }

    [Fact]
    public void A_new_pathStarts_anew_and_old_packets_do_not_count()
    {
        Send(0, 10);
        Recovery.MoveTo(NewPath(), 10);
        Assert.Equal((0L, 12_000L), (Recovery.Congestion.BytesInFlight, Recovery.Congestion.Window));
        Assert.Equal(RttEstimator.Initial, Recovery.Rtt.Smoothed);
        SendOne(10, At(200));
        Ack(At(250), (0, 4), (8, 9));
        Assert.Equal([5, 6, 7], Frames.Lost); // 7 by its own path's round trip
        Assert.Equal((1_200L, 12_000L), (Recovery.Congestion.BytesInFlight, Recovery.Congestion.Window));
        Assert.False(Recovery.Rtt.HasSample);
    }

    [Fact]
    public void A_path_that_is_returned_to_has_its_round_trip_and_its_window_still()
    {
        var first = Recovery.Path;
        Send(0, 10);
        Ack(At(100), (0, 4));
        Recovery.MoveTo(NewPath(), 10);
        SendOne(10, At(110));
        Recovery.MoveTo(first, 11);
        Assert.Equal((Ms(100), 18_000L, 5L * Size), (Recovery.Rtt.Smoothed, Recovery.Congestion.Window, Recovery.Congestion.BytesInFlight));
        Ack(At(200), (5, 9));
        Assert.Equal((24_000L, 0L), (Recovery.Congestion.Window, Recovery.Congestion.BytesInFlight));
    }

    [Fact]
    public void Packets_of_a_faster_path_that_overtake_are_no_sign_of_loss()
    {
        Send(0, 5);
        Recovery.MoveTo(NewPath(), 5);
        for (ulong number = 5; number < 10; number++) SendOne(number, At(10));
        Ack(At(12), (5, 9));
        Assert.Empty(Frames.Lost);
        // The last of the other path have a probe time-out of that path: 100 + 4 × 50 + 25 ms.
        Assert.Equal(At(325), Recovery.Deadline);
        Ack(At(100), (0, 3), (5, 9));
        Assert.Empty(Frames.Lost);
        Recovery.HandleTimeout(Recovery.Deadline);
        Assert.Equal([4], Frames.Lost);
        Assert.Equal(18_000, Recovery.Congestion.Window);
    }

    [Fact]
    public void What_is_in_flight_on_a_silent_path_is_sent_again_on_another_and_may_yet_arrive()
    {
        var silent = Recovery.Path;
        Send(0, 3);
        Recovery.MoveTo(NewPath(), 3);
        SendOne(3, At(500));
        Recovery.LoseAll(silent);
        Assert.Equal([0, 1, 2], Frames.Lost);
        Assert.Equal((12_000L, 0L), (silent.Congestion.Window, silent.Congestion.BytesInFlight));
        Ack(At(600), (1, 1), (3, 3));
        Assert.Equal([3, 1], Frames.Acknowledged);
        Assert.Equal(1UL, Recovery.SpuriousLosses);
    }

    [Fact]
    public void Losses_of_two_paths_are_remembered_in_the_order_of_their_numbers()
    {
        var first = Recovery.Path;
        Send(0, 4);
        Recovery.MoveTo(NewPath(), 4);
        for (ulong number = 4; number < 9; number++) SendOne(number, At(10));
        Ack(At(12), (8, 8)); // 4 and 5 are lost before those of the other path are
        Recovery.LoseAll(first);
        Assert.Equal([4, 5, 0, 1, 2, 3], Frames.Lost);
        Ack(At(20), (0, 5));
        Assert.Equal([8, 0, 1, 2, 3, 4, 5], Frames.Acknowledged);
    }

    [Fact]
    public void Acks_tell_how_far_the_peer_knows_ours()
    {
        Recovery.OnSent(0, 100, SentFrames.None, largestAcknowledged: 40, At(0));
        Recovery.OnSent(1, 100, SentFrames.None, SentPacket.NoAck, At(0));
        Recovery.OnSent(2, 100, SentFrames.None, largestAcknowledged: 50, At(0));
        Assert.Equal(SentPacket.NoAck, Ack(At(100), (1, 1)));
        Assert.Equal(50UL, Ack(At(100), (0, 2)));
        Assert.Equal(SentPacket.NoAck, Ack(At(100), (0, 2)));
    }

    [Fact]
    public void The_pacer_lets_ten_packets_go_and_then_one_at_a_time()
    {
        var pacer = new Pacer(Size);
        var now = At(0);
        for (var i = 0; i < 10; i++)
        {
            Assert.True(pacer.CanSend(120_000, Ms(100), now));
            pacer.OnSent(Size);
        }
        Assert.False(pacer.CanSend(120_000, Ms(100), now));
        // 5/4 × 120,000 bytes in 100 ms: a packet in 0.8 ms.
        var next = pacer.NextSend(120_000, Ms(100));
        Assert.Equal(Ms(0.8).Ticks + 1, (next - now).Ticks);
        Assert.True(pacer.CanSend(120_000, Ms(100), next));
        pacer.OnSent(Size);
        Assert.False(pacer.CanSend(120_000, Ms(100), next + Ms(0.79)));
    }

    [Fact]
    public void The_longest_interval_of_a_slow_path_is_two_timeouts()
    {
        SendOne(0, At(0));
        Ack(At(2_000), (0, 0)); // smoothed (7 × 100 + 2,000) / 8 = 337.5 ms, variation (3 × 50 + 1,900) / 4 = 512.5 ms
        var timeout = Ms(337.5) + Ms(4 * 512.5) + AckDelay;
        SendOne(1, At(2_000));
        Assert.Equal(At(2_000) + timeout, Recovery.Deadline);
        for (var i = 0; i < 4; i++)
        {
            var at = Recovery.Deadline;
            Recovery.HandleTimeout(at);
            SendOne((ulong)(2 + i), at);
            Assert.Equal(at + (2 * timeout), Recovery.Deadline);
        }
    }
}
