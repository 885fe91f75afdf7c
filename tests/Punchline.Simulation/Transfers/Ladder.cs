namespace Punchline.Simulation.Transfers;

/// <summary>A link that gets harder from rung to rung; both directions are alike.</summary>
internal sealed record LadderRung(string Name, LinkConditions Link)
{
    public override string ToString() => Name;
}

/// <summary>One run on a rung.</summary>
/// <param name="Elapsed">From the handshake's end until the last byte was read; null where it failed.</param>
/// <param name="Failure">Why; null where it did not.</param>
/// <param name="Overhead">Bytes that were sent for each byte delivered, less one.</param>
/// <param name="PacketsLost">As the sender believes.</param>
/// <param name="Delivered">Bytes.</param>
internal readonly record struct LadderRun(TimeSpan? Elapsed, string? Failure, double Overhead, ulong PacketsLost, long Delivered);

/// <summary>What a transport has to bear: 1 MB on each rung arrives intact, whatever the seed.</summary>
internal static class Ladder
{
    public const long Bytes = 1_000_000;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(30);

    /// <summary>Rates, round trips and losses; beside them 1 % reordered by an eighth of a round trip, 0.5 % twice and 0.1 % damaged.</summary>
    public static IReadOnlyList<LadderRung> Rungs { get; } =
    [
        Rung("100 Mbit/s, 16 ms, 0.1 %", 100_000_000, 16, 0.001),
        Rung("50 Mbit/s, 30 ms, 0.5 %", 50_000_000, 30, 0.005),
        Rung("10 Mbit/s, 100 ms, 2 %", 10_000_000, 100, 0.02),
        Rung("5 Mbit/s, 200 ms, 5 %", 5_000_000, 200, 0.05),
        Rung("1 Mbit/s, 400 ms, 10 %", 1_000_000, 400, 0.1),
        // 75 ms are two full packets at this rate, so that a burst takes about three.
        Rung("256 kbit/s, 800 ms, 25 % in bursts", 256_000, 800, 0, new BurstLoss(0.25, TimeSpan.FromMilliseconds(75))),
    ];

    public static LadderRun Run(LadderRung rung, ulong seed)
    {
        using var network = new TransferNetwork(seed, rung.Link, rung.Link);
        var transfer = network.Add(Bytes);
        network.RunUntil(() => transfer.CompletedAt is not null || transfer.Failure is not null, Limit);
        var failure = transfer.Failure ?? (transfer.CompletedAt is null ? $"{transfer.Delivered} bytes arrived in {Limit}." : null);
        return new LadderRun(
            failure is null ? transfer.CompletedAt - transfer.StartsAt : null, failure,
            ((double)network.BytesOffered / Math.Max(1, transfer.Delivered)) - 1, transfer.Sender.Statistics.PacketsLost, transfer.Delivered);
    }

    private static LadderRung Rung(string name, long bitsPerSecond, int roundTripMilliseconds, double loss, BurstLoss? bursts = null) => new(name, new LinkConditions
    {
        Delay = TimeSpan.FromMilliseconds(roundTripMilliseconds / 2.0),
        Loss = loss,
        Bursts = bursts,
        Reordering = 0.01,
        ReorderingDelay = TimeSpan.FromMilliseconds(roundTripMilliseconds / 8.0),
        Duplication = 0.005,
        Corruption = 0.001,
        BitsPerSecond = bitsPerSecond,
        // A round trip's worth, and 100 ms at least: what routers at home have.
        MaxQueueingDelay = TimeSpan.FromMilliseconds(Math.Max(100, roundTripMilliseconds)),
    });
}
