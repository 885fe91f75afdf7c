using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Tests.Transport.Recovery;

/// <summary>HyStart++ by rounds of packets, each with its round trip (RFC 9406 §4.2).</summary>
public sealed class HyStartTests
{
    private const int PacketsPerRound = 20;

    private readonly HyStart _hyStart = new();
    private ulong _acknowledged;

    // A window leaves at once when the last packet of the one before is acknowledged.
    private ulong NextNumber => (((_acknowledged + 1) / PacketsPerRound) + 1) * PacketsPerRound;

    [Fact]
    public void A_steady_round_trip_never_ends_slow_start()
    {
        for (var round = 0; round < 50; round++) Assert.False(Round(100));
        Assert.False(_hyStart.IsConservative);
    }

    [Theory] // a threshold of an eighth of the last round's minimum, from 4 to 16 ms
    [InlineData(100, 112.4, false)]
    [InlineData(100, 112.5, true)]
    [InlineData(10, 13.9, false)]
    [InlineData(10, 14, true)]
    [InlineData(400, 415.9, false)]
    [InlineData(400, 416, true)]
    public void A_longer_round_trip_makes_it_conservative(double before, double after, bool isConservative)
    {
        Round(before);
        Round(before);
        Round(after);
        Assert.Equal(isConservative, _hyStart.IsConservative);
    }

    [Fact]
    public void The_eighth_sample_of_a_round_decides_and_the_least_of_them_counts()
    {
        Round(100);
        for (var sample = 1; sample <= 7; sample++)
        {
            Sample(150);
            Assert.False(_hyStart.IsConservative);
        }
        Sample(112.4);
        Assert.False(_hyStart.IsConservative);
        FinishRound(150);
        Assert.False(_hyStart.IsConservative);
        for (var sample = 1; sample <= 7; sample++) Sample(150); // 112.4 + 14.05 is the next round's threshold
        Assert.False(_hyStart.IsConservative);
        Sample(150);
        Assert.True(_hyStart.IsConservative);
    }

    [Fact]
    public void Five_conservative_rounds_end_slow_start_the_first_one_counted()
    {
        Round(100);
        for (var round = 1; round <= 4; round++)
        {
            Assert.False(Round(130));
            Assert.True(_hyStart.IsConservative);
        }
        Assert.True(Round(130));
    }

    [Fact]
    public void A_shorter_round_trip_resumes_slow_start()
    {
        Round(100);
        Round(130);
        Assert.True(_hyStart.IsConservative);
        Round(129.9);
        Assert.False(_hyStart.IsConservative);
        // And five rounds count anew.
        Round(160);
        for (var round = 2; round <= 4; round++) Assert.False(Round(160));
        Assert.True(Round(160));
    }

    [Fact] // RFC 9406 §4.2: a quarter of the growth; §4.3: only before the threshold is set
    public void The_window_grows_by_a_quarter_then_by_CUBIC()
    {
        var cubic = new Cubic(1_200);
        var now = Timestamp.FromMilliseconds(1_000);
        Drive(cubic, now, 100, rounds: 1);
        Assert.Equal(12_000 + (PacketsPerRound * 1_200), cubic.Window);
        Drive(cubic, now, 130, rounds: 1);
        // The eighth sample came before its packet counted: 7 full ones, 13 quarters.
        Assert.Equal(36_000 + (7 * 1_200) + (13 * 300), cubic.Window);
        var window = cubic.Window;
        Drive(cubic, now, 130, rounds: 3);
        Assert.True(cubic.IsInSlowStart);
        Assert.Equal(window + (3 * PacketsPerRound * 300), cubic.Window);
        Drive(cubic, now, 130, rounds: 1);
        Assert.False(cubic.IsInSlowStart);
        // 19 quarters, and the last acknowledgement is already congestion avoidance's: Reno's 1,200² / window.
        window += (3 * PacketsPerRound * 300) + (19 * 300);
        Assert.Equal(window + (1_200 * 1_200 / window), cubic.Window, 1.0);
    }

    private void Drive(Cubic cubic, Timestamp now, double milliseconds, int rounds)
    {
        for (var packet = 0; packet < rounds * PacketsPerRound; packet++)
        {
            cubic.OnRoundTrip(TimeSpan.FromMilliseconds(milliseconds), _acknowledged, NextNumber);
            cubic.OnAcknowledged(1_200, TimeSpan.FromMilliseconds(milliseconds), now);
            _acknowledged++;
        }
    }

    private bool Sample(double milliseconds)
    {
        var isOver = _hyStart.TakeSample(TimeSpan.FromMilliseconds(milliseconds), _acknowledged, NextNumber);
        _acknowledged++;
        return isOver;
    }

    private bool Round(double milliseconds)
    {
        var isOver = false;
        for (var i = 0; i < PacketsPerRound; i++) isOver |= Sample(milliseconds);
        return isOver;
    }

    private void FinishRound(double milliseconds)
    {
        while (_acknowledged % PacketsPerRound != 0) Sample(milliseconds);
    }
}
