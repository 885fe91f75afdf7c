using System.Buffers.Binary;
using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tcp;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests;

/// <summary>The file is read back block by block, as draft-ietf-opsawg-pcapng §3 and §4 say.</summary>
public sealed class PcapngTests
{
    [Fact]
    public void Every_place_is_an_interface_and_every_packet_is_there_at_its_time()
    {
        var host = new ScriptedHost();
        var file = Capture(internet =>
        {
            internet.AddMachine("a1", internet.AddSite("a", NatBehavior.PortRestricted)).Bind(5000, host);
            host.Send(internet.AddServer("s1").At(3478), [1, 2, 3]);
            internet.RunFor(TimeSpan.FromSeconds(1));
        });

        Assert.Equal(["a1", "a-gw", "s1"], file.Interfaces);
        Assert.Equal("seed 17", file.SectionComment);
        Assert.Equal(
        [
            "a1 0.0000000 192.168.1.10:5000 > 203.0.113.10:3478 ttl 64: 010203 (Sent)",
            "a-gw 0.0000000 198.51.100.11:5000 > 203.0.113.10:3478 ttl 63: 010203 (a-gw: MappingCreated 192.168.1.10:5000 > 198.51.100.11:5000, Forwarded)",
            "s1 0.0100000 198.51.100.11:5000 > 203.0.113.10:3478 ttl 62: 010203 (NoListener)",
        ],
        file.Packets);
    }

    [Fact] // RFC 768: where the checksum holds, the sum over pseudo header, header and data is all ones
    public void Checksums_hold_for_both_families_and_odd_lengths()
    {
        foreach (var (source, destination) in (ReadOnlySpan<(string, string)>)[("192.0.2.1:1000", "198.51.100.2:2000"), ("[2001:db8::1]:1000", "[2001:db8::2]:2000")])
        {
            foreach (var length in (ReadOnlySpan<int>)[0, 1, 2, 1200])
            {
                var payload = new byte[length];
                Array.Fill(payload, (byte)0xa5);
                var (from, to) = (Endpoint.Parse(source), Endpoint.Parse(destination));
                var packet = IpPacket.Write(from, to, 64, payload);
                var header = packet.Length - length - IpPacket.UdpHeaderLength;
                Assert.Equal(from.IsIPv4 ? 20 : 40, header);
                if (from.IsIPv4) Assert.Equal(0xffff, Sum(packet.AsSpan(0, header)));
                Assert.Equal(0xffff, Sum([.. packet.AsSpan(header - (2 * from.AddressLength)), .. new byte[length % 2], 0, 17, .. BigEndian(packet.Length - header)]));
            }
        }
    }

    [Fact] // RFC 9293 §3.1, likewise
    public void A_TCP_segments_checksum_holds_and_its_header_is_the_traces()
    {
        var (from, to) = (Endpoint.Parse("192.0.2.1:1000"), Endpoint.Parse("198.51.100.2:2000"));
        var packet = IpPacket.Write(from, to, 64, [0xa5, 0xa5, 0xa5], new TcpHeader(TcpFlags.Syn | TcpFlags.Acknowledgment, 0x01020304, 0x05060708));
        var segment = packet.AsSpan(IpPacket.IPv4HeaderLength);
        Assert.Equal(6, packet[9]);
        Assert.Equal<byte>([0x03, 0xe8, 0x07, 0xd0, 1, 2, 3, 4, 5, 6, 7, 8, 0x50, 0x12], segment[..14].ToArray());
        Assert.Equal(0xffff, Sum([.. packet.AsSpan(12), 0, 0, 6, .. BigEndian(segment.Length)]));
    }

    [Fact]
    public void Messages_of_a_channel_are_no_packets()
    {
        var file = Capture(internet =>
        {
            var channel = internet.OpenChannel("a1", "s1", TimeSpan.FromMilliseconds(5));
            channel.First.Send([1]);
            internet.RunFor(TimeSpan.FromSeconds(1));
            channel.Break();
        });
        Assert.Empty(file.Interfaces);
        Assert.Empty(file.Packets);
    }

    private static CaptureFile Capture(Action<VirtualInternet> scenario)
    {
        using var internet = new VirtualInternet(17);
        scenario(internet);
        using var stream = new MemoryStream();
        PcapngWriter.Write(internet.Trace, $"seed {internet.Seed}", stream);
        return CaptureFile.Read(stream.ToArray());
    }

    private static byte[] BigEndian(int value) => [(byte)(value >> 8), (byte)value];

    // One's complement, by the other way of computing it: carries at once.
    private static int Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0;
        for (var i = 0; i < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
            if (sum > 0xffff) sum -= 0xffff;
        }
        return sum;
    }

    private sealed record CaptureFile(string SectionComment, List<string> Interfaces, List<string> Packets)
    {
        public static CaptureFile Read(ReadOnlySpan<byte> bytes)
        {
            var file = new CaptureFile("", [], []);
            var isFirst = true;
            while (!bytes.IsEmpty)
            {
                var type = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
                var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
                Assert.Equal(0, length % 4);
                Assert.Equal(length, BinaryPrimitives.ReadInt32LittleEndian(bytes[(length - 4)..]));
                Assert.Equal(isFirst, type == PcapngWriter.SectionHeader);
                isFirst = false;
                var body = bytes[8..(length - 4)];
                switch (type)
                {
                    case PcapngWriter.SectionHeader:
                        Assert.Equal(0x1a2b3c4du, BinaryPrimitives.ReadUInt32LittleEndian(body));
                        Assert.Equal(1, BinaryPrimitives.ReadUInt16LittleEndian(body[4..]));
                        file = file with { SectionComment = Text(Options(body[16..]), PcapngWriter.Comment) };
                        break;
                    case PcapngWriter.InterfaceDescription:
                        Assert.Equal(101, BinaryPrimitives.ReadUInt16LittleEndian(body));
                        Assert.Equal([7], Options(body[8..]).Single(option => option.Code == PcapngWriter.TimeResolution).Value);
                        file.Interfaces.Add(Text(Options(body[8..]), PcapngWriter.InterfaceName));
                        break;
                    default:
                        Assert.Equal(PcapngWriter.EnhancedPacket, type);
                        file.Packets.Add(Describe(file.Interfaces, body));
                        break;
                }
                bytes = bytes[length..];
            }
            return file;
        }

        private static string Describe(List<string> interfaces, ReadOnlySpan<byte> body)
        {
            var place = interfaces[BinaryPrimitives.ReadInt32LittleEndian(body)];
            var ticks = ((long)BinaryPrimitives.ReadUInt32LittleEndian(body[4..]) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(body[8..]);
            var length = BinaryPrimitives.ReadInt32LittleEndian(body[12..]);
            Assert.Equal(length, BinaryPrimitives.ReadInt32LittleEndian(body[16..]));
            var packet = body.Slice(20, length);
            Assert.Equal(length, BinaryPrimitives.ReadUInt16BigEndian(packet[2..]));
            Assert.Equal(length - 20, BinaryPrimitives.ReadUInt16BigEndian(packet[24..]));
            var source = Endpoint.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(packet[12..]), BinaryPrimitives.ReadUInt16BigEndian(packet[20..]));
            var destination = Endpoint.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(packet[16..]), BinaryPrimitives.ReadUInt16BigEndian(packet[22..]));
            var comments = Options(body[(20 + ((length + 3) & ~3))..]).Where(option => option.Code == PcapngWriter.Comment).Select(option => Encoding.UTF8.GetString(option.Value));
            return $"{place} {ticks / 1e7:F7} {source} > {destination} ttl {packet[8]}: {Convert.ToHexStringLower(packet[28..])} ({string.Join(", ", comments)})";
        }

        private static string Text(List<(ushort Code, byte[] Value)> options, ushort code) => Encoding.UTF8.GetString(options.Single(option => option.Code == code).Value);

        private static List<(ushort Code, byte[] Value)> Options(ReadOnlySpan<byte> bytes)
        {
            var options = new List<(ushort, byte[])>();
            while (true)
            {
                var code = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
                var length = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
                if (code == PcapngWriter.EndOfOptions)
                {
                    Assert.Equal(4, bytes.Length);
                    return options;
                }
                options.Add((code, bytes.Slice(4, length).ToArray()));
                bytes = bytes[(4 + ((length + 3) & ~3))..];
            }
        }
    }
}
