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
internal sealed class Flow(FlowTuple original, FlowTuple reply, Mapping? mapping)
{
    public FlowTuple Original { get; } = original;

    public FlowTuple Reply { get; } = reply;

    /// <summary>Null for a flow that ends at the router itself.</summary>
    public Mapping? Mapping { get; } = mapping;

    public Timestamp Expires { get; set; }

    public bool SeenReply { get; set; }

    /// <summary>TCP: the sequence number of the last SYN of the side that began, and of the other.</summary>
    public (uint? Original, uint? Reply) Syns { get; set; }

    public FlowTuple Translate(FlowTuple tuple) => tuple == Original ? Reply.Inverse : Original.Inverse;
}

/// <summary>An internal endpoint's external one, and who may come in by it.</summary>
internal sealed class Mapping(Endpoint @internal, Endpoint external)
{
    // Remote addresses that the internal endpoint sent to, for address-dependent filtering; as many as flows, at most.
    private readonly Dictionary<UInt128, Timestamp> _permitted = [];

    public Endpoint Internal { get; } = @internal;

    public Endpoint External { get; } = external;

    public Timestamp Expires { get; private set; }

    public void Extend(UInt128 remoteAddress, Timestamp expires)
    {
        Expires = Timestamp.Max(Expires, expires);
        _permitted[remoteAddress] = Timestamp.Max(_permitted.GetValueOrDefault(remoteAddress), expires);
    }

    public bool Permits(UInt128 remoteAddress, Timestamp now) => _permitted.GetValueOrDefault(remoteAddress) > now;
}
