using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Nat;

/// <summary>
/// What each inside address has of a router that many share, and may have at most (RFC 6888 §3): REQ-4 limits its external ports, REQ-5 the
/// state that it takes, which is its flows.
/// </summary>
internal sealed class Subscribers(NatBehavior behavior)
{
    private readonly Dictionary<UInt128, Holdings> _holdings = [];

    /// <summary>Whether an inside address may have one more flow.</summary>
    public bool MayOpen(UInt128 subscriber, Timestamp now)
    {
        if (behavior.MaxSessionsPerSubscriber is not { } limit || !_holdings.TryGetValue(subscriber, out var held)) return true;
        held.Flows.RemoveAll(flow => flow.Expires <= now);
        return held.Flows.Count < limit;
    }

    /// <summary>Whether an inside address may have one more external port; for its sake its oldest one may go.</summary>
    /// <param name="subscriber">The inside address.</param>
    /// <param name="external">A port that several of its flows share is one.</param>
    /// <param name="now">The time.</param>
    /// <param name="evicted">What goes.</param>
    public bool MayMap(UInt128 subscriber, Endpoint external, Timestamp now, out IReadOnlyList<Mapping> evicted)
    {
        evicted = [];
        if (behavior.MaxMappingsPerSubscriber is not { } limit || !_holdings.TryGetValue(subscriber, out var held)) return true;
        held.Mappings.RemoveAll(mapping => mapping.Expires <= now);
        var externals = held.Mappings.Select(mapping => mapping.External).Distinct().ToList();
        if (externals.Count < limit || externals.Contains(external)) return true;
        if (!behavior.EvictsMappings) return false;
        evicted = held.Mappings.FindAll(mapping => mapping.External == externals[0]);
        held.Mappings.RemoveAll(evicted.Contains);
        return true;
    }

    public void Add(Mapping mapping) => HoldingsOf(mapping.Internal.Address).Mappings.Add(mapping);

    public void Add(Flow flow)
    {
        if (flow.Mapping is { } mapping) HoldingsOf(mapping.Internal.Address).Flows.Add(flow);
    }

    public void Clear() => _holdings.Clear();

    private Holdings HoldingsOf(UInt128 subscriber)
    {
        if (!_holdings.TryGetValue(subscriber, out var held)) _holdings.Add(subscriber, held = new Holdings());
        return held;
    }

    // In the order of creation.
    private sealed class Holdings
    {
        public List<Mapping> Mappings { get; } = [];

        public List<Flow> Flows { get; } = [];
    }
}
