using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>Why an address is tried.</summary>
internal enum TrialKind
{
    /// <summary>The peer has it itself.</summary>
    Interface,

    /// <summary>The peer was seen there from outside.</summary>
    Reflexive,

    /// <summary>The peer's router maps it.</summary>
    Mapped,

    /// <summary>The peer has opened it for us.</summary>
    Offered,

    /// <summary>A packet of the peer's came from there.</summary>
    Observed,
}

/// <summary>An address that an attempt tries.</summary>
internal readonly record struct Trial(TrialKind Kind, Endpoint Endpoint);

// What an attempt tries, told as it becomes known: each address once.
internal sealed partial class PeerSession
{
    /// <summary>Addresses of one attempt that are told: all of UDP's, and as many of TCP's.</summary>
    private const int MaxTold = 2 * PunchAttempt.MaxTargets;

    private readonly HashSet<(Carrier Carrier, Endpoint Endpoint)> _told = [];

    private void TellTrials(Carrier carrier, IEnumerable<Endpoint> endpoints)
    {
        if (_punch is null) return;
        Trial[] news = [.. endpoints.Where(endpoint => _told.Count < MaxTold && _told.Add((carrier, endpoint))).Select(endpoint => new Trial(KindOf(carrier, endpoint), endpoint))];
        if (news.Length > 0) _events.Enqueue(new PeerSessionEvent.Probing(carrier, news));
    }

    private TrialKind KindOf(Carrier carrier, Endpoint endpoint)
    {
        // Where it is several things, the one that reaches furthest says most.
        return Introduction.Candidates.Where(candidate => candidate.Carrier == carrier && candidate.Endpoint == endpoint).Select(candidate => candidate.Kind).DefaultIfEmpty().Max() switch
        {
            CandidateKind.Mapped => TrialKind.Mapped,
            CandidateKind.ServerReflexive => TrialKind.Reflexive,
            CandidateKind.Host => TrialKind.Interface,
            _ => OffersToUs.Any(offer => offer.First.Address == endpoint.Address && offer.First.Port <= endpoint.Port && endpoint.Port <= offer.LastPort) ? TrialKind.Offered : TrialKind.Observed,
        };
    }
}
