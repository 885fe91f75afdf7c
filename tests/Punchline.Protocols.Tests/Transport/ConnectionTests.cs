using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Streams;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>Two honest connections on a perfect link: exact packets and moments.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public void A_stream_names_its_protocol_at_once_and_costs_two_packets()
    {
        var pair = new Pair();
        var id = pair.Initiator.Open("chat/1");
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal([new ConnectionEvent(ConnectionEventKind.StreamOpened, id, Text: "chat/1")], pair.Responder.Events);
        // 13 header, STREAM type + id + length, 1 + 6 of name, 4 of PADDING, 16 tag: what a stateless reset can answer
        var opening = Assert.Single(pair.Initiator.Sent);
        Assert.Equal(13 + 3 + 7 + 4 + 16, opening.Bytes.Length);
        var ack = Assert.Single(pair.Responder.Sent);
        Assert.Equal(13 + 5 + 16, ack.Bytes.Length - ExtraDelayBytes);
        Assert.Equal(TimeSpan.FromMilliseconds(20 + 25), ack.At - opening.At); // one way, and the ACK's delay
    }

    // 25,000 µs / 2^3 = 3,125 takes two bytes.
    private const int ExtraDelayBytes = 1;

    [Fact]
    public void Both_sides_open_streams_write_and_finish()
    {
        var pair = new Pair();
        var ours = pair.Initiator.Send("echo", "hello"u8.ToArray());
        var theirs = pair.Responder.Send("echo", "welcome"u8.ToArray());
        Assert.Equal((0UL, 1UL), (ours.Value, theirs.Value));
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("hello", pair.Responder.TextOf(ours));
        Assert.Equal("welcome", pair.Initiator.TextOf(theirs));
        Assert.Contains(ours, pair.Responder.Finished);
        // The other directions are still open.
        pair.Responder.SendOn(ours, "answer"u8.ToArray());
        pair.Initiator.SendOn(theirs, []);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal("answer", pair.Initiator.TextOf(ours));
        Assert.Contains(theirs, pair.Responder.Finished);
        Assert.Equal((0, 0), (pair.Initiator.Connection.StreamCount, pair.Responder.Connection.StreamCount));
        Assert.Equal((2, 2), (pair.Initiator.Count(ConnectionEventKind.StreamDelivered), pair.Responder.Count(ConnectionEventKind.StreamDelivered)));
    }

    [Fact]
    public void A_large_transfer_fills_full_packets_and_loses_none()
    {
        var pair = new Pair();
        var bytes = new SeededRandom(1).NextBytes(8 << 20);
        var id = pair.Initiator.Send("bulk", bytes);
        Assert.True(pair.RunUntil(() => pair.Initiator.Count(ConnectionEventKind.StreamDelivered) == 1));
        Assert.Equal(bytes, pair.Responder.Received[id].ToArray());
        var statistics = pair.Initiator.Connection.Statistics;
        Assert.Equal(0UL, statistics.PacketsLost);
        // 8 MiB in pieces of about 1,160 bytes: 7,200 packets, and few more for the odd ones.
        Assert.InRange(statistics.PacketsSent, 7_200UL, 7_500UL);
        Assert.InRange(pair.Initiator.Connection.SmoothedRtt.TotalMilliseconds, 40, 43);
    }

    [Fact]
    public void The_first_flight_is_ten_packets()
    {
        var pair = new Pair();
        pair.Initiator.Send("bulk", new byte[100_000]);
        pair.RunUntil(() => pair.Initiator.Sent.Count > 0);
        Assert.Equal(10, pair.Initiator.Sent.Count);
        Assert.All(pair.Initiator.Sent, packet => Assert.Equal(Connection.BasePacketSize, packet.Bytes.Length));
    }

    [Fact]
    public void Small_talk_does_not_grow_the_window_for_a_later_burst()
    {
        var pair = new Pair();
        var id = pair.Initiator.Open("x");
        for (var i = 0; i < 50; i++)
        {
            pair.Initiator.Connection.Write(id, new byte[3_000]);
            pair.Run(TimeSpan.FromMilliseconds(100));
        }
        var before = pair.Initiator.Sent.Count;
        pair.Initiator.SendOn(id, new byte[100_000]);
        pair.Run(TimeSpan.FromMilliseconds(39));
        Assert.Equal(10, pair.Initiator.Sent.Count - before);
    }

    [Fact]
    public void A_slow_reader_holds_the_sender_at_its_window()
    {
        var pair = new Pair();
        pair.Responder.ReadsAtOnce = false;
        var id = pair.Initiator.Send("bulk", new byte[3 << 20]);
        pair.Run(TimeSpan.FromSeconds(10));
        // 1 MiB at the receiver and 1 MiB buffered, less the eighth of it that is not worth an event.
        Assert.InRange((3 << 20) - pair.Initiator.Outgoing[id].Length, (2 << 20) - (1 << 17), 2 << 20);
        pair.Responder.ReadAll(id);
        Assert.Equal((1 << 20) - 5, pair.Responder.Received[id].Length); // the name took 5 bytes of the window
        pair.Responder.ReadsAtOnce = true;
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        Assert.Equal(3 << 20, pair.Responder.Received[id].Length);
    }

    [Fact]
    public void Streams_share_the_connections_window()
    {
        var parameters = TransportParameters.Default with { InitialMaxData = 100_000 };
        var pair = new Pair(parameters: parameters);
        pair.Responder.ReadsAtOnce = false;
        var ids = Enumerable.Range(0, 4).Select(_ => pair.Initiator.Send("bulk", new byte[50_000])).ToArray();
        pair.Run(TimeSpan.FromSeconds(10));
        pair.Responder.ReadsAtOnce = true;
        foreach (var id in ids) pair.Responder.ReadAll(id);
        Assert.Equal(100_000 - (4 * 5), ids.Sum(id => pair.Responder.Received[id].Length));
        Assert.True(pair.RunUntil(() => ids.All(pair.Responder.Finished.Contains)));
        Assert.All(ids, id => Assert.Equal(50_000, pair.Responder.Received[id].Length));
    }

    [Fact]
    public void The_hundred_and_first_stream_waits_for_one_to_end()
    {
        var pair = new Pair();
        var ids = Enumerable.Range(0, 100).Select(_ => pair.Initiator.Open("x")).ToArray();
        Assert.False(pair.Initiator.Connection.TryOpenStream("x", StreamDirection.Bidirectional, out _));
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(100, pair.Responder.Count(ConnectionEventKind.StreamOpened));
        Assert.Equal(0, pair.Initiator.Count(ConnectionEventKind.StreamsAvailable));
        foreach (var id in ids.Take(50))
        {
            pair.Initiator.SendOn(id, []);
            pair.Responder.SendOn(id, []);
        }
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(1, pair.Initiator.Count(ConnectionEventKind.StreamsAvailable));
        for (var i = 0; i < 50; i++) pair.Initiator.Open("y");
        Assert.False(pair.Initiator.Connection.TryOpenStream("y", StreamDirection.Bidirectional, out _));
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(150, pair.Responder.Count(ConnectionEventKind.StreamOpened));
    }

    [Fact]
    public void A_refused_protocol_ends_the_stream_for_both()
    {
        var pair = new Pair();
        var id = pair.Initiator.Open("nobody/1");
        pair.RunUntil(() => pair.Responder.Events.Count == 1);
        pair.Responder.Connection.ResetStream(id, StreamErrorCodes.UnknownProtocol);
        pair.Responder.Connection.StopSending(id, StreamErrorCodes.UnknownProtocol);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(
            [
                new ConnectionEvent(ConnectionEventKind.StreamReset, id, StreamErrorCodes.UnknownProtocol),
                new ConnectionEvent(ConnectionEventKind.StreamStopped, id, StreamErrorCodes.UnknownProtocol),
            ],
            pair.Initiator.Events.OrderBy(e => e.Kind));
        Assert.Equal((0, 0), (pair.Initiator.Connection.StreamCount, pair.Responder.Connection.StreamCount));
        Assert.Equal(0, pair.Initiator.Connection.Write(id, [1]));
    }

    [Fact]
    public void A_reset_drops_what_was_unread_and_gives_its_window_back()
    {
        var parameters = TransportParameters.Default with { InitialMaxData = 10_000 };
        var pair = new Pair(parameters: parameters);
        pair.Responder.ReadsAtOnce = false;
        var id = pair.Initiator.Open("x");
        pair.Initiator.Connection.Write(id, new byte[20_000]);
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Initiator.Connection.ResetStream(id, 77);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(77UL, Assert.Single(pair.Responder.Events, e => e.Kind == ConnectionEventKind.StreamReset).Code);
        Assert.Equal(0, pair.Responder.Connection.Read(id, new byte[10], out var isFinished));
        Assert.False(isFinished);
        pair.Responder.ReadsAtOnce = true;
        var next = pair.Initiator.Send("y", new byte[20_000]);
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(next)));
    }

    [Fact]
    public void A_write_beyond_the_buffer_is_cut_short_and_told_of_room()
    {
        var pair = new Pair();
        var id = pair.Initiator.Open("x");
        Assert.Equal(SendingPart.BufferLimit - 2, pair.Initiator.Connection.Write(id, new byte[SendingPart.BufferLimit]));
        pair.Run(TimeSpan.FromSeconds(5));
        Assert.Equal(1, pair.Initiator.Count(ConnectionEventKind.StreamWritable));
    }

    [Fact]
    public void Names_of_protocols_have_1_to_64_bytes()
    {
        var pair = new Pair();
        Assert.Throws<ArgumentException>(() => pair.Initiator.Connection.TryOpenStream("", StreamDirection.Bidirectional, out _));
        Assert.Throws<ArgumentException>(() => pair.Initiator.Connection.TryOpenStream(new string('x', 65), StreamDirection.Bidirectional, out _));
        var longest = new string('ä', 32);
        pair.Initiator.Open(longest);
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Equal(longest, Assert.Single(pair.Responder.Events).Text);
        Assert.Equal(64, Encoding.UTF8.GetByteCount(longest));
    }

    [Fact]
    public void The_same_seed_gives_the_same_packets()
    {
        Assert.Equal(Trace(5), Trace(5), StringComparer.Ordinal);
        Assert.NotEqual(Trace(5), Trace(6), StringComparer.Ordinal);

        static string Trace(ulong seed)
        {
            var pair = new Pair(seed, new LinkBehaviour { Loss = 0.1, Reordering = 0.2, Duplication = 0.1 });
            pair.Initiator.Send("x", new byte[50_000]);
            pair.Run(TimeSpan.FromSeconds(5));
            return string.Join('\n', pair.Initiator.Sent.Concat(pair.Responder.Sent).Select(p => $"{p.At} {Convert.ToHexString(p.Bytes)}"));
        }
    }
}
