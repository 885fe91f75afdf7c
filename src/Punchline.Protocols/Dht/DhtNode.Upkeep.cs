using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>What a node does for itself: finding nodes to begin with, keeping its table fresh, having the id that its address gives it.</summary>
internal sealed partial class DhtNode
{
    /// <summary>Searches of our own at once.</summary>
    public const int MaxOwnSearches = 2;

    /// <summary>With few nodes known, or without knowing our external address, we ask again after that; each time after twice as long.</summary>
    public static readonly TimeSpan FirstBootstrapInterval = TimeSpan.FromSeconds(5);

    public static readonly TimeSpan MaxBootstrapInterval = TimeSpan.FromMinutes(5);

    /// <summary>A bucket at most is refreshed in that time.</summary>
    public static readonly TimeSpan RefreshInterval = TimeSpan.FromMinutes(1);

    /// <summary>BEP 5: "Buckets that have not been changed in 15 minutes should be 'refreshed.'"</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(15);

    private static void BeginUpkeep(DhtNetwork network, Timestamp now)
    {
        network.NextBootstrap = now;
        network.BootstrapInterval = FirstBootstrapInterval;
        network.NextRefresh = Timestamp.Min(network.NextRefresh, now + RefreshInterval);
    }

    private static Timestamp NextUpkeep(DhtNetwork network) => network.IsReachable ? Timestamp.Min(network.NextBootstrap, network.NextRefresh) : Timestamp.Never;

    private void Upkeep(DhtNetwork network, Timestamp now)
    {
        if (!network.IsReachable) return;
        if (network.NextBootstrap <= now)
        {
            network.NextBootstrap = now + network.BootstrapInterval;
            network.BootstrapInterval *= 2;
            if (network.BootstrapInterval > MaxBootstrapInterval) network.BootstrapInterval = MaxBootstrapInterval;
            // Where we are is learnt by searching, too.
            if (!network.IsFewNodes && network.Votes.View is not null) network.BootstrapInterval = FirstBootstrapInterval;
            else if (CanStartOwn) StartOwn(network, network.Id, now);
        }
        if (network.NextRefresh > now) return;
        network.NextRefresh = now + RefreshInterval;
        var stale = network.Table.FindStale(now - StaleAfter);
        if (stale < 0 || !CanStartOwn) return;
        network.Table.Touch(stale, now);
        StartOwn(network, network.Id.RandomAt(stale, _random), now);
    }

    private bool CanStartOwn => _searches.Count(search => search.Number == 0) < MaxOwnSearches;

    private void HandleVote(DhtNetwork network, Endpoint voter, Endpoint external, Timestamp now)
    {
        if (external.Port == 0 || external.IsIPv4 != network.IsIPv4 || !network.Votes.Add(voter, external)) return;
        var view = network.Votes.View!.Value;
        if (_events.Count < MaxEvents) _events.Enqueue(new DhtEvent.ExternalSeen(view));
        if (SecureNodeId.IsValid(network.Id, view.Mapped)) return;
        network.ChangeId(SecureNodeId.Create(view.Mapped, _random), now);
        // Those who are near the new id should know of us, if anybody should.
        if (!_isReadOnly && CanStartOwn) StartOwn(network, network.Id, now);
    }
}
