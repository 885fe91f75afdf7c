using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Tests.Transport.Recovery;

/// <summary>
/// CUBIC's window against the formulas of RFC 9438, which <see cref="Reference"/> computes in packets and seconds, apart from
/// the code.
/// </summary>
public sealed class CubicTests
{
    private const int Size = 1_200;

    private readonly Cubic _cubic = new(Size);
    private Timestamp _now = Timestamp.FromMilliseconds(1_000);

    [Theory] // the round trip, and the window at the congestion event; short ones are Reno-friendly for long
    [InlineData(20, 40)]
    [InlineData(40, 100)]
    [InlineData(100, 100)]
    [InlineData(100, 1_000)]
    [InlineData(200, 500)]
    [InlineData(800, 60)]
    public void The_window_after_each_round_trip_is_the_RFCs(int roundTripMilliseconds, int packets)
    {
        SlowStartTo(packets);
        _cubic.OnCongestionEvent();
        var reference = new Reference(packets);
        Assert.Equal(reference.Window * Size, _cubic.Window, 1.0);
        var roundTrip = TimeSpan.FromMilliseconds(roundTripMilliseconds);
        for (var round = 1; round <= 120; round++)
        {
            // The acknowledgements of one window, evenly over the round trip.
            var count = (int)reference.Window;
            for (var i = 0; i < count; i++)
            {
                _cubic.OnAcknowledged(Size, roundTrip, _now);
                reference.Acknowledge((_now - reference.Begins(_now)).TotalSeconds, roundTrip.TotalSeconds);
                _now += roundTrip / count;
            }
            Assert.True(Math.Abs(reference.Window - ((double)_cubic.Window / Size)) < 0.01, $"round {round}: {(double)_cubic.Window / Size} packets instead of {reference.Window}");
        }
        Assert.True(_cubic.Window > packets * Size, "The window has grown beyond where it was.");
    }

    [Fact] // K = cbrt(30 / 0.4) = 4.217 s; RFC 9438 §4.2
    public void The_plateau_comes_when_the_RFC_says()
    {
        SlowStartTo(100);
        _cubic.OnCongestionEvent();
        Assert.Equal(70 * Size, _cubic.Window);
        // A round trip of 1 s, so that Reno's window is far below.
        _cubic.OnAcknowledged(Size, TimeSpan.FromSeconds(1), _now);
        _now += TimeSpan.FromSeconds(4.217);
        for (var i = 0; i < 2_000; i++) _cubic.OnAcknowledged(Size, TimeSpan.Zero, _now);
        Assert.Equal(100.0, (double)_cubic.Window / Size, 0.1);
    }

    [Fact]
    public void A_second_event_below_the_last_makes_room()
    {
        SlowStartTo(100);
        _cubic.OnCongestionEvent();
        _cubic.OnCongestionEvent();
        Assert.Equal(49.0 * Size, _cubic.Window, 1.0);
        // §4.7: W_max = 70 × (1 + 0.7) / 2 = 59.5; K = cbrt(10.5 / 0.4) = 2.972 s
        _cubic.OnAcknowledged(Size, TimeSpan.FromSeconds(1), _now);
        _now += TimeSpan.FromSeconds(2.972);
        for (var i = 0; i < 500; i++) _cubic.OnAcknowledged(Size, TimeSpan.Zero, _now);
        Assert.Equal(59.5, (double)_cubic.Window / Size, 0.1);
    }

    [Fact]
    public void Time_in_which_the_application_had_little_to_send_does_not_count()
    {
        var other = new Cubic(Size);
        SlowStartTo(100);
        while (other.Window < 100 * Size) other.OnAcknowledged(Size, TimeSpan.Zero, _now);
        _cubic.OnCongestionEvent();
        other.OnCongestionEvent();
        var roundTrip = TimeSpan.FromMilliseconds(100);
        _cubic.OnAcknowledged(Size, roundTrip, _now);
        other.OnAcknowledged(Size, roundTrip, _now);
        for (var i = 0; i < 100; i++) _cubic.OnUnderused(_now + (i * roundTrip));
        Assert.Equal(other.Window, _cubic.Window);
        for (var i = 0; i < 50; i++)
        {
            var active = _now + (i * roundTrip);
            other.OnAcknowledged(Size, roundTrip, active);
            _cubic.OnAcknowledged(Size, roundTrip, active + TimeSpan.FromSeconds(10));
        }
        Assert.Equal(other.Window, _cubic.Window);
    }

    [Fact]
    public void An_undone_event_leaves_no_trace()
    {
        SlowStartTo(100);
        _cubic.OnCongestionEvent();
        Grow(20);
        var window = _cubic.Window;
        _cubic.OnCongestionEvent();
        Assert.Equal((long)(window * 0.7), _cubic.Window, 1.0);
        _cubic.Undo();
        Assert.Equal(window, _cubic.Window);
        Assert.False(_cubic.IsInSlowStart);
        _cubic.Undo(); // there is one event to undo
        Assert.Equal(window, _cubic.Window);

        // It goes on as if there had been none.
        var other = new CubicTests();
        other.SlowStartTo(100);
        other._cubic.OnCongestionEvent();
        other.Grow(40);
        Grow(20);
        Assert.Equal(other._cubic.Window, _cubic.Window);
    }

    [Fact]
    public void An_undone_event_of_slow_start_continues_it()
    {
        SlowStartTo(50);
        _cubic.OnCongestionEvent();
        Assert.False(_cubic.IsInSlowStart);
        _cubic.Undo();
        Assert.True(_cubic.IsInSlowStart);
        Assert.Equal(50 * Size, _cubic.Window);
    }

    [Fact] // §4.8: slow start to the threshold, then K = 0 from there
    public void Persistent_congestion_begins_anew_from_two_packets()
    {
        SlowStartTo(100);
        _cubic.OnCongestionEvent();
        _cubic.OnPersistentCongestion();
        Assert.Equal(2 * Size, _cubic.Window);
        Assert.True(_cubic.IsInSlowStart);
        for (var i = 0; i < 68; i++) _cubic.OnAcknowledged(Size, TimeSpan.Zero, _now);
        Assert.Equal(70 * Size, _cubic.Window);
        Assert.False(_cubic.IsInSlowStart);
        _cubic.OnAcknowledged(Size, TimeSpan.FromSeconds(10), _now);
        _now += TimeSpan.FromSeconds(3);
        for (var i = 0; i < 500; i++) _cubic.OnAcknowledged(Size, TimeSpan.Zero, _now);
        // W_cubic(3) = 0.4 × 27 + W_max
        Assert.Equal(70 + (0.4 * 27), (double)_cubic.Window / Size, 0.1);
        _cubic.Undo();
        Assert.True(_cubic.Window < 90 * Size);
    }

    private void SlowStartTo(int packets)
    {
        while (_cubic.Window < packets * Size) _cubic.OnAcknowledged(Size, TimeSpan.Zero, _now);
        Assert.Equal(packets * Size, _cubic.Window);
    }

    private void Grow(int rounds)
    {
        for (var i = 0; i < rounds; i++)
        {
            for (var packet = 0; packet < 50; packet++) _cubic.OnAcknowledged(Size, TimeSpan.FromMilliseconds(100), _now);
            _now += TimeSpan.FromMilliseconds(100);
        }
    }

    /// <summary>RFC 9438 §4.2 to §4.5, behind one congestion event at <paramref name="max"/> packets.</summary>
    private sealed class Reference(double max)
    {
        private readonly double _k = Math.Cbrt((max - (0.7 * max)) / 0.4);
        private double _estimate = 0.7 * max;
        private Timestamp? _begins;

        public double Window { get; private set; } = 0.7 * max;

        public Timestamp Begins(Timestamp now) => _begins ??= now;

        public void Acknowledge(double t, double roundTrip)
        {
            var alpha = _estimate >= max ? 1.0 : 3 * (1 - 0.7) / (1 + 0.7);
            _estimate += alpha * (1 / Window);
            if (Cubic(t) < _estimate)
            {
                Window = Math.Max(Window, _estimate);
                return;
            }
            var target = Cubic(t + roundTrip);
            if (target < Window) target = Window;
            if (target > 1.5 * Window) target = 1.5 * Window;
            Window += (target - Window) / Window;
        }

        private double Cubic(double t) => (0.4 * Math.Pow(t - _k, 3)) + max;
    }
}
