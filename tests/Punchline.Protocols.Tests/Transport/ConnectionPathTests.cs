using System.Buffers.Binary;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionPathTests
{
    private static readonly Endpoint Elsewhere = Endpoint.Parse("203.0.113.9:999");

    [Fact]
    public void A_peer_whose_router_changes_its_port_is_followed()
    {
        var pair = new Pair();
        var id = pair.Initiator.Open("x");
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Initiator.Address = Elsewhere;
        pair.Initiator.Connection.Write(id, "after"u8);
        Assert.True(pair.RunUntil(() => pair.Responder.Count(ConnectionEventKind.PathChanged) == 1));
        Assert.Equal(Elsewhere, pair.Responder.Connection.Path);
        Assert.Equal(TimeSpan.FromMilliseconds(40), pair.Responder.Connection.SmoothedRtt);
        pair.Responder.SendOn(id, "answer"u8.ToArray());
        Assert.True(pair.RunUntil(() => pair.Initiator.Finished.Contains(id)));
        Assert.Equal(0, pair.Initiator.Count(ConnectionEventKind.PathChanged));
    }

    [Fact]
    public void An_unvalidated_address_gets_a_challenge_of_three_times_its_bytes_and_no_data()
    {
        var peer = new ScriptedPeer();
        peer.SendStream(0, 0, [1, (byte)'x']);
        peer.Drain();
        peer.Connection.Write(new StreamId(0), new byte[5_000]);
        peer.Source = Elsewhere;
        var packet = peer.Seal((ref SpanWriter writer) => writer.WriteByte((byte)FrameType.Ping));
        Assert.True(peer.Connection.HandleDatagram(Elsewhere, packet, peer.Now));
        var sent = peer.Drain();
        var challenge = Assert.Single(sent, p => p.Destination == Elsewhere);
        Assert.Equal(3 * packet.Length, challenge.Length);
        Assert.Equal((byte)FrameType.PathChallenge, challenge.Frames[0]);
        Assert.Equal(5, sent.Count(p => p.Destination == Pair.InitiatorAddress));

        // Nothing more without more from there; a wrong answer changes nothing.
        peer.Source = Pair.InitiatorAddress;
        peer.SendHex("1b" + "0000000000000000");
        for (var i = 0; i < 20; i++)
        {
            peer.Now = peer.Connection.NextTimeout;
            peer.Connection.HandleTimeout(peer.Now);
            Assert.DoesNotContain(peer.Drain(), p => p.Destination == Elsewhere);
        }
        Assert.Equal(Pair.InitiatorAddress, peer.Connection.Path);
    }

    [Fact]
    public void The_right_answer_moves_the_connection()
    {
        var peer = new ScriptedPeer { Source = Elsewhere };
        peer.SendHex("01" + string.Concat(Enumerable.Repeat("00", 1_100)));
        var challenge = Assert.Single(peer.Drain());
        Assert.Equal((Elsewhere, Connection.BasePacketSize), (challenge.Destination, challenge.Length));
        peer.Now += TimeSpan.FromMilliseconds(70);
        peer.SendHex("1b" + Convert.ToHexString(challenge.Frames.AsSpan(1, 8)));
        Assert.Equal(
            [new ConnectionEvent(ConnectionEventKind.PathValidated, Path: Elsewhere), new ConnectionEvent(ConnectionEventKind.PathChanged, Path: Elsewhere)],
            peer.Events());
        Assert.Equal(TimeSpan.FromMilliseconds(70), peer.Connection.SmoothedRtt);
        // A PING says so; the old path is asked whether it is still there.
        var sent = peer.Drain();
        Assert.Equal([Pair.InitiatorAddress, Elsewhere], sent.Select(p => p.Destination));
        Assert.Equal((byte)FrameType.PathChallenge, sent[0].Frames[0]);
    }

    [Fact]
    public void An_old_packet_from_elsewhere_marks_no_address()
    {
        var peer = new ScriptedPeer();
        var old = peer.Seal((ref SpanWriter writer) => writer.WriteByte(1));
        peer.SendHex("01");
        Assert.True(peer.Connection.HandleDatagram(Elsewhere, old, peer.Now));
        Assert.DoesNotContain(peer.Drain(), p => p.Destination == Elsewhere);
    }

    [Fact]
    public void A_challenge_is_answered_where_it_came_from()
    {
        var peer = new ScriptedPeer();
        peer.SendHex("1a" + "0102030405060708");
        var answer = peer.Drain()[0];
        Assert.Equal((Pair.InitiatorAddress, Connection.BasePacketSize), (answer.Destination, answer.Length));
        Assert.Equal((byte)FrameType.PathResponse, answer.Frames[0]);
        Assert.Equal(0x0102030405060708UL, BinaryPrimitives.ReadUInt64BigEndian(answer.Frames.AsSpan(1)));
        // Ten in one packet earn four answers.
        peer.SendHex(string.Concat(Enumerable.Repeat("1a" + "0102030405060708", 10)));
        Assert.Equal(4, peer.Drain().Count(p => p.Frames[0] == (byte)FrameType.PathResponse));
    }

    [Fact]
    public void Challenges_are_repeated_twice_with_other_data_and_then_given_up()
    {
        var peer = new ScriptedPeer { Source = Elsewhere };
        peer.SendHex("01" + string.Concat(Enumerable.Repeat("00", 1_300)));
        peer.Source = Pair.InitiatorAddress;
        var challenges = peer.Drain();
        for (var i = 0; i < 20; i++)
        {
            peer.Now += TimeSpan.FromMilliseconds(145);
            peer.Connection.HandleTimeout(peer.Now);
            challenges.AddRange(peer.Drain().Where(p => p.Destination == Elsewhere));
        }
        Assert.Equal(3, challenges.Count);
        Assert.Equal(3, challenges.Select(c => Convert.ToHexString(c.Frames)).Distinct(StringComparer.Ordinal).Count());
    }
}
