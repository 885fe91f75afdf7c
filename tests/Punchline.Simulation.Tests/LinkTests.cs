using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests;

public sealed class LinkTests
{
    private static readonly LinkConditions Plain = new() { Delay = TimeSpan.FromMilliseconds(10) };

    // One packet a millisecond.
    private static List<LinkOutcome> Offer(LinkConditions conditions, int packets, ulong seed = 1, int bytes = 1250)
    {
        var link = new Link("link", conditions, new SeededRandom(seed));
        return [.. Enumerable.Range(0, packets).Select(ms => link.Offer(bytes, Timestamp.FromMilliseconds(ms)))];
    }

    [Theory] // 5 % of 10,000: the standard deviation is sqrt(10,000 × 0.05 × 0.95) = 22
    [InlineData(0.0, 1, 0)]
    [InlineData(0.05, 1, 515)]
    [InlineData(0.05, 2, 498)]
    [InlineData(1.0, 1, 10_000)]
    public void Loss_is_the_seeds_to_the_packet(double loss, ulong seed, int lost) =>
        Assert.Equal(lost, Offer(Plain with { Loss = loss }, 10_000, seed).Count(outcome => outcome.Dropped == Verdict.Lost));

    [Fact]
    public void Both_directions_of_a_link_lose_independently()
    {
        using var internet = new VirtualInternet(1);
        var server = internet.AddServer("s1", LinkConditions.Of(1, loss: 0.5));
        var uplink = server.Uplink!;
        var up = Enumerable.Range(0, 100).Select(_ => uplink.Up.Offer(100, default).Dropped).ToList();
        var down = Enumerable.Range(0, 100).Select(_ => uplink.Down.Offer(100, default).Dropped).ToList();
        Assert.NotEqual(up, down);
    }

    [Fact]
    public void Jitter_alone_reorders_nothing()
    {
        var arrivals = Offer(Plain with { Jitter = TimeSpan.FromMilliseconds(20) }, 1000).ConvertAll(outcome => outcome.Arrival);
        Assert.Equal(arrivals.Order(), arrivals);
        for (var i = 0; i < arrivals.Count; i++)
        {
            var travelled = arrivals[i] - Timestamp.FromMilliseconds(i);
            Assert.InRange(travelled, TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(30));
        }
        Assert.True(arrivals.Distinct().Count() > 100, "Jitter should spread arrivals.");
    }

    [Fact]
    public void Reordering_lets_those_behind_pass()
    {
        var outcomes = Offer(Plain with { Reordering = 0.1, ReorderingDelay = TimeSpan.FromMilliseconds(3) }, 1000);
        var late = outcomes.Index().Count(item => item.Item.Arrival == Timestamp.FromMilliseconds(item.Index + 13));
        var onTime = outcomes.Index().Count(item => item.Item.Arrival == Timestamp.FromMilliseconds(item.Index + 10));
        Assert.Equal(100, late);
        Assert.Equal(1000, late + onTime);
    }

    [Fact]
    public void A_duplicate_arrives_a_millisecond_behind()
    {
        var outcomes = Offer(Plain with { Duplication = 0.1 }, 1000).FindAll(outcome => outcome.DuplicateArrival is not null);
        Assert.Equal(100, outcomes.Count);
        Assert.All(outcomes, outcome => Assert.Equal(outcome.Arrival + TimeSpan.FromMilliseconds(1), outcome.DuplicateArrival));
    }

    [Fact] // 1,250 bytes are 10,000 bits: 5 ms each at 2 Mbit/s, offered one a millisecond
    public void A_limited_rate_spaces_packets_and_a_full_queue_drops()
    {
        var outcomes = Offer(Plain with { BitsPerSecond = 2_000_000, MaxQueueingDelay = TimeSpan.FromMilliseconds(20) }, 11);
        Assert.Equal([15, 20, 25, 30, 35, 40], outcomes.Take(6).Select(outcome => outcome.Arrival.Ticks / TimeSpan.TicksPerMillisecond));
        // The seventh would wait 24 ms, the tenth 21; the eleventh 20, as many as the queue takes.
        Assert.Equal([false, false, false, false, true], outcomes.Skip(6).Select(outcome => outcome.Dropped is null));
        Assert.Equal(4, outcomes.Count(outcome => outcome.Dropped == Verdict.QueueFull));
    }

    [Fact] // 25 % of the time is bad, 20 ms on average: over 100 s some 1,250 bursts, of which a packet each millisecond loses 20
    public void Bursts_lose_their_share_and_last_their_length()
    {
        var outcomes = Offer(Plain with { Bursts = new BurstLoss(0.25, TimeSpan.FromMilliseconds(20)) }, 100_000).ConvertAll(outcome => outcome.Dropped == Verdict.Lost);
        var bursts = outcomes.Zip(outcomes.Skip(1)).Count(pair => !pair.First && pair.Second);
        Assert.Equal((24_930, 1_197), (outcomes.Count(isLost => isLost), bursts));
    }

    [Fact]
    public void Bursts_pass_while_nothing_is_sent()
    {
        var conditions = Plain with { Bursts = new BurstLoss(0.5, TimeSpan.FromMilliseconds(20)) };
        var link = new Link("link", conditions, new SeededRandom(1));
        var lost = Enumerable.Range(0, 1_000).Count(i => link.Offer(100, Timestamp.FromMilliseconds(1_000 * i)).Dropped == Verdict.Lost);
        Assert.Equal(510, lost);
    }

    [Fact]
    public void A_damaged_packet_has_one_bit_flipped()
    {
        var flipped = Offer(Plain with { Corruption = 0.1 }, 1_000).FindAll(outcome => outcome.FlippedBit is not null);
        Assert.Equal(101, flipped.Count);
        Assert.All(flipped, outcome => Assert.InRange(outcome.FlippedBit!.Value, 0, (8 * 1_250) - 1));
        var payload = new byte[10];
        Link.Flip(payload, (8 * 12) + 3);
        Assert.Equal([0, 0, 8, 0, 0, 0, 0, 0, 0, 0], payload);
    }

    [Theory]
    [InlineData(1_500, null)]
    [InlineData(1_501, (int)Verdict.TooLarge)]
    public void A_link_loses_what_is_larger_than_its_largest_packet(int bytes, int? dropped) =>
        Assert.Equal((Verdict?)dropped, Offer(Plain, 1, bytes: bytes)[0].Dropped);

    [Fact]
    public void A_cut_link_loses_everything_until_it_is_restored()
    {
        var link = new Link("link", Plain, new SeededRandom(1)) { IsUp = false };
        Assert.Equal(Verdict.LinkDown, link.Offer(100, default).Dropped);
        link.IsUp = true;
        Assert.Null(link.Offer(100, default).Dropped);
    }
}
