using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Nat;

/// <summary>
/// Conntrack's table. Both tuples of every flow are keys of one map, so a tuple in use, for whatever purpose, is taken for
/// every new flow: that is how a packet to the router itself takes the port away from the router's own host.
/// </summary>
internal sealed class FlowTable(int capacity)
{
    private readonly Dictionary<FlowTuple, Flow> _byTuple = [];
    private readonly Dictionary<Endpoint, List<Flow>> _bySource = [];
    private readonly List<Flow> _all = []; // in order of creation, with flows that expired since the last sweep

    public Flow? Find(FlowTuple tuple, Timestamp now)
    {
        if (!_byTuple.TryGetValue(tuple, out var flow)) return null;
        if (flow.Expires > now) return flow;
        RemoveTuples(flow);
        return null;
    }

    /// <summary>The newest live flow that this internal endpoint began.</summary>
    public Flow? FindLatestOf(Endpoint source, Timestamp now)
    {
        if (!_bySource.TryGetValue(source, out var flows)) return null;
        for (var i = flows.Count - 1; i >= 0; i--)
        {
            if (flows[i].Expires > now) return flows[i];
        }
        return null;
    }

    /// <summary>Whether one more flow has room, after those that expired were forgotten.</summary>
    public bool HasRoom(Timestamp now)
    {
        if (_all.Count < capacity) return true;
        _all.RemoveAll(flow =>
        {
            if (flow.Expires > now) return false;
            RemoveTuples(flow);
            if (_bySource.TryGetValue(flow.Original.Source, out var flows)) flows.Remove(flow);
            return true;
        });
        return _all.Count < capacity;
    }

    /// <summary>The caller has seen to room and to both tuples being free.</summary>
    public void Add(Flow flow)
    {
        _byTuple.Add(flow.Original, flow);
        _byTuple.Add(flow.Reply, flow);
        _all.Add(flow);
        if (!_bySource.TryGetValue(flow.Original.Source, out var flows)) _bySource.Add(flow.Original.Source, flows = []);
        flows.Add(flow);
    }

    public void Clear()
    {
        _byTuple.Clear();
        _bySource.Clear();
        _all.Clear();
    }

    private void RemoveTuples(Flow flow)
    {
        // A tuple may belong to a younger flow by now.
        if (_byTuple.TryGetValue(flow.Original, out var holder) && holder == flow) _byTuple.Remove(flow.Original);
        if (_byTuple.TryGetValue(flow.Reply, out holder) && holder == flow) _byTuple.Remove(flow.Reply);
    }
}
