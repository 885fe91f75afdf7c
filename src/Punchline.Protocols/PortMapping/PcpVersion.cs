namespace Punchline.Protocols.PortMapping;

/// <summary>The negotiation of PCP's versions (RFC 6887 §9).</summary>
internal static class PcpVersion
{
    private const int HeaderLength = 4;
    private const byte ResponseBit = 0x80;

    /// <summary>
    /// RFC 6887 §9: a server that does not know our version answers UNSUPP_VERSION under one that it knows. Version 0 is
    /// NAT-PMP, and read as such (<see cref="NatPmpResponse"/>); of what is between we speak nothing.
    /// </summary>
    public static bool IsRefusal(ReadOnlySpan<byte> datagram) =>
        datagram.Length is >= HeaderLength and <= PcpMapResponse.MaxLength
        && datagram[0] is not (NatPmpResponse.Version or PcpMapResponse.Version)
        && (datagram[1] & ResponseBit) != 0
        && datagram[3] == (byte)PcpResult.UnsupportedVersion;
}
