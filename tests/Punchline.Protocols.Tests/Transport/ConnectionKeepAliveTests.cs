using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Paths;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>What an idle connection sends: PROTOCOL §7.</summary>
public sealed class ConnectionKeepAliveTests
{
    private const int HeadersLength = 28;

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // 0.8 of 29.5 s, which a router of 30 s is measured at.
    private static readonly TimeSpan OfThirtySeconds = TimeSpan.FromSeconds(23.6);

    [Fact]
    public void With_mappings_of_30_s_an_idle_hour_takes_less_than_5_kB_each_way()
    {
        var pair = Idle(OfThirtySeconds, OfThirtySeconds);
        pair.Run(Hour);
        foreach (var side in (Side[])[pair.Initiator, pair.Responder])
        {
            Assert.InRange(side.Sent.Sum(packet => packet.Bytes.Length + HeadersLength), 4_500, 4_800);
            // An hour has 152 intervals of 23.6 s; some begin anew behind a PING or its ACK.
            Assert.InRange(side.Sent.Count(IsKeepAlive), 145, 152);
        }
        // Every 15 minutes one asks, and the other answers.
        Assert.Equal(3, pair.Initiator.Sent.Count(packet => packet.Bytes.Length == 43));
        Assert.Equal(0, pair.Responder.Sent.Count(packet => packet.Bytes.Length == 43));
        Assert.Equal(3, pair.Responder.Sent.Count(packet => !IsKeepAlive(packet)));
    }

    [Fact]
    public void Each_side_keeps_its_own_routers_mapping()
    {
        var pair = Idle(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(200));
        pair.Run(TimeSpan.FromSeconds(800));
        // Less where a PING was sent instead, and one more 15 s behind the beginning.
        Assert.InRange(pair.Initiator.Sent.Count(IsKeepAlive), 75, 80);
        Assert.InRange(pair.Responder.Sent.Count(IsKeepAlive), 3, 5);
        AssertNoLonger(pair.Initiator, TimeSpan.FromSeconds(10));
    }

    [Theory] // set, kept within
    [InlineData(1, 8)]
    [InlineData(1_000, 240)]
    public void An_interval_has_bounds(int seconds, int expected)
    {
        var pair = Idle(TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds));
        pair.Run(TimeSpan.FromSeconds(480));
        Assert.InRange(pair.Initiator.Sent.Count(IsKeepAlive), (480 / expected) - 1, (480 / expected) + 1);
    }

    [Fact]
    public void Nothing_more_is_sent_where_something_is_said_anyway()
    {
        var pair = Idle(OfThirtySeconds, OfThirtySeconds);
        var id = pair.Initiator.Open("x");
        for (var i = 0; i < 100; i++)
        {
            pair.Initiator.Connection.Write(id, [1]);
            pair.Run(TimeSpan.FromSeconds(20));
        }
        // But for one behind the path's first 3 s. The responder's ACKs do it.
        Assert.InRange(pair.Initiator.Sent.Count(IsKeepAlive), 0, 1);
        Assert.InRange(pair.Responder.Sent.Count(IsKeepAlive), 0, 1);
    }

    [Fact]
    public void A_peer_whose_keep_alives_stay_away_is_asked_behind_two_that_are_missing()
    {
        var pair = Idle(OfThirtySeconds, OfThirtySeconds);
        pair.Run(TimeSpan.FromSeconds(300));
        var last = pair.Responder.Sent[^1].At;
        pair.Passes = (side, _) => side != pair.Responder;
        Assert.True(pair.RunUntil(() => pair.Initiator.Sent[^1].Bytes.Length == 43));
        Assert.Equal(TimeSpan.FromSeconds(59.02), pair.Now - last); // 2.5 intervals and the way
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.IsSilent, TimeSpan.FromSeconds(1)));
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.IsClosed, TimeSpan.FromSeconds(31)));
    }

    [Fact]
    public void A_lost_keep_alive_alarms_nobody()
    {
        var pair = Idle(OfThirtySeconds, OfThirtySeconds);
        pair.Passes = (side, bytes) => side != pair.Responder || side.Sent.Count % 4 != 0;
        pair.Run(TimeSpan.FromMinutes(14));
        Assert.All(pair.Initiator.Sent, packet => Assert.True(IsKeepAlive(packet)));
    }

    [Fact]
    public void A_peer_that_becomes_more_patient_is_asked_until_that_is_known()
    {
        var ofPeer = new MappingKeepAlive();
        var pair = new Pair(mapping: (new MappingKeepAlive(), ofPeer));
        pair.Run(TimeSpan.FromSeconds(300));
        ofPeer.Set(isIPv4: true, TimeSpan.FromSeconds(236));
        pair.Run(TimeSpan.FromMinutes(30));
        var asked = pair.Initiator.Sent.Count(packet => !IsKeepAlive(packet));
        Assert.InRange(asked, 1, 7);
        pair.Run(Hour);
        // After that only as often as every connection.
        Assert.InRange(pair.Initiator.Sent.Count(packet => !IsKeepAlive(packet)) - asked, 3, 4);
    }

    [Fact]
    public void Who_forges_keep_alives_and_stops_has_a_connection_ask_once_in_20_s_at_most()
    {
        var pair = Idle(OfThirtySeconds, OfThirtySeconds);
        for (var i = 0; i < 600; i++)
        {
            pair.Initiator.Connection.HandleKeepAlive(pair.Now);
            pair.Run(TimeSpan.FromMilliseconds(i % 30 == 29 ? 21_000 : 1));
        }
        Assert.InRange(pair.Initiator.Sent.Count(packet => packet.Bytes.Length == 43), 1, 20);
        Assert.False(pair.Initiator.Connection.IsClosed);
    }

    [Fact]
    public void Forged_keep_alives_do_not_hide_that_a_peer_is_gone()
    {
        var pair = Idle(OfThirtySeconds, OfThirtySeconds);
        pair.Passes = (side, _) => side != pair.Responder;
        var start = pair.Now;
        while (!pair.Initiator.Connection.IsClosed && pair.Now - start < Hour)
        {
            pair.Initiator.Connection.HandleKeepAlive(pair.Now);
            pair.Run(TimeSpan.FromSeconds(10));
        }
        Assert.InRange(pair.Now - start, Connection.LivenessInterval, Connection.LivenessInterval + TimeSpan.FromSeconds(41));
    }

    private static Pair Idle(TimeSpan initiator, TimeSpan responder)
    {
        var (ofInitiator, ofResponder) = (new MappingKeepAlive(), new MappingKeepAlive());
        ofInitiator.Set(isIPv4: true, initiator);
        ofResponder.Set(isIPv4: true, responder);
        return new Pair(mapping: (ofInitiator, ofResponder));
    }

    private static bool IsKeepAlive((Timestamp At, Endpoint To, byte[] Bytes) packet) => packet.Bytes is [PacketHeader.KeepAlive];

    private static void AssertNoLonger(Side side, TimeSpan interval)
    {
        for (var i = 1; i < side.Sent.Count; i++) Assert.True(side.Sent[i].At - side.Sent[i - 1].At <= interval);
    }
}
