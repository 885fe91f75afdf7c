using System.Buffers.Binary;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tcp;

namespace Punchline.Simulation.Tracing;

/// <summary>
/// A simulated packet as it would be on a wire: an IP header (RFC 791 §3.1, RFC 8200 §3), a UDP (RFC 768) or TCP header (RFC 9293 §3.1), the payload.
/// <code>
/// IPv4: 0x45 | 0 | total length 2 | id 2 | don't fragment, offset 2 | time-to-live | 17 or 6 | checksum 2 | source 4 | destination 4
/// IPv6: 0x6 and zeros 4 | payload's length 2 | 17 or 6 | hop limit | source 16 | destination 16
/// UDP:  source port 2 | destination port 2 | length 2 | checksum 2
/// TCP:  source port 2 | destination port 2 | sequence 4 | acknowledgment 4 | 0x50 | flags | window 2 | checksum 2 | 0 (2)
/// </code>
/// </summary>
internal static class IpPacket
{
    public const int IPv4HeaderLength = 20;
    public const int IPv6HeaderLength = 40;
    public const int UdpHeaderLength = 8;
    public const int TcpHeaderLength = 20;

    private const byte Udp = 17;
    private const byte Tcp = 6;
    private const ushort DontFragment = 0x4000;
    private const int IPv4ChecksumOffset = 10;
    private const int UdpChecksumOffset = 6;
    private const int TcpChecksumOffset = 16;

    public static byte[] Write(Endpoint source, Endpoint destination, byte timeToLive, ReadOnlySpan<byte> payload, TcpHeader? tcp = null)
    {
        var protocol = tcp is null ? Udp : Tcp;
        var length = (tcp is null ? UdpHeaderLength : TcpHeaderLength) + payload.Length;
        var header = source.IsIPv4 ? IPv4HeaderLength : IPv6HeaderLength;
        var packet = new byte[header + length];
        var writer = new SpanWriter(packet);
        if (source.IsIPv4)
        {
            writer.WriteByte(0x45);
            writer.WriteByte(0);
            writer.WriteUInt16((ushort)packet.Length);
            writer.WriteUInt16(0);
            writer.WriteUInt16(DontFragment);
            writer.WriteByte(timeToLive);
            writer.WriteByte(protocol);
            writer.WriteUInt16(0);
        }
        else
        {
            writer.WriteUInt32(0x6000_0000);
            writer.WriteUInt16((ushort)length);
            writer.WriteByte(protocol);
            writer.WriteByte(timeToLive);
        }
        var addresses = writer.Length;
        writer.Advance(source.WriteAddress(writer.Free));
        writer.Advance(destination.WriteAddress(writer.Free));
        if (source.IsIPv4) BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(IPv4ChecksumOffset), Fold(Sum(packet.AsSpan(0, IPv4HeaderLength))));
        writer.WriteUInt16(source.Port);
        writer.WriteUInt16(destination.Port);
        if (tcp is { } segment)
        {
            writer.WriteUInt32(segment.Sequence);
            writer.WriteUInt32(segment.Acknowledgment);
            writer.WriteByte(0x50);
            writer.WriteByte((byte)segment.Flags);
            writer.WriteUInt16(ushort.MaxValue);
            writer.WriteUInt32(0);
        }
        else
        {
            writer.WriteUInt16((ushort)length);
            writer.WriteUInt16(0);
        }
        writer.WriteBytes(payload);

        // RFC 768, RFC 9293 §3.1: over a pseudo header of both addresses, the protocol and the length, then header and data. UDP sends zero as all ones.
        var checksum = Fold(Sum(packet.AsSpan(addresses)) + protocol + (uint)length);
        var offset = header + (tcp is null ? UdpChecksumOffset : TcpChecksumOffset);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(offset), checksum == 0 && tcp is null ? ushort.MaxValue : checksum);
        return packet;
    }

    // RFC 1071 §1: the sum of 16-bit words, the last one padded with a zero. At most 32,768 words: it fits.
    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (var i = 0; i + 1 < bytes.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        return bytes.Length % 2 == 0 ? sum : sum + ((uint)bytes[^1] << 8);
    }

    // Carries are added back in, and the complement is what is sent.
    private static ushort Fold(uint sum)
    {
        while (sum > ushort.MaxValue) sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }
}
