using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>A mapping that the gateway granted.</summary>
/// <param name="Protocol">By which.</param>
/// <param name="External">Where the world reaches us by it.</param>
/// <param name="Expires">When the gateway forgets it.</param>
internal sealed record PortLease(PortMappingProtocol Protocol, Endpoint External, Timestamp Expires);

/// <summary>A port of ours that is to be mapped, by whichever protocol does it first.</summary>
internal sealed class MappingSlot(MappedTransport transport, ushort internalPort, PcpNonce nonce)
{
    /// <summary>
    /// The lease that is asked for. A process that is killed leaves its mapping behind for so long at most, and a gateway that lost its
    /// mappings without a sign is noticed in five eighths of it; for that, two packets every five minutes are little.
    /// </summary>
    public static readonly TimeSpan WantedLease = TimeSpan.FromMinutes(10);

    /// <summary>A shorter lease counts as none: it would come and go, and every peer would hear of it.</summary>
    public static readonly TimeSpan ShortestLease = TimeSpan.FromMinutes(1);

    /// <summary>A longer one counts as that long (RFC 6887 §15): it is renewed long before.</summary>
    public static readonly TimeSpan LongestLease = TimeSpan.FromHours(24);

    public MappedTransport Transport { get; } = transport;

    public ushort InternalPort { get; } = internalPort;

    public PcpNonce Nonce { get; } = nonce;

    public PortLease? Lease { get; private set; }

    /// <summary>The external port to ask for: the last one that was granted, at first our own.</summary>
    public ushort SuggestedPort { get; set; } = internalPort;

    public void Grant(PortMappingProtocol protocol, Endpoint external, Timestamp expires)
    {
        SuggestedPort = external.Port;
        Lease = new PortLease(protocol, external, expires);
    }

    public void Clear() => Lease = null;

    public bool IsHeldBy(PortMappingProtocol protocol) => Lease?.Protocol == protocol;

    /// <summary>Whether an external endpoint that a gateway names can be one.</summary>
    public static bool IsUsable(Endpoint external) => external is { IsIPv4: true, Port: not 0 } && IsUsableAddress(external);

    /// <summary>Without its port.</summary>
    public static bool IsUsableAddress(Endpoint external) =>
        external.IsIPv4
        && !Traversal.AddressScope.IsUnspecified(external)
        && !Traversal.AddressScope.IsLoopback(external)
        && !Traversal.AddressScope.IsMulticastOrBroadcast(external)
        && !Traversal.AddressScope.IsLinkLocal(external);
}
