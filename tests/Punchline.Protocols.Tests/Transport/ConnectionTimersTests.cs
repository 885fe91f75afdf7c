using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionTimersTests
{
    [Fact]
    public void What_was_asked_and_not_answered_for_the_smaller_idle_timeout_ends_the_connection_to_the_tick()
    {
        var pair = new Pair(
            parameters: TransportParameters.Default with { IdleTimeout = TimeSpan.FromSeconds(7) },
            responderParameters: TransportParameters.Default with { IdleTimeout = TimeSpan.FromSeconds(60) }) { Passes = (_, _) => false };
        Assert.Equal(Timestamp.Never, pair.Initiator.Connection.NextTimeout);
        pair.Run(TimeSpan.FromMinutes(10));
        var start = pair.Now;
        pair.Initiator.Connection.Ping();
        pair.Responder.Connection.Ping();
        Assert.False(pair.RunUntil(() => pair.Initiator.Connection.IsClosed, TimeSpan.FromSeconds(7) - TimeSpan.FromTicks(1)));
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.IsDrained && pair.Responder.Connection.IsDrained));
        Assert.Equal(TimeSpan.FromSeconds(7), pair.Now - start);
        Assert.Equal(CloseOrigin.IdleTimeout, pair.Initiator.Connection.CloseReason!.Origin);
        Assert.Equal(ConnectionEventKind.Closed, pair.Responder.Events[^1].Kind);
        Assert.Equal(Timestamp.Never, pair.Initiator.Connection.NextTimeout);
    }

    [Fact]
    public void A_connection_on_which_nothing_is_asked_does_not_end()
    {
        var pair = new Pair();
        pair.Run(TimeSpan.FromHours(10));
        Assert.False(pair.Initiator.Connection.IsClosed);
        Assert.Empty(pair.Initiator.Sent);
        pair.Initiator.Connection.Ping();
        Assert.True(pair.RunUntil(() => !pair.Responder.Connection.IsClosed && pair.Initiator.Connection.LastReceived > pair.Now - TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void No_idle_timeout_on_either_side_is_none()
    {
        var pair = new Pair(parameters: TransportParameters.Default with { IdleTimeout = TimeSpan.Zero });
        Assert.Equal(Timestamp.Never, pair.Initiator.Connection.NextTimeout);
    }

    [Fact]
    public void Keep_alives_every_15_seconds_keep_both_sides_alive()
    {
        var pair = new Pair(keepAlive: TimeSpan.FromSeconds(15));
        var start = pair.Now;
        pair.Run(TimeSpan.FromMinutes(60));
        Assert.False(pair.Initiator.Connection.IsClosed);
        Assert.False(pair.Responder.Connection.IsClosed);
        Assert.Equal(start + TimeSpan.FromSeconds(15), pair.Initiator.Sent[0].At);
        // Both ping at the same moments; each PING is one packet, and one more acknowledges the peer's.
        Assert.Equal(2 * 240, pair.Initiator.Sent.Count, 4.0);
        // At most 5 kB an hour and way, with 28 bytes of IPv4 and UDP, belongs to a longer interval.
        Assert.InRange(pair.Initiator.Sent.Sum(p => p.Bytes.Length + 28), 20_000, 35_000);
    }

    [Fact]
    public void A_connection_that_talks_sends_no_keep_alives()
    {
        var pair = new Pair(keepAlive: TimeSpan.FromSeconds(15));
        pair.Responder.Connection.KeepAliveInterval = TimeSpan.Zero; // its PINGs would cost ACKs
        var id = pair.Initiator.Open("x");
        for (var i = 0; i < 100; i++)
        {
            pair.Initiator.Connection.Write(id, [1]);
            pair.Run(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(100, pair.Initiator.Sent.Count);
    }

    [Fact]
    public void A_ping_measures_the_round_trip_and_shows_that_the_peer_lives()
    {
        var pair = new Pair();
        pair.Run(TimeSpan.FromSeconds(5));
        var start = pair.Now;
        pair.Initiator.Connection.Ping();
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(start + TimeSpan.FromMilliseconds(20 + 25 + 20), pair.Initiator.Connection.LastReceived);
        Assert.Equal(start + TimeSpan.FromMilliseconds(20), pair.Responder.Connection.LastReceived);
        Assert.Single(pair.Initiator.Sent);
    }

    [Fact]
    public void The_reason_of_a_close_arrives()
    {
        var pair = new Pair();
        pair.Initiator.Open("x");
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Initiator.Connection.Close(77, "good night", pair.Now);
        Assert.True(pair.Initiator.Connection.IsClosed);
        Assert.True(pair.RunUntil(() => pair.Responder.Connection.IsClosed));
        Assert.Equal(new CloseReason(CloseOrigin.Remote, true, 77, "good night"), pair.Responder.Connection.CloseReason);
        Assert.Equal(new CloseReason(CloseOrigin.Local, true, 77, "good night"), pair.Initiator.Connection.CloseReason);
        Assert.Equal((ConnectionEventKind.Closed, 77UL, "good night"), (pair.Responder.Events[^1].Kind, pair.Responder.Events[^1].Code, pair.Responder.Events[^1].Text));
        var closedAt = pair.Now;
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.IsDrained && pair.Responder.Connection.IsDrained));
        Assert.InRange(pair.Now - closedAt, TimeSpan.FromMilliseconds(3 * 65), TimeSpan.FromMilliseconds(3 * 200));
        // After the end nothing works, and nothing throws.
        Assert.False(pair.Initiator.Connection.TryOpenStream("x", StreamDirection.Bidirectional, out _));
        Assert.Equal(0, pair.Initiator.Connection.Write(new StreamId(0), [1]));
        pair.Initiator.Connection.Close(1, "again", pair.Now);
        Assert.Equal(77UL, pair.Initiator.Connection.CloseReason!.Code);
    }

    [Fact]
    public void A_lost_close_is_repeated_to_a_silent_peer()
    {
        var pair = new Pair();
        pair.Passes = (side, _) => side.Sent.Count > 2;
        pair.Initiator.Connection.Close(1, "", pair.Now);
        var start = pair.Now;
        Assert.True(pair.RunUntil(() => pair.Responder.Connection.IsClosed));
        // Sent at 0, 1 and 2 probe time-outs of 40 + 4 × 20 + 25 ms.
        Assert.Equal(TimeSpan.FromMilliseconds((2 * 145) + 20), pair.Now - start);
    }

    [Fact]
    public void A_long_reason_is_cut_between_characters()
    {
        var pair = new Pair();
        pair.Initiator.Connection.Close(1, "x" + new string('ä', 200), pair.Now);
        Assert.True(pair.RunUntil(() => pair.Responder.Connection.IsClosed));
        Assert.Equal("x" + new string('ä', 127), pair.Responder.Connection.CloseReason!.Text);
    }

    [Fact]
    public void Two_closes_that_cross_end_both()
    {
        var pair = new Pair();
        pair.Initiator.Connection.Close(1, "one", pair.Now);
        pair.Responder.Connection.Close(2, "two", pair.Now);
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.IsDrained && pair.Responder.Connection.IsDrained));
        Assert.Equal((1UL, 2UL), (pair.Initiator.Connection.CloseReason!.Code, pair.Responder.Connection.CloseReason!.Code));
        Assert.Equal((1, 1), (pair.Initiator.Sent.Count, pair.Responder.Sent.Count));
    }
}
