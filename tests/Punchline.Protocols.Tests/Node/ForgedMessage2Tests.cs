using System.Buffers.Binary;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Handshake;

namespace Punchline.Protocols.Tests.Node;

/// <summary>
/// Whether a message 2 is genuine shows only behind a Diffie-Hellman, so forged ones are an attack on the processor: PROTOCOL §6.
/// Who forges them has seen our connection id, in a message 2 or as the peer itself.
/// </summary>
public sealed class ForgedMessage2Tests
{
    // Three of an attempt are read for nothing, and of the second's 50 agreements 15 are kept for those who returned a cookie.
    private const int ReadAtOnce = 3 + 35;

    [Theory]
    [InlineData(0, true)]
    [InlineData(ReadAtOnce - 1, true)]
    [InlineData(ReadAtOnce, false)]
    [InlineData(10_000, false)]
    public void Thirty_eight_are_read_at_once_and_no_more(int forged, bool isGenuineRead)
    {
        using var room = new StagedRoom(members: 1, responds: false);
        var (connectionId, message2) = Answer(room);
        Flood(room, connectionId, forged);

        room.Deliver(room.Members[0].Source, message2);
        Assert.Equal(isGenuineRead, room.Events.Any(nodeEvent => nodeEvent is NodeEvent.Connected));

        // At 50 agreements a second the next one is there in 20 ms.
        if (isGenuineRead) return;
        room.Pass(TimeSpan.FromMilliseconds(21));
        room.Deliver(room.Members[0].Source, message2);
        Assert.Single(room.Events, nodeEvent => nodeEvent is NodeEvent.Connected);
    }

    [Fact]
    public void Those_who_returned_a_cookie_are_answered_meanwhile()
    {
        // A node in the middle of the ids: it initiates to the second member, and answers the first.
        using var room = new StagedRoom(members: 2, rank: 1);
        var (connectionId, _) = Answer(room, room.Members[1]);
        Flood(room, connectionId, 10_000);

        var caller = room.Members[0];
        var message1 = caller.Message1(1);
        var reply = Assert.Single(room.Deliver(caller.Source, message1), packet => packet.To == caller.Source && packet.Bytes[0] == HandshakePacket.CookieReply);
        Assert.True(HandshakePacket.TryReadCookieReply(reply.Bytes, out _, out var cookie));
        var again = new byte[HandshakePacket.CookiedMessage1Length];
        HandshakePacket.WriteMessage1(cookie, message1, again);
        Assert.Single(room.Deliver(caller.Source, again), packet => packet.To == caller.Source && packet.Bytes[0] == HandshakePacket.Message2);
    }

    private static (ulong ConnectionId, byte[] Message2) Answer(StagedRoom room, StagedRoom.StagedMember? member = null)
    {
        member ??= room.Members[0];
        var message1 = room.Pass(TimeSpan.FromMilliseconds(60)).First(packet => packet.To == member.Source && packet.Bytes[0] == HandshakePacket.Message1).Bytes;
        Assert.True(ReceivedMessage1.TryRead(member.Context, message1, out var received));
        Assert.True(ResponderHandshake.TryRespond(member.Context, received, 99, TransportParametersOf(room), room.Random, out var responder));
        using (responder) return (received.Payload.ConnectionId, responder.Message2.ToArray());
    }

    private static byte[] TransportParametersOf(StagedRoom room) => new NodeServices(room.Identity, room.Random).EncodeParameters(99);

    // As a genuine one looks: an ephemeral key that is a point of the curve, and behind it what does not open.
    private static void Flood(StagedRoom room, ulong connectionId, int count)
    {
        using var ephemeral = P256KeyPair.Generate(room.Random);
        var packet = room.Random.NextBytes(240);
        packet[0] = HandshakePacket.Message2;
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(1), connectionId);
        ephemeral.PublicKey.CopyTo(packet.AsSpan(HandshakePacket.HeaderLength));
        for (var i = 0; i < count; i++) room.Node.HandleDatagram(room.Members[0].Source, packet, room.Now);
    }
}
