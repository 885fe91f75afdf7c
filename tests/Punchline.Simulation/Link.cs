using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation;

/// <summary>
/// What a link does to one packet: it arrives (perhaps twice, perhaps with a bit of it flipped, by its index), or <paramref name="Dropped"/> says why not.
/// </summary>
internal readonly record struct LinkOutcome(Verdict? Dropped, Timestamp Arrival, Timestamp? DuplicateArrival, int? FlippedBit = null);

/// <summary>One direction of a link: <see cref="LinkConditions"/> applied with a random source of its own, so that links don't disturb each other's draws.</summary>
internal sealed class Link(string name, LinkConditions conditions, IRandomSource random)
{
    private Timestamp _busyUntil;
    private Timestamp _lastArrival;
    private Timestamp _periodEnds;
    private bool _isBad;

    public string Name { get; } = name;

    /// <summary>May be replaced while packets are under way; those keep what they were given.</summary>
    public LinkConditions Conditions { get; set; } = conditions;

    /// <summary>False: every packet is lost, and nobody is told.</summary>
    public bool IsUp { get; set; } = true;

    public LinkOutcome Offer(int bytes, Timestamp now)
    {
        if (!IsUp) return new(Verdict.LinkDown, default, null);
        if (bytes > Conditions.MaxPacketBytes) return new(Verdict.TooLarge, default, null);
        if (Happens(Conditions.Loss) || IsInBurst(now)) return new(Verdict.Lost, default, null);

        var departure = now;
        if (Conditions.BitsPerSecond > 0)
        {
            var start = Timestamp.Max(now, _busyUntil);
            if (start - now > Conditions.MaxQueueingDelay) return new(Verdict.QueueFull, default, null);
            departure = _busyUntil = start + TimeSpan.FromTicks(bytes * 8L * TimeSpan.TicksPerSecond / Conditions.BitsPerSecond);
        }

        var arrival = departure + Conditions.Delay;
        if (Conditions.Jitter > TimeSpan.Zero) arrival += Conditions.Jitter * random.NextDouble();
        if (Happens(Conditions.Reordering)) arrival += Conditions.ReorderingDelay;
        else _lastArrival = arrival = Timestamp.Max(arrival, _lastArrival);
        Timestamp? duplicate = Happens(Conditions.Duplication) ? arrival + Conditions.DuplicateGap : null;
        return new(null, arrival, duplicate, Happens(Conditions.Corruption) ? random.NextInt32(8 * bytes) : null);
    }

    /// <summary>Flips the bit that <see cref="LinkOutcome.FlippedBit"/> names, modulo the payload's length.</summary>
    public static void Flip(Span<byte> payload, int bit) => payload[bit / 8 % payload.Length] ^= (byte)(1 << (bit % 8));

    // Periods pass whether packets come or not; the first one is good.
    private bool IsInBurst(Timestamp now)
    {
        if (Conditions.Bursts is not { } bursts) return false;
        if (_periodEnds == default) _periodEnds = now + Exponential(bursts.MeanGap);
        while (_periodEnds <= now)
        {
            _isBad = !_isBad;
            _periodEnds += Exponential(_isBad ? bursts.MeanLength : bursts.MeanGap);
        }
        return _isBad;
    }

    private TimeSpan Exponential(TimeSpan mean) => -Math.Log(1 - random.NextDouble()) * mean;

    // Draws only where something can happen: a link without loss stays the same link when another gets some.
    private bool Happens(double chance) => chance > 0 && random.NextDouble() < chance;
}
