using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.PathMtu;

namespace Punchline.Protocols.Tests.Transport.PathMtu;

public sealed class PathMtuDiscoveryTests
{
    private static readonly TimeSpan RaiseInterval = TimeSpan.FromMinutes(10);

    private readonly Timestamp _start = Timestamp.FromMilliseconds(1_000);

    [Theory] // what the path carries, what both sides take; the probes, and how many of them are lost
    [InlineData(8_952, 8_952, "1452 1472 8952", 0)]
    [InlineData(65_507, 8_952, "1452 1472 8952", 0)]
    [InlineData(1_472, 8_952, "1452 1472 8952 8952 8952", 3)]
    [InlineData(1_464, 8_952, "1452 1472 1472 1472", 3)] // PPPoE's 1,492 over IPv4
    [InlineData(1_452, 1_452, "1452", 0)]
    [InlineData(8_952, 4_000, "1452 1472 4000", 0)]
    [InlineData(1_300, 1_452, "1452 1452 1452 1326 1326 1326 1263 1294 1310 1310 1310", 9)]
    [InlineData(1_200, 1_452, "1452 1452 1452 1326 1326 1326 1263 1263 1263 1231 1231 1231 1215 1215 1215", 15)]
    [InlineData(1_200, 1_200, "", 0)]
    public void The_search_finds_what_the_path_carries(int carried, int largest, string probes, int lost)
    {
        var discovery = new PathMtuDiscovery(largest);
        var sizes = Search(discovery, carried, _start);
        Assert.Equal(probes, string.Join(' ', sizes));
        Assert.Equal(lost, sizes.Count(size => size > carried));
        Assert.InRange(discovery.PacketSize, Math.Min(Math.Min(carried, largest), 8_952) - 20, carried);
    }

    [Fact]
    public void A_probe_follows_eight_full_packets_one_at_a_time()
    {
        var discovery = new PathMtuDiscovery(1_452);
        for (var i = 0; i < 7; i++) discovery.OnFullPacketSent();
        Assert.False(discovery.IsProbeDue(_start, out _));
        discovery.OnFullPacketSent();
        Assert.True(discovery.IsProbeDue(_start, out var size));
        Assert.Equal(1_452, size);
        discovery.OnProbeSent();
        for (var i = 0; i < 20; i++) discovery.OnFullPacketSent();
        Assert.False(discovery.IsProbeDue(_start, out _));
        discovery.OnProbeLost(1_452);
        Assert.True(discovery.IsProbeDue(_start, out size));
        Assert.Equal(1_452, size);
    }

    [Fact]
    public void A_search_that_ended_is_repeated_after_ten_minutes()
    {
        var discovery = new PathMtuDiscovery(1_472);
        Search(discovery, 1_452, _start);
        Assert.Equal(1_452, discovery.PacketSize);
        Assert.Empty(Search(discovery, 9_000, _start + RaiseInterval - TimeSpan.FromTicks(1)));
        Assert.Equal([1_472], Search(discovery, 9_000, _start + RaiseInterval));
        Assert.Equal(1_472, discovery.PacketSize);
    }

    [Fact]
    public void Full_packets_that_vanish_for_three_round_trips_are_a_black_hole()
    {
        var discovery = Found(1_452);
        Assert.False(Lose(discovery, 10, sentAt: 0, now: 100));
        Assert.False(Lose(discovery, 11, sentAt: 50, now: 101)); // sent before the first burst was noticed: the same
        Assert.False(Lose(discovery, 12, sentAt: 110, now: 200));
        Assert.True(Lose(discovery, 13, sentAt: 210, now: 300));
        Assert.Equal(1_200, discovery.PacketSize);
        // The search begins anew, and finds what is left.
        Assert.Equal([1_452, 1_452, 1_452, 1_326, 1_389, 1_420, 1_420, 1_420, 1_404, 1_404, 1_404], Search(discovery, 1_400, _start));
        Assert.Equal(1_389, discovery.PacketSize);
    }

    [Fact]
    public void A_full_packet_that_arrives_is_proof_of_the_contrary()
    {
        var discovery = Found(1_452);
        for (var round = 0; round < 20; round++)
        {
            var now = 100 * round;
            Assert.False(Lose(discovery, (ulong)(10 * round) + 10, now, now + 50));
            Assert.False(Lose(discovery, (ulong)(10 * round) + 11, now + 51, now + 99));
            discovery.OnAcknowledged((ulong)(10 * round) + 15, 1_452);
            Assert.False(Lose(discovery, (ulong)(10 * round) + 12, now + 99.5, now + 99.9)); // sent before the one that arrived
        }
        Assert.Equal(1_452, discovery.PacketSize);
    }

    [Fact]
    public void Small_packets_are_no_evidence()
    {
        var discovery = Found(1_452);
        for (var round = 0; round < 20; round++)
        {
            Assert.False(discovery.OnLost((ulong)round, _start + TimeSpan.FromMilliseconds(100 * round), 1_200, _start + TimeSpan.FromMilliseconds((100 * round) + 50)));
        }
        Lose(discovery, 30, 3_000, 3_050);
        Lose(discovery, 31, 3_060, 3_100);
        discovery.OnAcknowledged(32, 1_200);
        Assert.True(Lose(discovery, 33, 3_110, 3_150));
    }

    private PathMtuDiscovery Found(int carried)
    {
        var discovery = new PathMtuDiscovery(1_452);
        Search(discovery, carried, _start);
        Assert.Equal(carried, discovery.PacketSize);
        return discovery;
    }

    private bool Lose(PathMtuDiscovery discovery, ulong number, double sentAt, double now) =>
        discovery.OnLost(number, _start + TimeSpan.FromMilliseconds(sentAt), discovery.PacketSize, _start + TimeSpan.FromMilliseconds(now));

    private static List<int> Search(PathMtuDiscovery discovery, int carried, Timestamp now)
    {
        var sizes = new List<int>();
        while (true)
        {
            for (var i = 0; i < 8; i++) discovery.OnFullPacketSent();
            if (!discovery.IsProbeDue(now, out var size)) return sizes;
            discovery.OnProbeSent();
            sizes.Add(size);
            if (size <= carried) discovery.OnProbeAcknowledged(size);
            else discovery.OnProbeLost(size);
            Assert.True(sizes.Count < 100, "the search does not end");
        }
    }
}
