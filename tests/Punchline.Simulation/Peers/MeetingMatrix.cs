using Punchline.Protocols.Node;

namespace Punchline.Simulation.Peers;

/// <summary>The way between two peers.</summary>
/// <param name="OneWayMilliseconds">From host to host; a host's round trip to the server takes as long.</param>
/// <param name="LossPercent">Of the packets from host to host, nearly: each of the two links on the way loses half.</param>
internal readonly record struct MeetingConditions(int OneWayMilliseconds, int LossPercent)
{
    public TimeSpan OneWay => TimeSpan.FromMilliseconds(OneWayMilliseconds);

    public LinkConditions Link => LinkConditions.Of(OneWayMilliseconds / 2.0, LossPercent / 200.0);

    public override string ToString() => $"{OneWayMilliseconds} ms one way, {LossPercent} % loss";
}

/// <summary>How often peers in two networks met, and how long it took.</summary>
internal readonly record struct MeetingResult(int Runs, int Met, TimeSpan Median);

/// <summary>Every ordered pair of networks under every condition: what the tests assert, and the table in <c>docs/</c> shows.</summary>
internal static class MeetingMatrix
{
    /// <summary>A punch attempt lasts 20 s; the last probe's way comes on top.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(21);

    public static IEnumerable<MeetingConditions> Conditions { get; } =
        from oneWay in new[] { 20, 100, 200, 400 } from loss in new[] { 0, 1, 5 } select new MeetingConditions(oneWay, loss);

    public static IEnumerable<(Network First, Network Second)> Pairs { get; } =
        from first in Network.All from second in Network.All select (first, second);

    /// <summary>Lets two peers meet once for each seed.</summary>
    public static MeetingResult Measure(Network first, Network second, MeetingConditions conditions, IEnumerable<ulong> seeds)
    {
        var runs = 0;
        var elapsed = new List<TimeSpan>();
        foreach (var seed in seeds)
        {
            runs++;
            using var internet = new VirtualInternet(seed);
            using var meeting = MeetingScenario.Between(internet, first, second, conditions.Link, hasAlternate: true);
            meeting.JoinBoth();
            if (meeting.RunUntilConnected(Network.TakesSearch(first, second) ? PeerSession.SearchDuration : Patience)) elapsed.Add(meeting.Elapsed);
        }
        elapsed.Sort();
        return new(runs, elapsed.Count, elapsed.Count == 0 ? TimeSpan.Zero : elapsed[elapsed.Count / 2]);
    }
}
