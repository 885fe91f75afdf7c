using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Nat;

/// <summary>What a router does with a packet.</summary>
/// <param name="Verdict"><see cref="Verdict.Forwarded"/>, <see cref="Verdict.AcceptedByRouter"/>, or why it was dropped.</param>
/// <param name="Tuple">The packet's addresses behind the router, where it was forwarded.</param>
/// <param name="Mapping">The mapping that this packet opened, if it did.</param>
/// <param name="Moved">That mapping is not at the external endpoint that its source had or preserves.</param>
internal readonly record struct NatDecision(Verdict Verdict, FlowTuple Tuple = default, Mapping? Mapping = null, bool Moved = false);

/// <summary>
/// A router's state: <see cref="NatBehavior"/> at work on a table of flows. Modelled on Linux conntrack, because that is what
/// most home routers run; endpoint-independent mapping and looser filtering are laid over it, as the laboratory's routers do.
/// </summary>
internal sealed class NatTranslator(NatBehavior behavior, UInt128 externalAddress, IRandomSource random)
{
    // Linux: nf_conntrack_tcp_timeout_close.
    private static readonly TimeSpan ResetLifetime = TimeSpan.FromSeconds(10);

    private readonly FlowTable _flows = new(behavior.MaxSessions);
    private readonly PortAllocator _ports = new(behavior, random);
    private readonly Subscribers _subscribers = new(behavior);
    private readonly Dictionary<FlowTuple, Mapping> _byInternal = []; // key: the internal endpoint, and what mapping depends on
    private readonly Dictionary<Endpoint, Mapping> _byExternal = []; // the newest, where connections share an external port

    public NatBehavior Behavior { get; } = behavior;

    public UInt128 ExternalAddress { get; private set; } = externalAddress;

    /// <summary>What the gateway maps by its hosts' wish: an external port to an inside endpoint, at a moment; null: nothing.</summary>
    public Func<ushort, Timestamp, Endpoint?>? PortMappings { get; set; }

    private bool IsPerConnection => Behavior.Mapping == Dependence.AddressAndPortDependent;

    // Nothing to remember: every packet passes as it is.
    private bool IsTransparent => !Behavior.Translates && Behavior.Filtering == Dependence.EndpointIndependent;

    /// <summary>A reboot: all state is forgotten, and the provider may have given another address.</summary>
    public void Rebind(UInt128 newExternalAddress)
    {
        ExternalAddress = newExternalAddress;
        _flows.Clear();
        _ports.Clear();
        _subscribers.Clear();
        _byInternal.Clear();
        _byExternal.Clear();
    }

    /// <summary>A packet from the inside, on its way out. Its destination stays; its source becomes the external one.</summary>
    public NatDecision Outbound(FlowTuple tuple, Timestamp now)
    {
        if (IsTransparent) return new(Verdict.Forwarded, tuple);
        if (_flows.Find(tuple, now) is { } known)
        {
            Touch(known, tuple, now, extends: true);
            return new(Verdict.Forwarded, known.Translate(tuple));
        }
        if (!HasRoom(tuple.Source.Address, now)) return new(Verdict.SessionLimit);
        if (!TryMap(tuple, now, out var mapping, out var isNew, out var moved)) return new(Verdict.NoPort);

        var flow = new Flow(tuple, new FlowTuple(tuple.Destination, mapping.External), mapping, now);
        Add(flow);
        Touch(flow, tuple, now, extends: true);
        return new(Verdict.Forwarded, flow.Translate(tuple), isNew ? mapping : null, moved);
    }

    /// <summary>
    /// A packet from outside to an external endpoint. <paramref name="canForward"/> is false for one whose time-to-live ends
    /// here: it still refreshes a flow, or ends at the router itself, but opens nothing towards the inside.
    /// </summary>
    public NatDecision Inbound(FlowTuple tuple, bool canForward, Timestamp now)
    {
        if (IsTransparent) return canForward ? new(Verdict.Forwarded, tuple) : new(Verdict.TimeToLiveExceeded);
        if (_flows.Find(tuple, now) is { } known)
        {
            Touch(known, tuple, now, extends: Behavior.InboundRefresh);
            if (known.Mapping is null) return new(Verdict.AcceptedByRouter);
            return canForward ? new(Verdict.Forwarded, known.Translate(tuple)) : new(Verdict.TimeToLiveExceeded);
        }

        if (tuple.Destination.Address == ExternalAddress && PortMappings?.Invoke(tuple.Destination.Port, now) is { } inside) return EnterMapped(tuple, inside, canForward, now);
        var mapping = FindExternal(tuple.Destination, now);
        var permitted = mapping is not null && Behavior.Filtering switch
        {
            Dependence.EndpointIndependent => true,
            Dependence.AddressDependent => mapping.Permits(tuple.Source.Address, now),
            _ => false, // only answers of flows are let in, and this is none
        };
        if (!permitted) return Unsolicited(tuple, mapping is not null, now);
        if (!canForward) return new(Verdict.TimeToLiveExceeded);
        if (!HasRoom(mapping!.Internal.Address, now)) return new(Verdict.SessionLimit);

        // The same pair may already talk by another external port; conntrack cannot tell two such flows apart.
        var reply = new FlowTuple(mapping.Internal, tuple.Source);
        if (_flows.Find(reply, now) is not null) return new(Verdict.Filtered);
        var flow = new Flow(tuple, reply, mapping, now);
        Add(flow);
        Touch(flow, tuple, now, extends: true);
        return new(Verdict.Forwarded, flow.Translate(tuple));
    }

    /// <summary>
    /// Linux's nf_conntrack_tcp.c, tcp_in_window: where both sides' SYNs were seen, one of another connection is out of the window, and
    /// dropped; before that, the side that began may begin anew.
    /// </summary>
    public bool IsSynOutOfWindow(FlowTuple tuple, uint sequence, Timestamp now)
    {
        if (IsTransparent || _flows.Find(tuple, now) is not { } flow) return false;
        var isOriginal = tuple == flow.Original;
        var (original, reply) = flow.Syns;
        if (original is not null && reply is not null && (isOriginal ? original : reply) != sequence) return true;
        flow.Syns = isOriginal ? (sequence, reply) : (original, sequence);
        return false;
    }

    /// <summary>
    /// A TCP connection was reset: its flow is forgotten within <see cref="ResetLifetime"/>, or, where that is the first answer it got, at once
    /// (nf_conntrack_tcp.c: "If only reply is a RST, we can consider ourselves not to have an established connection").
    /// </summary>
    /// <param name="reset">The reset's own tuple, before it was rewritten.</param>
    /// <param name="now">The time.</param>
    public void NoteReset(FlowTuple reset, Timestamp now)
    {
        if (IsTransparent || _flows.Find(reset, now) is not { } flow) return;
        var isRefusal = reset == flow.Reply && flow.Replies <= 1;
        (flow.Expires, flow.Syns) = (isRefusal ? now : Timestamp.Min(flow.Expires, now + ResetLifetime), default);
    }

    // As miniupnpd has netfilter do it: whoever comes in by a mapped port is a flow of its own, and answers leave by it. What the inside host
    // begins itself leaves as if there were no mapping.
    private NatDecision EnterMapped(FlowTuple tuple, Endpoint inside, bool canForward, Timestamp now)
    {
        if (!canForward) return new(Verdict.TimeToLiveExceeded);
        if (!_flows.HasRoom(now)) return new(Verdict.SessionLimit);
        // nf_nat_core.c, nf_nat_alloc_null_binding: where the pair talks by another flow already, the inside host sees another source port.
        var reply = new FlowTuple(inside, tuple.Source);
        while (_flows.Find(reply, now) is not null) reply = new FlowTuple(inside, tuple.Source.WithPort((ushort)(1024 + random.NextInt32(65_536 - 1024))));
        var flow = new Flow(tuple, reply, new Mapping(inside, tuple.Destination, DeathOf(now)), now);
        _flows.Add(flow);
        Touch(flow, tuple, now, extends: true);
        return new(Verdict.Forwarded, flow.Translate(tuple));
    }

    private NatDecision Unsolicited(FlowTuple tuple, bool isMapped, Timestamp now)
    {
        // What a router without NAT receives for its hosts is not addressed to itself: it can refuse, but not take it.
        if (Behavior.Unsolicited == UnsolicitedPolicy.Reject) return new(Verdict.Rejected);
        if (Behavior.Unsolicited == UnsolicitedPolicy.Drop || !Behavior.Translates) return new(isMapped ? Verdict.Filtered : Verdict.NoMapping);
        // A hairpinned packet's own flow holds that tuple already, and answers with it.
        if (_flows.Find(tuple.Inverse, now) is not null) return new(Verdict.AcceptedByRouter);
        if (!_flows.HasRoom(now)) return new(Verdict.SessionLimit);
        var flow = new Flow(tuple, tuple.Inverse, mapping: null, now);
        _flows.Add(flow);
        Touch(flow, tuple, now, extends: true);
        return new(Verdict.AcceptedByRouter);
    }

    private bool HasRoom(UInt128 subscriber, Timestamp now) => _flows.HasRoom(now) && _subscribers.MayOpen(subscriber, now);

    private void Add(Flow flow)
    {
        _flows.Add(flow);
        _subscribers.Add(flow);
    }

    private Timestamp DeathOf(Timestamp born) => Behavior.MaxMappingAge is { } age ? born + age : Timestamp.Never;

    private bool TryMap(FlowTuple tuple, Timestamp now, out Mapping mapping, out bool isNew, out bool moved)
    {
        var key = Behavior.Mapping == Dependence.EndpointIndependent
            ? new FlowTuple(tuple.Source, default)
            : new FlowTuple(tuple.Source, tuple.Destination.WithPort(0));
        // A mapping for each connection is its flow, and no such flow was found.
        var current = IsPerConnection ? null : _byInternal.GetValueOrDefault(key);
        if (current is not null && current.Expires <= now) current = null;
        moved = false;
        isNew = false;
        mapping = current!;
        if (current is not null && IsUnique(tuple, current.External, now)) return true;

        isNew = true;
        if (!TryChooseExternal(tuple, now, out var external, out moved)) return false;
        moved |= current is not null;
        if (!_subscribers.MayMap(tuple.Source.Address, external, now, out var evicted)) return false;
        foreach (var old in evicted) old.Evict();
        mapping = new Mapping(tuple.Source, external, DeathOf(now));
        _subscribers.Add(mapping);
        // A collision with one destination moves this flow only: the others keep the mapping that they had.
        if (current is null && !IsPerConnection) _byInternal[key] = mapping;
        _byExternal[external] = mapping;
        ForgetExpired(now);
        return true;
    }

    // Every live mapping has a flow or had one a lifetime ago: twice the sessions is more than can be alive.
    private void ForgetExpired(Timestamp now)
    {
        if (_byExternal.Count + _byInternal.Count <= 2 * Behavior.MaxSessions) return;
        foreach (var (key, mapping) in _byInternal) if (mapping.Expires <= now) _byInternal.Remove(key);
        foreach (var (key, mapping) in _byExternal) if (mapping.Expires <= now) _byExternal.Remove(key);
    }

    private bool TryChooseExternal(FlowTuple tuple, Timestamp now, out Endpoint external, out bool moved)
    {
        moved = false;
        external = tuple.Source;
        if (!Behavior.Translates) return true;

        if (Behavior.Allocation == PortAllocation.Preserving)
        {
            // nf_nat_core.c, get_unique_tuple: a source that is mapped already keeps that mapping if the reply stays unique …
            if (IsPerConnection && _flows.FindLatestOf(tuple.Source, now)?.Mapping is { } latest)
            {
                external = latest.External;
                if (IsUnique(tuple, external, now)) return true;
            }
            // … else the port stays what it was if the reply stays unique …
            external = new Endpoint(ExternalAddress, tuple.Source.Port);
            if (IsFree(tuple, external, now)) return true;
            moved = true; // … else a random one is searched.
        }

        if (!_ports.TryAllocate(tuple.Source.Address, port => IsFree(tuple, new Endpoint(ExternalAddress, port), now), out var allocated)) return false;
        external = new Endpoint(ExternalAddress, allocated);
        return true;
    }

    // Connections of different peers can share an external port; a mapping that serves several peers owns its port.
    private bool IsFree(FlowTuple tuple, Endpoint external, Timestamp now) =>
        IsUnique(tuple, external, now) && ((IsPerConnection && !Behavior.HasExclusivePorts) || FindExternal(external, now) is null);

    private bool IsUnique(FlowTuple tuple, Endpoint external, Timestamp now) =>
        _flows.Find(new FlowTuple(tuple.Destination, external), now) is null;

    private Mapping? FindExternal(Endpoint external, Timestamp now) =>
        _byExternal.TryGetValue(external, out var mapping) && mapping.Expires > now ? mapping : null;

    private void Touch(Flow flow, FlowTuple tuple, Timestamp now, bool extends)
    {
        if (tuple == flow.Reply) flow.Replies++;
        if (!extends) return;
        flow.Expires = now + (flow.Replies > 0 && now - flow.Began >= Behavior.StreamAge ? Behavior.MappingLifetime : Behavior.UnrepliedLifetime);
        if (flow.Mapping is not { } mapping) return;
        var remote = flow.Original.Source == mapping.Internal ? flow.Original.Destination : flow.Original.Source;
        // Only conntrack's own flows know of an answer; a mapping that serves several peers has one lifetime.
        mapping.Extend(remote.Address, IsPerConnection ? flow.Expires : now + Behavior.MappingLifetime);
    }
}
