using System.Text;

namespace Punchline.Simulation.Tracing;

/// <summary>
/// The packets of a trace as a pcapng file (draft-ietf-opsawg-pcapng), for Wireshark and tshark: an interface for each place, time as in the
/// simulation, and what became of a packet as its comment. A packet appears once at each place that it passes, as in a capture of many interfaces.
/// <code>
/// block:  type 4 | length 4 | body, padded to 4 | length 4             all numbers little-endian
/// option: code 2 | length 2 | value, padded to 4                       the last has code 0
///
/// Section Header         0x0a0d0d0a   magic 4 | major 2 | minor 2 | section's length 8 | options
/// Interface Description  1            link type 2 | 0 (2) | longest packet 4 | options
/// Enhanced Packet        6            interface 4 | time, high 4 | time, low 4 | captured 4 | original 4 | packet, padded | options
/// </code>
/// </summary>
internal static class PcapngWriter
{
    public const string FileExtension = ".pcapng";

    public const uint SectionHeader = 0x0a0d0d0a;
    public const uint InterfaceDescription = 1;
    public const uint EnhancedPacket = 6;

    public const ushort EndOfOptions = 0;
    public const ushort Comment = 1;
    public const ushort InterfaceName = 2;
    public const ushort TimeResolution = 9;

    private const uint ByteOrderMagic = 0x1a2b3c4d;
    private const long UnknownLength = -1;
    private const ushort Application = 4;
    private const ushort PacketFlags = 2;
    private const uint Inbound = 1;
    private const uint Outbound = 2;

    // LINKTYPE_RAW: begins with an IPv4 or IPv6 header, and its first four bits say which.
    private const ushort LinkTypeRaw = 101;

    // Ticks of 100 ns: 10^-7 s.
    private const byte TicksResolution = 7;

    /// <summary>Writes what the trace still has. Messages of reliable channels are no packets, and are in its text only.</summary>
    public static void Write(Trace trace, string comment, Stream destination)
    {
        using var writer = new BinaryWriter(destination, Encoding.UTF8, leaveOpen: true);
        WriteSection(writer, comment);

        var interfaces = new Dictionary<string, uint>(StringComparer.Ordinal);
        var notes = new List<string>();
        foreach (var entry in trace.Recent())
        {
            if (IsNote(entry.Verdict)) notes.Add($"{entry.Place}: {entry.Verdict} {entry.Source} > {entry.Destination}");
            if (!IsPacket(entry.Verdict)) continue;
            if (!interfaces.TryGetValue(entry.Place, out var number))
            {
                number = (uint)interfaces.Count;
                interfaces.Add(entry.Place, number);
                WriteInterface(writer, entry.Place);
            }
            notes.Add(entry.Verdict.ToString());
            WritePacket(writer, number, entry, notes);
            notes.Clear();
        }
    }

    private static bool IsPacket(Verdict verdict) =>
        verdict is not (Verdict.MessageSent or Verdict.MessageDelivered or Verdict.ChannelBroken or Verdict.MappingCreated or Verdict.MappingMoved or Verdict.Rebound);

    // What has no packet of its own stands with the next one: of a mapping, that is the packet that made it.
    private static bool IsNote(Verdict verdict) => verdict is Verdict.MappingCreated or Verdict.MappingMoved or Verdict.Rebound;

    private static void WriteSection(BinaryWriter writer, string comment) => WriteBlock(writer, SectionHeader, body =>
    {
        body.Write(ByteOrderMagic);
        body.Write((ushort)1);
        body.Write((ushort)0);
        body.Write(UnknownLength);
        WriteOption(body, Comment, Encoding.UTF8.GetBytes(comment));
        WriteOption(body, Application, "Punchline.Simulation"u8);
        WriteOption(body, EndOfOptions, []);
    });

    private static void WriteInterface(BinaryWriter writer, string place) => WriteBlock(writer, InterfaceDescription, body =>
    {
        body.Write(LinkTypeRaw);
        body.Write((ushort)0);
        body.Write(0); // no limit
        WriteOption(body, InterfaceName, Encoding.UTF8.GetBytes(place));
        WriteOption(body, TimeResolution, [TicksResolution]);
        WriteOption(body, EndOfOptions, []);
    });

    private static void WritePacket(BinaryWriter writer, uint number, TraceEvent entry, List<string> comments) => WriteBlock(writer, EnhancedPacket, body =>
    {
        var packet = IpPacket.Write(entry.Source, entry.Destination, entry.TimeToLive, entry.Payload.Span, entry.Tcp);
        body.Write(number);
        body.Write((uint)(entry.At.Ticks >> 32));
        body.Write((uint)entry.At.Ticks);
        body.Write(packet.Length);
        body.Write(packet.Length);
        body.Write(packet);
        Pad(body);
        foreach (var comment in comments) WriteOption(body, Comment, Encoding.UTF8.GetBytes(comment));
        if (DirectionOf(entry.Verdict) is { } direction) WriteOption(body, PacketFlags, BitConverter.GetBytes(direction));
        WriteOption(body, EndOfOptions, []);
    });

    private static uint? DirectionOf(Verdict verdict) => verdict switch
    {
        Verdict.Sent => Outbound,
        Verdict.Delivered or Verdict.NoListener => Inbound,
        _ => null,
    };

    private static void WriteOption(BinaryWriter writer, ushort code, ReadOnlySpan<byte> value)
    {
        writer.Write(code);
        writer.Write((ushort)value.Length);
        writer.Write(value);
        Pad(writer);
    }

    private static void WriteBlock(BinaryWriter writer, uint type, Action<BinaryWriter> writeBody)
    {
        using var body = new MemoryStream();
        using (var bodyWriter = new BinaryWriter(body, Encoding.UTF8, leaveOpen: true)) writeBody(bodyWriter);
        var length = (uint)(4 + 4 + body.Length + 4);
        writer.Write(type);
        writer.Write(length);
        writer.Write(body.GetBuffer().AsSpan(0, (int)body.Length));
        writer.Write(length);
    }

    // Of a body, whose beginning is on a boundary of 4.
    private static void Pad(BinaryWriter body)
    {
        while (body.BaseStream.Position % 4 != 0) body.Write((byte)0);
    }
}
