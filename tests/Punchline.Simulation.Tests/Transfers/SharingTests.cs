using Punchline.Simulation.Transfers;

namespace Punchline.Simulation.Tests.Transfers;

/// <summary>How much of a link a connection uses, and leaves to another.</summary>
public sealed class SharingTests(ITestOutputHelper output)
{
    private const int Seeds = 3;

    // 1,472 bytes, which path MTU discovery finds, and 28 of IPv4 and UDP; 29 of the former are header and tag, 9 or 10 the STREAM frame's.
    private const int PacketBytes = 1_500;
    private const int DataBytes = 1_472 - 29 - 10;

    private static readonly TimeSpan Warmup = TimeSpan.FromSeconds(5);

    private static readonly LinkConditions TenMegabits = new()
    {
        Delay = TimeSpan.FromMilliseconds(20),
        BitsPerSecond = 10_000_000,
        MaxQueueingDelay = TimeSpan.FromMilliseconds(100),
    };

    [Theory]
    [InlineData(10_000_000, 40, 0.01)]
    [InlineData(20_000_000, 200, 0.0)]
    [InlineData(10_000_000, 200, 0.01)]
    [InlineData(20_000_000, 80, 0.001)]
    public void Utilisation_is_that_of_the_reference_model_within_10_percent(long bitsPerSecond, int roundTripMilliseconds, double loss)
    {
        var conditions = TenMegabits with { BitsPerSecond = bitsPerSecond, Delay = TimeSpan.FromMilliseconds(roundTripMilliseconds / 2.0), Loss = loss };
        double measured = 0, expected = 0;
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            measured += Measure(conditions, seed, TimeSpan.FromSeconds(40));
            expected += Model(conditions, seed, 40);
        }
        output.WriteLine($"{measured / Seeds / 1e6:0.000} MB/s, model {expected / Seeds / 1e6:0.000} MB/s, link {bitsPerSecond / 8e6:0.000} MB/s");
        Assert.InRange(measured / expected, 0.9, 1.1);
    }

    [Fact]
    public void Two_connections_share_a_bottleneck_within_two_to_one()
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            using var network = new TransferNetwork(seed, TenMegabits, TenMegabits);
            var first = network.Add(long.MaxValue);
            var second = network.Add(long.MaxValue, startsIn: TimeSpan.FromMilliseconds(3_000 + (37 * seed)));
            network.RunFor(TimeSpan.FromSeconds(20));
            var (firstBefore, secondBefore) = (first.Delivered, second.Delivered);
            network.RunFor(TimeSpan.FromSeconds(40));
            var ratio = (double)(first.Delivered - firstBefore) / (second.Delivered - secondBefore);
            output.WriteLine($"seed {seed}: {ratio:0.00}, {(first.Delivered + second.Delivered - firstBefore - secondBefore) / 40e6:0.000} MB/s");
            Assert.True(ratio is > 0.5 and < 2, $"seed {seed}: {ratio:0.00} to 1");
        }
    }

    [Theory] // held back by a fifth and by three quarters of the round trip
    [InlineData(8)]
    [InlineData(30)]
    public void Reordering_of_5_percent_costs_less_than_a_tenth(int delayMilliseconds)
    {
        var reordering = TenMegabits with { Reordering = 0.05, ReorderingDelay = TimeSpan.FromMilliseconds(delayMilliseconds) };
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            var (plain, reordered) = (Complete(TenMegabits, seed), Complete(reordering, seed));
            output.WriteLine($"seed {seed}: {plain.TotalSeconds:0.000} s, reordered {reordered.TotalSeconds:0.000} s");
            Assert.True(reordered < 1.1 * plain, $"seed {seed}: {reordered} instead of {plain}");
        }
    }

    private static double Measure(LinkConditions conditions, ulong seed, TimeSpan duration)
    {
        using var network = new TransferNetwork(seed, conditions, conditions with { Loss = 0 });
        var transfer = network.Add(long.MaxValue);
        network.RunFor(Warmup);
        var before = transfer.Delivered;
        network.RunFor(duration);
        Assert.Null(transfer.Failure);
        return (transfer.Delivered - before) / duration.TotalSeconds;
    }

    private static double Model(LinkConditions conditions, ulong seed, double seconds)
    {
        var packetsPerSecond = conditions.BitsPerSecond / 8.0 / PacketBytes;
        var model = new CubicModel(
            new SeededRandom(seed), packetsPerSecond, 2 * conditions.Delay.TotalSeconds, packetsPerSecond * conditions.MaxQueueingDelay.TotalSeconds, conditions.Loss);
        while (model.Now < Warmup.TotalSeconds) model.Round();
        var (from, before) = (model.Now, model.Delivered);
        while (model.Now < from + seconds) model.Round();
        return (model.Delivered - before) * DataBytes / (model.Now - from);
    }

    private static TimeSpan Complete(LinkConditions conditions, ulong seed)
    {
        using var network = new TransferNetwork(seed, conditions, conditions with { Reordering = 0 });
        var transfer = network.Add(10_000_000);
        Assert.True(network.RunUntil(() => transfer.CompletedAt is not null, TimeSpan.FromMinutes(5)));
        return transfer.CompletedAt!.Value - transfer.StartsAt;
    }
}
