using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>Receive windows that grow with what the application reads.</summary>
public sealed class WindowTests
{
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData(199, 2_000UL)]
    [InlineData(200, 1_000UL)]
    public void A_window_doubles_where_half_of_it_is_read_within_two_round_trips(int milliseconds, ulong window)
    {
        var credit = new ReceiveCredit(1_000, 8_000);
        var budget = new ReceiveBudget();
        var now = Timestamp.FromMilliseconds(1_000);
        Use(ref credit, 501);
        Assert.Equal(1_501UL, credit.Raise(now, RoundTrip, budget)); // nothing to compare with yet
        Use(ref credit, 501);
        Assert.True(credit.ShouldAnnounce);
        Assert.Equal(1_002 + window, credit.Raise(now + TimeSpan.FromMilliseconds(milliseconds), RoundTrip, budget));
        Assert.Equal(window - 1_000, budget.Taken);
    }

    [Fact]
    public void A_window_stops_at_its_maximum_and_at_what_the_node_has_left()
    {
        var budget = new ReceiveBudget(10_000);
        var (one, other) = (new ReceiveCredit(1_000, 7_000), new ReceiveCredit(1_000, 8_000));
        for (var i = 0; i < 5; i++) Grow(ref one, budget);
        Assert.Equal((7_000UL, 6_000UL), (one.Window, budget.Taken));
        for (var i = 0; i < 5; i++) Grow(ref other, budget);
        Assert.Equal((4_000UL, 9_000UL), (other.Window, budget.Taken)); // 1,000 and 2,000 more; for 4,000 there is no room
        one.Release(budget);
        Grow(ref other, budget);
        Assert.Equal((8_000UL, 7_000UL), (other.Window, budget.Taken));
        other.Release(budget);
        other.Release(budget);
        Assert.Equal(0UL, budget.Taken);
    }

    [Fact]
    public void A_long_fast_path_is_filled_and_the_windows_are_given_back()
    {
        var budget = new ReceiveBudget();
        var pair = new Pair(link: new LinkBehaviour { Delay = RoundTrip / 2 }, budget: budget);
        var begin = pair.Now;
        var id = pair.Initiator.Send("bulk", new byte[64 << 20]);
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        // With 1 MiB a round trip it would take 6.4 s.
        Assert.InRange(pair.Now - begin, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.InRange(budget.Taken, 1UL, ReceiveCredit.MaxConnectionWindow); // the connection's own: the stream's is back with its end
        pair.Responder.Connection.Dispose();
        pair.Initiator.Connection.Dispose();
        Assert.Equal(0UL, budget.Taken);
    }

    private static void Grow(ref ReceiveCredit credit, ReceiveBudget budget)
    {
        Use(ref credit, (credit.Window / 2) + 1);
        credit.Raise(Timestamp.FromMilliseconds(1_000), RoundTrip, budget);
    }

    private static void Use(ref ReceiveCredit credit, ulong bytes)
    {
        Assert.True(credit.TryReceive(bytes));
        credit.Consume(bytes);
    }
}
