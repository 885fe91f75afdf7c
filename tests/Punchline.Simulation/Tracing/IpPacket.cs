using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Tracing;

/// <summary>
/// A simulated datagram as it would be on a wire: an IP header (RFC 791 §3.1, RFC 8200 §3), a UDP header (RFC 768), the payload.
/// <code>
/// IPv4: 0x45 | 0 | total length 2 | id 2 | don't fragment, offset 2 | time-to-live | 17 | checksum 2 | source 4 | destination 4
/// IPv6: 0x6 and zeros 4 | payload's length 2 | 17 | hop limit | source 16 | destination 16
/// UDP:  source port 2 | destination port 2 | length 2 | checksum 2
/// </code>
/// </summary>
internal static class IpPacket
{
    public const int IPv4HeaderLength = 20;
    public const int IPv6HeaderLength = 40;
    public const int UdpHeaderLength = 8;

    private const byte Udp = 17;
    private const ushort DontFragment = 0x4000;
    private const int IPv4ChecksumOffset = 10;
    private const int UdpChecksumOffset = 6;

    public static byte[] Write(Endpoint source, Endpoint destination, byte timeToLive, ReadOnlySpan<byte> payload)
    {
        var udpLength = UdpHeaderLength + payload.Length;
        var header = source.IsIPv4 ? IPv4HeaderLength : IPv6HeaderLength;
        var packet = new byte[header + udpLength];
        var writer = new SpanWriter(packet);
        if (source.IsIPv4)
        {
            writer.WriteByte(0x45);
            writer.WriteByte(0);
            writer.WriteUInt16((ushort)packet.Length);
            writer.WriteUInt16(0);
            writer.WriteUInt16(DontFragment);
            writer.WriteByte(timeToLive);
            writer.WriteByte(Udp);
            writer.WriteUInt16(0);
        }
        else
        {
            writer.WriteUInt32(0x6000_0000);
            writer.WriteUInt16((ushort)udpLength);
            writer.WriteByte(Udp);
            writer.WriteByte(timeToLive);
        }
        var addresses = writer.Length;
        writer.Advance(source.WriteAddress(writer.Free));
        writer.Advance(destination.WriteAddress(writer.Free));
        if (source.IsIPv4) BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(IPv4ChecksumOffset), Fold(Sum(packet.AsSpan(0, IPv4HeaderLength))));
        writer.WriteUInt16(source.Port);
        writer.WriteUInt16(destination.Port);
        writer.WriteUInt16((ushort)udpLength);
        writer.WriteUInt16(0);
        writer.WriteBytes(payload);

        // RFC 768: over a pseudo header of both addresses, the protocol and the length, then header and data. Zero is sent as all ones.
        var checksum = Fold(Sum(packet.AsSpan(addresses)) + Udp + (uint)udpLength);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(header + UdpChecksumOffset), checksum == 0 ? ushort.MaxValue : checksum);
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
