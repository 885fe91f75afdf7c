using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Nat;

/// <summary>Source and destination of a packet: what a router recognises a flow by.</summary>
internal readonly record struct FlowTuple(Endpoint Source, Endpoint Destination)
{
    public FlowTuple Inverse => new(Destination, Source);

    // The generated text would follow Inverse for ever.
    public override string ToString() => $"{Source} > {Destination}";
}

/// <summary>
/// What conntrack keeps of a flow: the tuple that its first packet came with, and the one that an answer will come with. A
/// packet that matches one is rewritten to the inverse of the other, which is all that translation is.
/// </summary>
/// <param name="original">Of the first packet.</param>
/// <param name="reply">Of what answers it.</param>
/// <param name="mapping">Null for a flow that ends at the router itself.</param>
/// <param name="began">When that packet came.</param>
internal sealed class Flow(FlowTuple original, FlowTuple reply, Mapping? mapping, Timestamp began)
{
    public Timestamp Began { get; } = began;

    public FlowTuple Original { get; } = original;

    public FlowTuple Reply { get; } = reply;

    /// <summary>Null for a flow that ends at the router itself.</summary>
    public Mapping? Mapping { get; } = mapping;

    public Timestamp Expires
    {
        get => Mapping switch
        {
            null => field,
            { IsEvicted: true } => default,
            _ => Timestamp.Min(field, Mapping.Dies),
        };
        set;
    }

    /// <summary>Packets that came the other way.</summary>
    public int Replies { get; set; }

    /// <summary>TCP: the sequence number of the last SYN of the side that began, and of the other.</summary>
    public (uint? Original, uint? Reply) Syns { get; set; }

    public FlowTuple Translate(FlowTuple tuple) => tuple == Original ? Reply.Inverse : Original.Inverse;
}

/// <summary>An internal endpoint's external one, and who may come in by it.</summary>
/// <param name="internal">The inside endpoint.</param>
/// <param name="external">What the destinations see.</param>
/// <param name="dies">The end of its life, however often it is extended.</param>
internal sealed class Mapping(Endpoint @internal, Endpoint external, Timestamp dies)
{
    // Remote addresses that the internal endpoint sent to, for address-dependent filtering; as many as flows, at most.
    private readonly Dictionary<UInt128, Timestamp> _permitted = [];

    public Endpoint Internal { get; } = @internal;

    public Endpoint External { get; } = external;

    public Timestamp Expires { get; private set; }

    public Timestamp Dies { get; } = dies;

    /// <summary>Ended before its time.</summary>
    public bool IsEvicted { get; private set; }

    public void Evict() => (IsEvicted, Expires) = (true, default);

    public void Extend(UInt128 remoteAddress, Timestamp expires)
    {
        expires = Timestamp.Min(expires, Dies);
        Expires = Timestamp.Max(Expires, expires);
        _permitted[remoteAddress] = Timestamp.Max(_permitted.GetValueOrDefault(remoteAddress), expires);
    }

    public bool Permits(UInt128 remoteAddress, Timestamp now) => _permitted.GetValueOrDefault(remoteAddress) > now;
}
