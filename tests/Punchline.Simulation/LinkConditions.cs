namespace Punchline.Simulation;

/// <summary>
/// One direction of a link, as data. Chances are from 0 to 1, each drawn for each packet independently of all others.
/// </summary>
internal sealed record LinkConditions
{
    /// <summary>5 ms: with two links a way, hosts of different sites are 10 ms apart, a round trip takes 20 ms.</summary>
    public static LinkConditions Default { get; } = new();

    /// <summary>Time that every packet takes, one way.</summary>
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>The most that is added to <see cref="Delay"/>, uniformly. Jitter alone reorders nothing: a packet waits for those before it.</summary>
    public TimeSpan Jitter { get; init; }

    /// <summary>Chance that a packet is lost.</summary>
    public double Loss { get; init; }

    /// <summary>Losses that come in bursts, on top of <see cref="Loss"/>; null for none.</summary>
    public BurstLoss? Bursts { get; init; }

    /// <summary>Chance that a packet arrives with one bit flipped.</summary>
    public double Corruption { get; init; }

    /// <summary>Chance that a packet arrives a second time, <see cref="DuplicateGap"/> behind the first.</summary>
    public double Duplication { get; init; }

    public TimeSpan DuplicateGap { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Chance that a packet is held back by <see cref="ReorderingDelay"/>, while those behind it pass.</summary>
    public double Reordering { get; init; }

    public TimeSpan ReorderingDelay { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>Bits a second, headers counted; 0 is no limit.</summary>
    public long BitsPerSecond { get; init; }

    /// <summary>How long a packet may wait for its turn where <see cref="BitsPerSecond"/> is limited; a fuller queue drops it.</summary>
    public TimeSpan MaxQueueingDelay { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Bytes of the largest packet, headers counted; larger ones are lost, and nobody is told. 1,500 is Ethernet's.</summary>
    public int MaxPacketBytes { get; init; } = 1_500;

    public static LinkConditions Of(double delayMilliseconds, double loss = 0) =>
        new() { Delay = TimeSpan.FromMilliseconds(delayMilliseconds), Loss = loss };
}

/// <summary>
/// The model of Gilbert (Bell System Technical Journal 39, 1960) in time: good periods, in which nothing is lost, and bad ones, in
/// which everything is; the length of each is exponentially distributed.
/// </summary>
/// <param name="Share">Of the time that is bad, above 0 and below 1: the share of packets lost, where they come evenly.</param>
/// <param name="MeanLength">Of a bad period.</param>
internal sealed record BurstLoss(double Share, TimeSpan MeanLength)
{
    public TimeSpan MeanGap => MeanLength * ((1 - Share) / Share);
}
