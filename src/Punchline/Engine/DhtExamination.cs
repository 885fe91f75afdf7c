using System.Diagnostics;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Node;

namespace Punchline.Engine;

/// <summary>What the DHT is from here.</summary>
/// <param name="BootstrapHosts">With which it began, beside nodes of earlier runs.</param>
/// <param name="FirstAnswer">After what time the first node had answered; null: none did.</param>
/// <param name="Status">The node in the end.</param>
/// <param name="Lookups">Searches for something that is nowhere.</param>
internal sealed record DhtReport(IReadOnlyList<string> BootstrapHosts, TimeSpan? FirstAnswer, DhtStatus Status, IReadOnlyList<DhtSearchOutcome> Lookups);

/// <summary>Finds out how the DHT does from here, by what everybody does there: it announces nothing.</summary>
internal static class DhtExamination
{
    /// <summary>Lookups that are timed, one after the other.</summary>
    public const int TimedLookups = 3;

    /// <summary>Between two attempts to find anybody: names of bootstrap hosts are still being looked up.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(250);

    public static async Task<DhtReport> RunAsync(DhtLink link, IReadOnlyList<string> bootstrapHosts, CancellationToken cancellationToken)
    {
        var watch = Stopwatch.StartNew();
        var first = await SearchAsync(link, cancellationToken).ConfigureAwait(false);
        while (first.Answered == 0 && watch.Elapsed < TopicSearch.MaxBootstrapTime)
        {
            await Task.Delay(RetryInterval, cancellationToken).ConfigureAwait(false);
            first = await SearchAsync(link, cancellationToken).ConfigureAwait(false);
        }
        if (first.Answered == 0) return new DhtReport(bootstrapHosts, null, link.Status, []);
        var elapsed = watch.Elapsed;
        var lookups = new List<DhtSearchOutcome>();
        while (lookups.Count < TimedLookups) lookups.Add(await SearchAsync(link, cancellationToken).ConfigureAwait(false));
        return new DhtReport(bootstrapHosts, elapsed, link.Status, lookups);
    }

    private static async Task<DhtSearchOutcome> SearchAsync(DhtLink link, CancellationToken cancellationToken) =>
        (await link.SearchAsync((node, now) => node.FindPeers(NodeId.Generate(SystemRandomSource.Instance), now), onPeer: null, cancellationToken).ConfigureAwait(false)).Outcome;
}
