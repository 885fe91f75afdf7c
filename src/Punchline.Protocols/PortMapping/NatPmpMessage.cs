using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>RFC 6886 §3.5.</summary>
internal enum NatPmpResult : ushort
{
    Success = 0,
    UnsupportedVersion = 1,
    NotAuthorized = 2,
    NetworkFailure = 3,
    OutOfResources = 4,
    UnsupportedOpcode = 5,
}

/// <summary>The two requests of NAT-PMP.</summary>
/// <remarks>RFC 6886 §3.2, for the external address:<code>
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Version = 0  |  Opcode = 0   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// §3.3, for a mapping, or with a lifetime and an external port of zero for its end:<code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Version = 0  | Opcode 1 or 2 |           Reserved            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Internal Port          |    Suggested External Port    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |          Requested Port Mapping Lifetime in Seconds           |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code></remarks>
internal static class NatPmpRequest
{
    public const int AddressLength = 2;
    public const int MapLength = 12;

    public static int WriteAddress(Span<byte> destination)
    {
        destination[..AddressLength].Clear();
        return AddressLength;
    }

    public static int WriteMap(Span<byte> destination, MappedTransport transport, ushort internalPort, ushort suggestedPort, uint seconds)
    {
        var writer = new SpanWriter(destination);
        writer.WriteByte(NatPmpResponse.Version);
        writer.WriteByte(OpcodeOf(transport));
        writer.WriteUInt16(0);
        writer.WriteUInt16(internalPort);
        writer.WriteUInt16(suggestedPort);
        writer.WriteUInt32(seconds);
        return writer.Length;
    }

    private static byte OpcodeOf(MappedTransport transport) => transport == MappedTransport.Udp ? NatPmpResponse.MapUdp : NatPmpResponse.MapTcp;
}

/// <summary>An answer of NAT-PMP.</summary>
/// <remarks><code>
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Version = 0  | 128 + Opcode  |          Result Code          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                Seconds Since Start of Epoch                   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///    to opcode 0:  |               External IPv4 Address                          |
///    to 1 and 2:   |        Internal Port          |    Mapped External Port      |
///                  |           Port Mapping Lifetime in Seconds                   |
/// </code>
/// What refuses may end behind the epoch, or the result: RFC 6886 §3.5 has only the latter for other versions.
/// </remarks>
internal readonly record struct NatPmpResponse(byte Opcode, NatPmpResult Result, uint Epoch)
{
    public const byte Version = 0;
    public const byte Address = 0;
    public const byte MapUdp = 1;
    public const byte MapTcp = 2;

    private const byte ResponseBit = 0x80;

    /// <summary>The gateway's, in an answer to <see cref="Address"/>; as an endpoint without a port.</summary>
    public Endpoint ExternalAddress { get; init; }

    public ushort InternalPort { get; init; }

    public ushort ExternalPort { get; init; }

    public uint Seconds { get; init; }

    public MappedTransport Transport => Opcode == MapUdp ? MappedTransport.Udp : MappedTransport.Tcp;

    /// <summary>False for what is no whole answer of NAT-PMP. An opcode that we do not know is only read where it refuses.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out NatPmpResponse response)
    {
        response = default;
        var reader = new SpanReader(datagram);
        if (!reader.TryReadByte(out var version) || version != Version) return false;
        if (!reader.TryReadByte(out var opcode) || opcode < ResponseBit || !reader.TryReadUInt16(out var result)) return false;
        reader.TryReadUInt32(out var epoch);
        response = new NatPmpResponse((byte)(opcode & ~ResponseBit), (NatPmpResult)result, epoch);
        if (response.Result != NatPmpResult.Success) return true;
        switch (response.Opcode)
        {
            case Address:
                if (!reader.TryReadUInt32(out var address)) return false;
                response = response with { ExternalAddress = Endpoint.FromIPv4(address, 0) };
                return true;
            case MapUdp or MapTcp:
                if (!reader.TryReadUInt16(out var internalPort) || !reader.TryReadUInt16(out var externalPort) || !reader.TryReadUInt32(out var seconds)) return false;
                response = response with { InternalPort = internalPort, ExternalPort = externalPort, Seconds = seconds };
                return true;
            default:
                return false;
        }
    }
}
