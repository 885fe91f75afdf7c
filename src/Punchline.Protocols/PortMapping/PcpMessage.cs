using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.PortMapping;

/// <summary>What a mapping carries, by the numbers of IANA's protocol registry, as PCP has them.</summary>
internal enum MappedTransport : byte
{
    Tcp = 6,
    Udp = 17,
}

/// <summary>RFC 6887 §7.4.</summary>
internal enum PcpResult : byte
{
    Success = 0,
    UnsupportedVersion = 1,
    NotAuthorized = 2,
    MalformedRequest = 3,
    UnsupportedOpcode = 4,
    UnsupportedOption = 5,
    MalformedOption = 6,
    NetworkFailure = 7,
    NoResources = 8,
    UnsupportedProtocol = 9,
    UserExceededQuota = 10,
    CannotProvideExternal = 11,
    AddressMismatch = 12,
    ExcessiveRemotePeers = 13,
}

/// <summary>What ties a mapping to who asked for it (RFC 6887 §11.1): nobody else can renew or delete it.</summary>
internal readonly record struct PcpNonce(ulong High, uint Low)
{
    public static PcpNonce Generate(IRandomSource random) => new(random.NextUInt64(), (uint)random.NextUInt64());
}

/// <summary>A request for a mapping, or with a lifetime of zero for its end (RFC 6887 §7.1, §11.1).</summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Version = 2  |0|  Opcode = 1 |         Reserved              |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                 Requested Lifetime (32 bits)                  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |            PCP Client's IP Address (128 bits)                 |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                 Mapping Nonce (96 bits)                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Protocol    |          Reserved (24 bits)                   |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        Internal Port          |    Suggested External Port    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |           Suggested External IP Address (128 bits)            |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code>
/// IPv4 addresses stand in their IPv4-mapped form. PREFER_FAILURE (§13.2) is left out: a mapping at another port serves as well.
/// </remarks>
/// <param name="Client">Our address, as the packet's source will have it.</param>
/// <param name="Nonce">The mapping's.</param>
/// <param name="Transport">UDP or TCP.</param>
/// <param name="InternalPort">Ours.</param>
/// <param name="Suggested">The external endpoint that we would like, or had; port 0 for any.</param>
/// <param name="Seconds">The lifetime asked for; 0 deletes.</param>
internal readonly record struct PcpMapRequest(
    UInt128 Client, PcpNonce Nonce, MappedTransport Transport, ushort InternalPort, Endpoint Suggested, uint Seconds)
{
    public const int Length = 60;

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public int Write(Span<byte> destination)
    {
        var writer = new SpanWriter(destination);
        writer.WriteByte(PcpMapResponse.Version);
        writer.WriteByte(PcpMapResponse.MapOpcode);
        writer.WriteUInt16(0);
        writer.WriteUInt32(Seconds);
        WriteAddress(ref writer, Client);
        writer.WriteUInt64(Nonce.High);
        writer.WriteUInt32(Nonce.Low);
        writer.WriteByte((byte)Transport);
        writer.WriteZeros(3);
        writer.WriteUInt16(InternalPort);
        writer.WriteUInt16(Suggested.Port);
        WriteAddress(ref writer, Suggested.Address);
        return writer.Length;
    }

    private static void WriteAddress(ref SpanWriter writer, UInt128 address)
    {
        writer.WriteUInt64((ulong)(address >> 64));
        writer.WriteUInt64((ulong)address);
    }
}

/// <summary>The answer to a <see cref="PcpMapRequest"/> (RFC 6887 §7.2, §11.1).</summary>
/// <remarks><code>
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  Version = 2  |1|  Opcode = 1 |   Reserved    |  Result Code  |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      Lifetime (32 bits)                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                     Epoch Time (32 bits)                      |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                      Reserved (96 bits)                       |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |  then as in the request, with the assigned endpoint in place of the suggested one
/// </code></remarks>
internal readonly record struct PcpMapResponse(
    PcpResult Result, uint Seconds, uint Epoch, PcpNonce Nonce, MappedTransport Transport, ushort InternalPort, Endpoint External)
{
    public const byte Version = 2;
    public const byte MapOpcode = 1;

    /// <summary>Of the gateway (RFC 6887 §19.1; RFC 6886 §3.1 has the same).</summary>
    public const ushort ServerPort = 5351;

    /// <summary>RFC 6887 §7: bytes of a PCP message, at most.</summary>
    public const int MaxLength = 1_100;

    private const byte ResponseBit = 0x80;

    /// <summary>False for anything but a response of this version to a MAP request.</summary>
    public static bool TryRead(ReadOnlySpan<byte> datagram, out PcpMapResponse response)
    {
        response = default;
        // RFC 6887 §8.3: shorter than a request, longer than 1,100 or no multiple of 4 is dropped. Options behind are not ours.
        if (datagram.Length < PcpMapRequest.Length || datagram.Length > MaxLength || datagram.Length % 4 != 0) return false;
        var reader = new SpanReader(datagram);
        if (!reader.TryReadByte(out var version) || version != Version) return false;
        if (!reader.TryReadByte(out var opcode) || opcode != (ResponseBit | MapOpcode)) return false;
        if (!reader.TryReadByte(out _) || !reader.TryReadByte(out var result)) return false;
        if (!reader.TryReadUInt32(out var seconds) || !reader.TryReadUInt32(out var epoch) || !reader.TryReadBytes(12, out _)) return false;
        if (!reader.TryReadUInt64(out var high) || !reader.TryReadUInt32(out var low)) return false;
        if (!reader.TryReadByte(out var transport) || !reader.TryReadBytes(3, out _)) return false;
        if (!reader.TryReadUInt16(out var internalPort) || !reader.TryReadUInt16(out var externalPort)) return false;
        if (!reader.TryReadBytes(16, out var address) || !Endpoint.TryFromBytes(address, externalPort, out var external)) return false;
        response = new PcpMapResponse((PcpResult)result, seconds, epoch, new PcpNonce(high, low), (MappedTransport)transport, internalPort, external);
        return true;
    }
}
