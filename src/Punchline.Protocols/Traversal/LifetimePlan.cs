namespace Punchline.Protocols.Traversal;

/// <summary>
/// Which ages of idle mappings are tried, all of a round side by side: a pure function of what lived and what did not. A first round tells
/// between which two of the lifetimes that routers have a network's lies, a second one comes as close as a sixth at worst.
/// </summary>
internal static class LifetimePlan
{
    /// <summary>Mappings of a round, and one socket more that asks after them.</summary>
    public const int Mappings = 5;

    /// <summary>Both rounds.</summary>
    public const int Rounds = 2;

    /// <summary>Shorter ones are not kept by anybody (<see cref="Transport.Paths.MappingKeepAlive.Least"/> is 0.8 of it).</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What routers are set to, from Linux's 30 s to RFC 4787 REQ-5's recommended five minutes, less a sixtieth, so that who is set to one of
    /// them is found at it.
    /// </summary>
    private static readonly TimeSpan[] Usual = [.. new[] { 30, 60, 120, 180, 300 }.Select(seconds => TimeSpan.FromSeconds(seconds * 59 / 60.0))];

    /// <summary>The ages of a round, at most <see cref="Mappings"/>, rising; none where enough is known.</summary>
    /// <param name="round">From 0 on.</param>
    /// <param name="alive">The longest that lived; zero for none.</param>
    /// <param name="dead">The shortest that did not; null for none.</param>
    public static IReadOnlyList<TimeSpan> AgesOf(int round, TimeSpan alive, TimeSpan? dead)
    {
        if (round == 0) return Usual;
        if (round >= Rounds || dead is not { } end) return [];
        // The interval's ends are known, but where nothing lived yet, the lower one is not.
        var isOpen = alive == TimeSpan.Zero;
        var start = isOpen ? Shortest : alive;
        var step = Math.Pow(end / start, 1.0 / (isOpen ? Mappings : Mappings + 1));
        return [.. Enumerable.Range(isOpen ? 0 : 1, Mappings).Select(i => start * Math.Pow(step, i))];
    }
}
