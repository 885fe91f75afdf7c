using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Node;

/// <summary>WIRE 6: what a responder answers while it has more to answer than it can afford.</summary>
public sealed class CookieTests
{
    // 50 agreements, 15 of them kept for those with a cookie, three an answer.
    private const int AnswersToAnybody = 11;
    private const int AnswersToProven = 5;

    private static readonly Endpoint Forged = Endpoint.Parse("192.0.2.1:1024");

    [Fact]
    public void When_answers_run_short_a_source_gets_a_cookie_and_with_it_an_answer()
    {
        using var room = new StagedRoom(members: AnswersToAnybody + AnswersToProven + 1, responds: true);
        foreach (var member in room.Members.Take(AnswersToAnybody)) Assert.Equal(0xc1, Assert.Single(room.Deliver(member.Source, member.Message1(1))).Bytes[0]);
        var routes = room.Node.RouteCount;
        var rest = room.Members.Skip(AnswersToAnybody).ToList();
        var returned = new List<byte[]>();
        foreach (var member in rest)
        {
            using var handshake = member.Begin(attempt: 1);
            var reply = Assert.Single(room.Deliver(member.Source, handshake.Message1.ToArray()));
            Assert.Equal((member.Source, 25), (reply.To, reply.Bytes.Length));
            Assert.True(HandshakePacket.TryReadCookieReply(reply.Bytes, out var connectionId, out var cookie));
            Assert.Equal(handshake.ConnectionId, connectionId);
            // The same again, and nothing is kept.
            Assert.Equal(reply.Bytes, Assert.Single(room.Deliver(member.Source, handshake.Message1.ToArray())).Bytes);
            returned.Add(WithCookie(cookie, handshake.Message1));
        }
        Assert.Equal(routes, room.Node.RouteCount);

        // From elsewhere, with another's cookie or a changed one it is what it is without.
        Assert.Equal(25, Assert.Single(room.Deliver(rest[0].Source.WithPort(9_999), returned[0])).Bytes.Length);
        Assert.Equal(25, Assert.Single(room.Deliver(rest[0].Source, [.. returned[1].AsSpan(0, 17), .. returned[0].AsSpan(17)])).Bytes.Length);
        byte[] changed = [.. returned[0]];
        changed[16] ^= 1;
        Assert.Equal(25, Assert.Single(room.Deliver(rest[0].Source, changed)).Bytes.Length);
        Assert.Equal(routes, room.Node.RouteCount);

        for (var i = 0; i < AnswersToProven; i++)
        {
            var answer = Assert.Single(room.Deliver(rest[i].Source, returned[i]));
            Assert.Equal((rest[i].Source, 0xc1), (answer.To, answer.Bytes[0]));
            Assert.True(answer.Bytes.Length <= 250);
        }
        // Now there is nothing left even for them, until three more agreements are there: 60 ms.
        Assert.Empty(room.Deliver(rest[^1].Source, returned[^1]));
        room.Pass(TimeSpan.FromMilliseconds(61));
        Assert.Equal(0xc1, Assert.Single(room.Deliver(rest[^1].Source, returned[^1])).Bytes[0]);
    }

    // Nineteen members send attempt after attempt, each from another forged source, for 10 s.
    [Fact]
    public void A_flood_from_forged_sources_does_not_keep_a_genuine_peer_from_connecting()
    {
        using var room = new StagedRoom(members: 20, responds: true);
        var genuine = room.Members[0];
        var answers = 0;
        ulong attempt = 0;
        for (var i = 0; i < 100; i++)
        {
            attempt++;
            foreach (var member in room.Members.Skip(1))
            {
                var source = Endpoint.FromIPv4(0xc000_0200 + (uint)room.Random.NextInt32(256), (ushort)(1_024 + room.Random.NextInt32(60_000)));
                var reply = room.Deliver(source, member.Message1(attempt));
                Assert.True(reply.Count <= 1);
                answers += reply.Count(packet => packet.Bytes[0] == 0xc1);
            }
            room.Pass(TimeSpan.FromMilliseconds(100));
        }
        // 50 agreements a second in 10 s, and the 35 at first, three an answer.
        Assert.InRange(answers, 100, (500 + 35) / 3);

        using var handshake = genuine.Begin(attempt: 1);
        foreach (var member in room.Members.Skip(1)) room.Deliver(Forged, member.Message1(attempt + 1));
        var cookieReply = Assert.Single(room.Deliver(genuine.Source, handshake.Message1.ToArray()));
        Assert.True(HandshakePacket.TryReadCookieReply(cookieReply.Bytes, out _, out var cookie));
        var message2 = Assert.Single(room.Deliver(genuine.Source, WithCookie(cookie, handshake.Message1)));
        AssertConnects(room, genuine, handshake, message2.Bytes);
    }

    // Whoever sees a message 1 can send it from everywhere, faster than the peer itself.
    [Fact]
    public void A_message_1_replayed_from_a_thousand_sources_still_gets_the_peer_its_answer()
    {
        using var room = new StagedRoom(members: 1, responds: true);
        var genuine = room.Members[0];
        using var handshake = genuine.Begin(attempt: 1);
        var message1 = handshake.Message1.ToArray();
        var replies = new List<byte[]>();
        for (ushort port = 0; port < 1_000; port++) replies.Add(Assert.Single(room.Deliver(Forged.WithPort((ushort)(2_000 + port)), message1)).Bytes);
        Assert.Equal(30, replies.Count(reply => reply[0] == 0xc1));
        Assert.Equal(970, replies.Count(reply => reply.Length == 25));
        Assert.Equal(2, room.Node.RouteCount); // the peer's hint, and the one answer's connection id

        var cookieReply = Assert.Single(room.Deliver(genuine.Source, message1));
        Assert.True(HandshakePacket.TryReadCookieReply(cookieReply.Bytes, out _, out var cookie));
        var cookied = WithCookie(cookie, message1);
        var message2 = Assert.Single(room.Deliver(genuine.Source, cookied));
        Assert.Equal(replies[0], message2.Bytes);
        // Three answers a source, with a cookie as without.
        Assert.Single(room.Deliver(genuine.Source, cookied));
        Assert.Single(room.Deliver(genuine.Source, cookied));
        Assert.Empty(room.Deliver(genuine.Source, cookied));
        AssertConnects(room, genuine, handshake, message2.Bytes);
    }

    [Fact]
    public void A_member_that_begins_anew_all_the_time_gets_four_answers_and_leaves_the_others_theirs()
    {
        using var room = new StagedRoom(members: 2, responds: true);
        var (restless, other) = (room.Members[0], room.Members[1]);
        var answers = 0;
        for (ulong attempt = 1; attempt <= 100; attempt++) answers += room.Deliver(restless.Source, restless.Message1(attempt)).Count;
        Assert.Equal(4, answers);
        Assert.Equal(0xc1, Assert.Single(room.Deliver(other.Source, other.Message1(1))).Bytes[0]);
        room.Pass(TimeSpan.FromMilliseconds(1_001));
        Assert.Single(room.Deliver(restless.Source, restless.Message1(101)));
    }

    // WIRE 5: a claimed id cancels nothing. The room's members know everything of each other but their private keys.
    [Fact]
    public void A_member_cannot_write_a_message_1_in_anothers_name()
    {
        using var room = new StagedRoom(members: 2, responds: true);
        var (genuine, forger) = (room.Members[0], room.Members[1]);
        using var handshake = genuine.Begin(attempt: 1);
        var message2 = Assert.Single(room.Deliver(genuine.Source, handshake.Message1.ToArray()));
        var routes = room.Node.RouteCount;
        using (var forged = new InitiatorHandshake(genuine.ContextBy(forger.Identity), ulong.MaxValue, connectionId: 1, room.Random))
            Assert.Empty(room.Deliver(genuine.Source, forged.Message1.ToArray()));
        Assert.Equal(routes, room.Node.RouteCount);
        // The pending handshake is as it was, and so is the peer's next attempt.
        AssertConnects(room, genuine, handshake, message2.Bytes);
        Assert.Equal(0xc1, Assert.Single(room.Deliver(genuine.Source, genuine.Message1(2))).Bytes[0]);
    }

    [Fact]
    public void An_initiator_sends_its_message_1_with_the_cookie_at_once_and_in_every_later_flight_to_that_address()
    {
        using var room = new StagedRoom(members: 1, responds: false);
        var peer = room.Members[0];
        var probe = Assert.Single(room.Pass(TimeSpan.FromMilliseconds(25)), packet => packet.Bytes.Length == 250); // behind the opener's lead
        Assert.Equal(peer.Source, probe.To);
        var message1 = probe.Bytes;
        Assert.True(ReceivedMessage1.TryRead(peer.Context, message1, out var received));
        byte[] cookie = [.. Enumerable.Repeat((byte)0xcc, AddressCookies.Length)];
        var reply = HandshakePacket.WriteCookieReply(received.Payload.ConnectionId, cookie);
        Assert.Empty(room.Deliver(Forged, reply));
        Assert.Empty(room.Deliver(peer.Source, HandshakePacket.WriteCookieReply(received.Payload.ConnectionId + 1, cookie)));
        var returned = Assert.Single(room.Deliver(peer.Source, reply));
        Assert.Equal(peer.Source, returned.To);
        Assert.Equal([0xc4, .. cookie, .. message1], returned.Bytes);
        // Whoever repeats the reply gets no packet for it: it would be one of the twelve.
        for (var i = 0; i < 5; i++) Assert.Empty(room.Deliver(peer.Source, reply));
        var later = room.Pass(TimeSpan.FromMilliseconds(600)).Where(packet => packet.Bytes.Length > 1).ToList();
        Assert.Equal(4, later.Count); // flights at 33, 99, 231 and 495 ms
        Assert.All(later, packet => Assert.Equal([0xc4, .. cookie, .. message1], packet.Bytes));
        // A new attempt is another message with the same cookie.
        var next = Assert.Single(room.Pass(TimeSpan.FromMilliseconds(500)));
        Assert.Equal([0xc4, .. cookie], next.Bytes[..17]);
        Assert.True(ReceivedMessage1.TryRead(peer.Context, next.Bytes.AsSpan(17), out received));
        Assert.Equal(2UL, received.Payload.Attempt);
    }

    // WIRE 16: an authenticated reply lifts the limit of 12 packets and 3,000 bytes; a cookie reply is one. Else the last flights,
    // which are for a responder with too much to do, would find them spent: four would go out, until 495 ms.
    [Fact]
    public void While_cookies_come_back_all_flights_go_out_and_no_more()
    {
        using var room = new StagedRoom(members: 1, responds: false);
        var peer = room.Members[0];
        var message1 = Assert.Single(room.Pass(TimeSpan.FromMilliseconds(25)), packet => packet.Bytes.Length == 250).Bytes;
        Assert.Single(Reply(message1));
        // The peer's own openers are answered, three times.
        for (ulong attempt = 1; attempt <= 4; attempt++) room.Deliver(peer.Source, peer.Message1(attempt));
        var flights = new List<double>();
        for (var start = room.Now; room.Now - start < TimeSpan.FromSeconds(19);)
        {
            foreach (var packet in room.Pass(TimeSpan.FromMilliseconds(10)).Where(packet => packet.Bytes.Length > 1))
            {
                flights.Add(Math.Round((room.Now - start).TotalSeconds, 1));
                for (var i = 0; i < 3; i++) Assert.Empty(Reply(packet.Bytes[17..]));
            }
        }
        Assert.Equal([0, 0.1, 0.2, 0.5, 1, 2.1, 4.2, 8.4], flights);

        List<(Endpoint To, byte[] Bytes)> Reply(byte[] toMessage1)
        {
            Assert.True(ReceivedMessage1.TryRead(peer.Context, toMessage1, out var received));
            return room.Deliver(peer.Source, HandshakePacket.WriteCookieReply(received.Payload.ConnectionId, new byte[AddressCookies.Length]));
        }
    }

    [Fact]
    public void A_cookie_is_good_for_one_source_and_for_one_to_two_minutes()
    {
        var cookies = new AddressCookies(new SeededRandom(1));
        var start = Timestamp.FromMilliseconds(5_000);
        var cookie = new byte[AddressCookies.Length];
        cookies.Write(Forged, start, cookie);
        Assert.True(cookies.Verify(Forged, cookie, start));
        Assert.False(cookies.Verify(Forged.WithPort(1_025), cookie, start));
        Assert.False(cookies.Verify(Endpoint.Parse("192.0.2.2:1024"), cookie, start));
        Assert.False(cookies.Verify(Forged, new byte[AddressCookies.Length], start));

        Assert.True(cookies.Verify(Forged, cookie, start + TimeSpan.FromSeconds(60)));
        Assert.True(cookies.Verify(Forged, cookie, start + TimeSpan.FromSeconds(119.9)));
        Assert.False(cookies.Verify(Forged, cookie, start + TimeSpan.FromSeconds(120)));
        // A long silence makes both keys new.
        var later = start + TimeSpan.FromSeconds(125);
        cookies.Write(Forged, later, cookie);
        Assert.False(cookies.Verify(Forged, cookie, later + TimeSpan.FromHours(1)));
    }

    private static byte[] WithCookie(ReadOnlySpan<byte> cookie, ReadOnlySpan<byte> message1)
    {
        var packet = new byte[HandshakePacket.CookiedMessage1Length];
        Assert.Equal(packet.Length, HandshakePacket.WriteMessage1(cookie, message1, packet));
        return packet;
    }

    private static void AssertConnects(StagedRoom room, StagedRoom.StagedMember member, InitiatorHandshake handshake, byte[] message2)
    {
        Span<byte> parameters = stackalloc byte[TransportParameters.MaxEncodedLength];
        var writer = new SpanWriter(parameters);
        TransportParameters.Default.Write(ref writer, grease: 1);
        Assert.Equal(HandshakeOutcome.Completed, handshake.ReadMessage2(message2, writer.Written, out _, out var message3));
        room.Deliver(member.Source, message3!);
        Assert.Single(room.Events.OfType<NodeEvent.Connected>(), connected => connected.Peer == member.Id);
    }
}
