using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Tests.Transport.PathMtu;

public sealed class ConnectionPathMtuTests
{
    [Theory]
    [InlineData(1_472, 1_472)]
    [InlineData(9_000, 8_952)]
    [InlineData(1_300, 1_294)]
    public void A_bulk_sender_finds_the_paths_packet_size(int carried, int found)
    {
        var pair = OnPathOf(carried);
        var id = pair.Initiator.Send("bulk", new byte[20_000_000]);
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        Assert.Equal(found, pair.Initiator.Connection.PacketSize);
        Assert.Equal(1_200, pair.Responder.Connection.PacketSize); // sends ACKs only, and probes nothing
        Assert.Equal(20_000_000, pair.Responder.Received[id].Length);
    }

    [Fact]
    public void Lost_probes_are_the_only_losses_and_cost_no_window()
    {
        var pair = OnPathOf(1_472);
        var id = pair.Initiator.Send("bulk", new byte[2_000_000]);
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        Assert.Equal([1_452, 1_472, 8_952, 8_952, 8_952], Probes(pair));
        Assert.Equal(3UL, pair.Initiator.Connection.Statistics.PacketsLost);
        Assert.True(pair.Initiator.Connection.IsInSlowStart);
    }

    [Fact]
    public void Who_says_little_never_probes()
    {
        var pair = OnPathOf(9_000);
        var id = pair.Initiator.Open("chat");
        for (var i = 0; i < 100; i++)
        {
            pair.Initiator.Connection.Write(id, new byte[500]);
            pair.Run(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(100, pair.Initiator.Sent.Count);
        Assert.Equal(1_200, pair.Initiator.Connection.PacketSize);
    }

    [Fact]
    public void A_black_hole_is_noticed_and_bridged()
    {
        var carried = 1_472;
        // Windows that do not grow make the transfer last.
        var pair = new Pair(maxPacketSize: Connection.MaxPacketSize, budget: new ReceiveBudget(0)) { Passes = (_, bytes) => bytes.Length <= carried };
        var id = pair.Initiator.Send("bulk", new byte[20_000_000]);
        pair.RunUntil(() => pair.Initiator.Connection.PacketSize == 1_472);
        pair.Run(TimeSpan.FromMilliseconds(500));
        carried = 1_280;
        var start = pair.Now;
        Assert.True(pair.RunUntil(() => pair.Initiator.Connection.PacketSize == 1_200));
        // A probe time-out, and two flights that time-outs end as well; a round trip behind each.
        Assert.InRange(pair.Now - start, TimeSpan.FromMilliseconds(3 * 40), TimeSpan.FromMilliseconds(1_000));
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        Assert.InRange(pair.Initiator.Connection.PacketSize, 1_260, 1_280);
    }

    [Fact]
    public void An_outage_of_three_seconds_is_no_black_hole()
    {
        var isUp = true;
        var pair = new Pair(maxPacketSize: 1_452) { Passes = (_, _) => isUp };
        var id = pair.Initiator.Send("bulk", new byte[10_000_000]);
        pair.RunUntil(() => pair.Initiator.Connection.PacketSize == 1_452);
        pair.Run(TimeSpan.FromMilliseconds(300));
        isUp = false;
        pair.Run(TimeSpan.FromSeconds(3));
        isUp = true;
        var back = pair.Now;
        var before = pair.Responder.Received[id].Length;
        Assert.True(pair.RunUntil(() => pair.Responder.Received[id].Length > before));
        Assert.True(pair.Now - back <= TimeSpan.FromMilliseconds(1_000 + 40), $"{pair.Now - back} until data flows again");
        Assert.True(pair.RunUntil(() => pair.Responder.Finished.Contains(id)));
        Assert.Equal(1_452, pair.Initiator.Connection.PacketSize);
    }

    [Fact]
    public void A_smaller_buffer_bounds_what_is_built()
    {
        var pair = OnPathOf(9_000);
        var buffer = new byte[1_200];
        pair.Initiator.Connection.Write(pair.Initiator.Open("bulk"), new byte[1_000_000]);
        var sent = 0;
        while (pair.Initiator.Connection.TryDequeueTransmit(pair.Now, buffer, out var transmit))
        {
            Assert.Equal(1_200, transmit.Length);
            sent++;
        }
        Assert.Equal(10, sent);
        Assert.Throws<ArgumentException>(() => pair.Initiator.Connection.TryDequeueTransmit(pair.Now, new byte[1_199], out _));
    }

    private static Pair OnPathOf(int carried) => new(maxPacketSize: Connection.MaxPacketSize) { Passes = (_, bytes) => bytes.Length <= carried };

    // Packets larger than every one before, and those of the size that does not pass.
    private static List<int> Probes(Pair pair)
    {
        var found = new List<int>();
        var largest = 1_200;
        foreach (var (_, _, bytes) in pair.Initiator.Sent.Where(packet => packet.Bytes.Length > largest))
        {
            found.Add(bytes.Length);
            if (bytes.Length < 8_952) largest = bytes.Length;
        }
        return found;
    }
}
