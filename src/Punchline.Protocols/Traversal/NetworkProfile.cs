using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>On what the external endpoint of a socket depends (RFC 4787 §4.1). The numbers are on the wire.</summary>
internal enum MappingBehavior : byte
{
    Unknown = 0,

    /// <summary>On nothing: every destination sees the same.</summary>
    EndpointIndependent = 1,

    /// <summary>On the destination's address.</summary>
    AddressDependent = 2,

    /// <summary>On its address and port.</summary>
    AddressAndPortDependent = 3,

    /// <summary>Not on the port. Whether on the address, servers at one address cannot tell.</summary>
    NotPortDependent = 4,
}

/// <summary>How a router chooses the external port of a new mapping (RFC 4787 §4.2). The numbers are on the wire.</summary>
internal enum PortAllocation : byte
{
    Unknown = 0,

    /// <summary>The internal port.</summary>
    Preserved = 1,

    /// <summary>The last one and a step.</summary>
    Sequential = 2,

    /// <summary>Any of a known range: of all ports, or of the block that a carrier gives a subscriber (RFC 7422).</summary>
    Random = 3,
}

/// <summary>
/// What is known of how a network treats UDP: unknown is not no. In an introduction it is written as
/// <code>
/// mapping (1) | allocation (1) | step (1, signed) | first port (2) | last port (2) | TCP mapping (1)
/// </code>
/// and what follows is a later version's. The last byte may be missing.
/// </summary>
internal sealed record NetworkProfile
{
    /// <summary>Ports of a router that gives out all but the system's (RFC 6335 §6).</summary>
    public const ushort LowestPort = 1024;

    /// <summary>Bytes of a profile in an introduction.</summary>
    public const int Length = 8;

    public static NetworkProfile Unknown { get; } = new();

    public MappingBehavior Mapping { get; init; }

    public PortAllocation Allocation { get; init; }

    /// <summary>TCP's, which decides whether it may still be a way where UDP is none.</summary>
    public MappingBehavior TcpMapping { get; init; }

    /// <summary>From one port to the next, where <see cref="Allocation"/> is sequential; else 0.</summary>
    public sbyte Step { get; init; }

    /// <summary>The first port that a new mapping may get.</summary>
    public ushort FirstPort { get; init; } = LowestPort;

    /// <summary>The last one.</summary>
    public ushort LastPort { get; init; } = ushort.MaxValue;

    public int Ports => LastPort - FirstPort + 1;

    /// <summary>Every destination sees another port.</summary>
    public bool IsSymmetric => Mapping is MappingBehavior.AddressDependent or MappingBehavior.AddressAndPortDependent;

    /// <summary>Of TCP's ports, too, every destination sees another.</summary>
    public bool IsTcpSymmetric => TcpMapping is MappingBehavior.AddressDependent or MappingBehavior.AddressAndPortDependent;

    /// <summary>It may be so, for all that servers at one address can tell. A router that preserves ports gives the same to everybody.</summary>
    public bool MayBeSymmetric => Mapping == MappingBehavior.NotPortDependent && Allocation is not PortAllocation.Preserved;

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)Mapping);
        writer.WriteByte((byte)Allocation);
        writer.WriteByte((byte)Step);
        writer.WriteUInt16(FirstPort);
        writer.WriteUInt16(LastPort);
        writer.WriteByte((byte)TcpMapping);
    }

    /// <summary>Reads what <see cref="Write"/> wrote. Values that a later version may have are unknown; false where it is cut off or has no port.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out NetworkProfile profile)
    {
        profile = Unknown;
        var reader = new SpanReader(value);
        if (!reader.TryReadByte(out var mapping) || !reader.TryReadByte(out var allocation) || !reader.TryReadByte(out var step)
            || !reader.TryReadUInt16(out var first) || !reader.TryReadUInt16(out var last) || first > last) return false;
        profile = new NetworkProfile
        {
            Mapping = MappingOf(mapping),
            TcpMapping = reader.TryReadByte(out var tcp) ? MappingOf(tcp) : MappingBehavior.Unknown,
            Allocation = allocation <= (byte)PortAllocation.Random ? (PortAllocation)allocation : PortAllocation.Unknown,
            Step = (sbyte)step,
            FirstPort = first,
            LastPort = last,
        };
        return true;
    }

    private static MappingBehavior MappingOf(byte value) => value <= (byte)MappingBehavior.NotPortDependent ? (MappingBehavior)value : MappingBehavior.Unknown;
}
