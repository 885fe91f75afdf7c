using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Node;

/// <summary>WIRE 18: 16 peers are punched at once, the others wait their turn.</summary>
public sealed class PunchTurnTests
{
    [Fact]
    public void Whoever_comes_into_a_room_of_64_punches_16_at_once_and_the_next_as_soon_as_one_is_done()
    {
        using var room = new StagedRoom(members: 63, responds: false);
        // Those who are connected answer nothing more, and that makes the server doubtful, too.
        room.AnswersHeartbeats = true;
        var message1s = MessagesTo(room.Pass(TimeSpan.FromMilliseconds(25)));
        Assert.Equal(Sources(room, 0, 16), message1s.Keys);

        // Three of them answer: three others begin, in the order of their introduction.
        for (var i = 4; i < 7; i++)
        {
            var member = room.Members[i];
            using var responder = Respond(room, member, message1s[member.Source]);
            room.Deliver(member.Source, responder.Message2.ToArray());
        }
        Assert.Equal(3, room.Events.OfType<NodeEvent.Connected>().Count());
        Assert.Equal(Sources(room, 16, 19), MessagesTo(room.Pass(TimeSpan.FromMilliseconds(25))).Keys.Intersect(Sources(room, 16, 63)));

        // The others answer nothing: each turn ends after 2.1 s, and after four of them everybody had one.
        var begun = new List<Endpoint>();
        foreach (var (seconds, expected) in (ReadOnlySpan<(double, int)>)[(2.0, 19), (0.2, 35), (2.1, 51), (2.1, 63)])
        {
            begun.AddRange(MessagesTo(room.Pass(TimeSpan.FromSeconds(seconds))).Keys);
            Assert.Equal(Sources(room, 19, expected), begun.Distinct().Intersect(Sources(room, 19, 63)));
        }
        // Nobody failed before its 20 s were over, and all of them do.
        Assert.DoesNotContain(room.Events, told => told is not NodeEvent.Probing);
        room.Pass(TimeSpan.FromSeconds(30));
        Assert.Equal(60, room.Events.OfType<NodeEvent.Failed>().Count());
    }

    [Fact]
    public void Whoever_leaves_the_queue_or_ends_its_turn_twice_takes_nobodys_place()
    {
        var queue = new PunchQueue();
        var turns = Enumerable.Range(0, 20).Select(_ => queue.Join()).ToList();
        foreach (var turn in turns.Take(16)) Assert.True(turn.TryTake());
        Assert.Equal((16, false, true), (queue.Taken, turns[16].IsDue, turns[16].IsWaiting));
        Assert.False(turns[16].TryTake());
        turns[16].End();
        turns[0].End();
        turns[0].End();
        Assert.Equal(15, queue.Taken);
        Assert.False(turns[18].TryTake());
        Assert.True(turns[17].TryTake());
        Assert.False(turns[18].TryTake());
        Assert.False(turns[16].IsWaiting);
        foreach (var turn in turns) turn.End();
        Assert.Equal(0, queue.Taken);
        Assert.False(turns[19].IsDue);
    }

    private static IEnumerable<Endpoint> Sources(StagedRoom room, int from, int to) => room.Members.Skip(from).Take(to - from).Select(member => member.Source);

    private static Dictionary<Endpoint, byte[]> MessagesTo(List<(Endpoint To, byte[] Bytes)> sent)
    {
        var messages = new Dictionary<Endpoint, byte[]>();
        foreach (var (to, bytes) in sent.Where(packet => packet.Bytes[0] == HandshakePacket.Message1)) messages[to] = bytes;
        return messages;
    }

    private static ResponderHandshake Respond(StagedRoom room, StagedRoom.StagedMember member, byte[] message1)
    {
        Assert.True(ReceivedMessage1.TryRead(member.Context, message1, out var received));
        Span<byte> parameters = stackalloc byte[TransportParameters.MaxEncodedLength];
        var writer = new SpanWriter(parameters);
        TransportParameters.Default.Write(ref writer, grease: 1);
        Assert.True(ResponderHandshake.TryRespond(member.Context, received, 77, writer.Written, room.Random, out var responder));
        return responder;
    }
}
