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

    public static LinkConditions Of(double delayMilliseconds, double loss = 0) =>
        new() { Delay = TimeSpan.FromMilliseconds(delayMilliseconds), Loss = loss };
}
