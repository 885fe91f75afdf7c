using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Tests.Node;

/// <summary>Members whose connections end with an error: each time they wait longer.</summary>
public sealed class ReconnectPauseTests
{
    // 1, 2, 4, … and then no more.
    private static readonly int[] Seconds = [1, 2, 4, 8, 16, 32, 64, 64, 64];

    [Fact]
    public void A_member_that_always_breaks_the_chat_is_answered_after_1_2_4_seconds_up_to_64()
    {
        using var room = new StagedRoom(members: 1, responds: true);
        var member = room.Members[0];
        ulong attempt = 0;
        foreach (var seconds in Seconds)
        {
            BreakTheChat(room, ++attempt);
            Assert.Equal("The chat stream broke its protocol.", Assert.Single(room.Events.OfType<NodeEvent.Disconnected>()).Reason);
            var pause = TimeSpan.FromSeconds(seconds);
            PassServed(room, pause - TimeSpan.FromMilliseconds(1));
            Assert.Empty(room.Deliver(member.Source, member.Message1(++attempt)));
            room.Pass(TimeSpan.FromMilliseconds(1));
        }
        BreakTheChat(room, ++attempt);
        // Over a minute behind the end of a pause it has behaved, and begins anew.
        PassServed(room, 2 * ReconnectPauses.Longest);
        BreakTheChat(room, ++attempt);
        room.Pass(ReconnectPauses.First);
        Assert.Equal(0xc1, Assert.Single(room.Deliver(member.Source, member.Message1(++attempt))).Bytes[0]);
    }

    // Whoever was closed with an error waits as well: with a rule that the two see differently, they would meet for ever.
    [Theory]
    [InlineData(CloseCodes.ChatProtocolError)]
    [InlineData(0x3fUL)] // of a later version: refused by a policy, say
    public void A_member_that_closes_with_an_error_is_left_alone_for_as_long(ulong code)
    {
        using var room = new StagedRoom(members: 1, responds: true);
        ulong attempt = 0;
        foreach (var seconds in Seconds.Take(3))
        {
            using var peer = new FrameWriter(room, ++attempt);
            peer.Send((ref SpanWriter writer) => new ConnectionCloseFrame(true, code, 0, "no"u8.ToArray()).Write(ref writer));
            Assert.Single(room.Events.OfType<NodeEvent.Disconnected>(), disconnected => disconnected.Reason == "no");
            room.Pass(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            Assert.Empty(room.Deliver(room.Members[0].Source, room.Members[0].Message1(++attempt)));
            room.Pass(TimeSpan.FromMilliseconds(1));
        }
    }

    [Fact]
    public void To_leave_and_come_back_shortens_no_pause()
    {
        using var room = new StagedRoom(members: 1, responds: true);
        var member = room.Members[0];
        BreakTheChat(room, 1);
        room.Tell(new LeftMessage(member.Id, LeftMessage.LeftReason));
        room.Pass(TimeSpan.FromMilliseconds(1));
        Assert.Single(room.Events.OfType<NodeEvent.MemberLeft>());
        room.Tell(new JoinedMessage(member.Entry));
        Assert.Single(room.Events.OfType<NodeEvent.MemberJoined>());
        Assert.Empty(room.Deliver(member.Source, member.Message1(2)));
        room.Pass(ReconnectPauses.First);
        Assert.Equal(0xc1, Assert.Single(room.Deliver(member.Source, member.Message1(3))).Bytes[0]);
    }

    [Fact]
    public void The_initiating_side_waits_as_well()
    {
        using var room = new StagedRoom(members: 1, responds: false);
        var first = room.Pass(TimeSpan.FromSeconds(1));
        Assert.Contains(first, packet => packet.Bytes[0] == 0xc0);
        using var peer = FrameWriter.Answering(room, first.Last(packet => packet.Bytes[0] == 0xc0).Bytes);
        peer.Send((ref SpanWriter writer) => new ConnectionCloseFrame(true, CloseCodes.ChatProtocolError, 0, "no"u8.ToArray()).Write(ref writer));
        Assert.DoesNotContain(room.Pass(ReconnectPauses.First - TimeSpan.FromMilliseconds(1)), packet => packet.Bytes[0] == 0xc0);
        Assert.Contains(room.Pass(TimeSpan.FromSeconds(1)), packet => packet.Bytes[0] == 0xc0);
    }

    [Fact]
    public void As_many_are_remembered_as_two_rooms_have_and_no_more()
    {
        var pauses = new ReconnectPauses();
        var now = Timestamp.FromMilliseconds(1_000);
        for (var i = 0; i < 1_000; i++)
        {
            var bytes = new byte[PeerId.ByteLength];
            BitConverter.TryWriteBytes(bytes, i);
            pauses.Begin(new PeerId(bytes), now);
        }
        Assert.Equal(ReconnectPauses.MaxPeers, pauses.Count);
    }

    // A server that says nothing for too long would be one that is lost, and the member with it.
    private static void PassServed(StagedRoom room, TimeSpan duration)
    {
        for (var end = room.Now + duration; room.Now < end;)
        {
            room.Tell(new ServerHeartbeatMessage());
            room.Pass(end - room.Now < CoordinationLimits.HeartbeatInterval ? end - room.Now : CoordinationLimits.HeartbeatInterval);
        }
    }

    // A frame that announces more than any frame may have.
    private static void BreakTheChat(StagedRoom room, ulong attempt)
    {
        using var peer = new FrameWriter(room, attempt);
        _ = room.Events;
        byte[] stream = [(byte)ChatFrame.Protocol.Length, .. Encoding.ASCII.GetBytes(ChatFrame.Protocol), 1, 0xbf, 0xff, 0xff, 0xff];
        peer.Send((ref SpanWriter writer) =>
        {
            StreamFrame.WriteHeader(ref writer, new StreamId(0), 0, stream.Length, isFinal: false);
            writer.WriteBytes(stream);
        });
    }

    /// <summary>The member's side of a connection that the node takes for established: writes whatever frames a test wants.</summary>
    private sealed class FrameWriter : IDisposable
    {
        private readonly StagedRoom _room;
        private readonly PacketSealer _sealer;
        private readonly ulong _connectionId;

        public FrameWriter(StagedRoom room, ulong attempt)
        {
            _room = room;
            var member = room.Members[0];
            using var handshake = member.Begin(attempt);
            var message2 = Assert.Single(room.Deliver(member.Source, handshake.Message1.ToArray()), packet => packet.Bytes[0] == 0xc1).Bytes;
            Assert.Equal(HandshakeOutcome.Completed, handshake.ReadMessage2(message2, Parameters(), out var result, out var message3));
            room.Deliver(member.Source, message3!);
            (_sealer, _connectionId) = (new PacketSealer(result!.SendKey, AeadLimits.Default, room.Now), result.RemoteConnectionId);
        }

        private FrameWriter(StagedRoom room, HandshakeResult result)
        {
            _room = room;
            (_sealer, _connectionId) = (new PacketSealer(result.SendKey, AeadLimits.Default, room.Now), result.RemoteConnectionId);
        }

        public delegate void FrameAction(ref SpanWriter writer);

        /// <summary>The member answers the node's message 1.</summary>
        public static FrameWriter Answering(StagedRoom room, byte[] packet)
        {
            var member = room.Members[0];
            Assert.True(ReceivedMessage1.TryRead(member.Context, packet, out var message1));
            Assert.True(ResponderHandshake.TryRespond(member.Context, message1, 77, Parameters(), room.Random, out var responder));
            using (responder)
            {
                var answer = room.Deliver(member.Source, responder.Message2.ToArray());
                Assert.Equal(HandshakeOutcome.Completed, responder.ReadMessage3(Assert.Single(answer, sent => sent.Bytes[0] == 0xc2).Bytes, out var result));
                return new FrameWriter(room, result!);
            }
        }

        public void Send(FrameAction frames)
        {
            var packet = new byte[1_452];
            var writer = new SpanWriter(packet.AsSpan(PacketHeader.Length));
            frames(ref writer);
            var length = PacketHeader.Length + writer.Length + PacketHeader.TagLength;
            Assert.True(_sealer.TrySeal(packet.AsSpan(0, length), _connectionId));
            _room.Deliver(_room.Members[0].Source, packet[..length]);
        }

        public void Dispose() => _sealer.Dispose();

        private static byte[] Parameters()
        {
            Span<byte> parameters = stackalloc byte[TransportParameters.MaxEncodedLength];
            var writer = new SpanWriter(parameters);
            TransportParameters.Default.Write(ref writer, grease: 1);
            return writer.Written.ToArray();
        }
    }
}
