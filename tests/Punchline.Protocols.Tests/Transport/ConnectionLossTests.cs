using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

public sealed class ConnectionLossTests
{
    public static TheoryData<ulong> Seeds => [.. Enumerable.Range(1, 40).Select(i => (ulong)i)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_MiB_arrives_intact_over_10_percent_loss_each_way(ulong seed)
    {
        var pair = new Pair(seed, new LinkBehaviour { Loss = 0.1 });
        Transfer(pair, 1 << 20, "10 % loss");
        Assert.InRange(pair.Initiator.Connection.Statistics.PacketsLost, 50UL, 250UL);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Streams_both_ways_survive_loss_reordering_and_duplication(ulong seed)
    {
        var pair = new Pair(seed, new LinkBehaviour { Loss = 0.05, Reordering = 0.3, Duplication = 0.1 }, TransportParameters.Default with { InitialMaxData = 60_000, InitialMaxStreamsBidi = 2 });
        var random = new SeededRandom(seed);
        for (var round = 0; round < 5; round++)
        {
            var bytes = random.NextBytes(random.NextInt32(100_000));
            Assert.True(pair.RunUntil(() => pair.Initiator.Connection.TryOpenStream($"round/{round}", StreamDirection.Bidirectional, out _)), $"seed {seed}: round {round} found no stream");
            var id = StreamId.Create(StreamDirection.Bidirectional, ConnectionRole.Initiator, (ulong)round);
            pair.Initiator.SendOn(id, bytes);
            Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)), $"seed {seed}: round {round} did not arrive");
            Assert.Equal(bytes, pair.Responder.Received[id].ToArray());
            pair.Responder.SendOn(id, bytes);
            Assert.True(pair.RunUntil(() => pair.Initiator.Finished.Contains(id)), $"seed {seed}: round {round} did not come back");
            Assert.Equal(bytes, pair.Initiator.Received[id].ToArray());
        }
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.StreamCount + pair.Responder.Connection.StreamCount == 0), $"seed {seed}: streams remain");
        Assert.True(pair.Initiator.Connection.Statistics.DuplicatesDropped > 0);
    }

    [Fact]
    public void Half_of_the_packets_may_be_lost()
    {
        var pair = new Pair(3, new LinkBehaviour { Loss = 0.5, Delay = TimeSpan.FromMilliseconds(2) }, TransportParameters.Default with { IdleTimeout = TimeSpan.FromSeconds(300) });
        Transfer(pair, 50_000, "50 % loss");
    }

    [Fact]
    public void A_lost_packet_is_sent_again_after_three_later_ones_are_acknowledged()
    {
        var pair = new Pair();
        var dropped = false;
        pair.Passes = (side, _) => dropped || side != pair.Initiator || !(dropped = side.Sent.Count == 2);
        var id = pair.Initiator.Send("x", new byte[11_000]);
        var start = pair.Now;
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        Assert.Equal(1UL, pair.Initiator.Connection.Statistics.PacketsLost);
        // The second of ten packets: the loss shows one round trip later, and costs one more way.
        Assert.Equal(TimeSpan.FromMilliseconds(60), pair.Now - start);
        Assert.Equal(11, pair.Initiator.Sent.Count);
    }

    [Fact]
    public void A_lost_last_packet_is_repeated_by_the_probe_timeout()
    {
        var pair = new Pair();
        pair.Passes = (side, _) => side != pair.Initiator || side.Sent.Count > 1;
        var id = pair.Initiator.Send("x", [1]);
        var start = pair.Now;
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        // 40 + 4 × 20 + 25 ms, and one way; the two probes leave together.
        Assert.Equal(TimeSpan.FromMilliseconds(145 + 20), pair.Now - start);
        Assert.Equal([start, start + TimeSpan.FromMilliseconds(145), start + TimeSpan.FromMilliseconds(145)], pair.Initiator.Sent.Select(p => p.At));
    }

    [Fact]
    public void Probe_timeouts_back_off_until_the_idle_timeout()
    {
        var pair = new Pair { Passes = (_, _) => false };
        pair.Initiator.Send("x", [1]);
        var start = pair.Now;
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.IsClosed));
        Assert.Equal(TimeSpan.FromSeconds(30), pair.Now - start);
        // Doubled from 145 ms, up to a second.
        Assert.Equal([0, 145, 435, .. Enumerable.Range(0, 29).Select(i => 1_015 + (1_000 * i))], pair.Initiator.Sent.Select(p => (int)(p.At - start).TotalMilliseconds).Distinct());
        Assert.Equal(1 + (2 * (2 + 29)), pair.Initiator.Sent.Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_lost_reset_or_stop_is_sent_again(bool stops)
    {
        var pair = new Pair();
        var id = pair.Initiator.Open("x");
        pair.Run(TimeSpan.FromSeconds(1));
        pair.Passes = (side, _) => side != pair.Initiator || side.Sent.Count != 2;
        if (stops) pair.Initiator.Connection.StopSending(id, 5);
        else pair.Initiator.Connection.ResetStream(id, 5);
        pair.Run(TimeSpan.FromSeconds(1));
        var kind = stops ? ConnectionEventKind.StreamStopped : ConnectionEventKind.StreamReset;
        Assert.Equal(5UL, Assert.Single(pair.Responder.Events, e => e.Kind == kind).Code);
    }

    [Fact]
    public void A_lost_stream_limit_report_is_made_again()
    {
        // DATA_BLOCKED, STREAM_DATA_BLOCKED and STREAMS_BLOCKED leave in the second packet, which is lost.
        var pair = new Pair(parameters: TransportParameters.Default with { InitialMaxData = 500, InitialMaxStreamsBidi = 2, InitialMaxStreamDataBidiRemote = 300 });
        pair.Responder.ReadsAtOnce = false;
        var first = pair.Initiator.Open("x");
        var second = pair.Initiator.Open("x");
        pair.Run(TimeSpan.FromSeconds(1));
        Assert.Single(pair.Initiator.Sent);
        pair.Passes = (side, _) => side != pair.Initiator || side.Sent.Count != 2;
        pair.Initiator.Connection.Write(first, new byte[400]);
        pair.Initiator.Connection.Write(second, new byte[400]);
        pair.Initiator.Connection.TryOpenStream("x", StreamDirection.Bidirectional, out _);
        pair.Run(TimeSpan.FromSeconds(1));
        // The probe repeats all of it, so that it is not smaller than the lost packet.
        Assert.Contains(pair.Initiator.Sent.Skip(2), p => p.Bytes.Length >= pair.Initiator.Sent[1].Bytes.Length);
    }

    private static void Transfer(Pair pair, int length, string what)
    {
        var bytes = new SeededRandom(pair.Seed).NextBytes(length);
        var id = pair.Initiator.Send("bulk", bytes);
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id), TimeSpan.FromSeconds(600)), $"seed {pair.Seed}, {what}: did not arrive");
        Assert.Equal(bytes, pair.Responder.Received[id].ToArray());
        Assert.Null(pair.Initiator.Connection.CloseReason);
    }
}
