using FsCheck;
using FsCheck.Fluent;
using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Mdns;

public sealed class DnsMessageTests
{
    private const int Seeds = 20_000;

    private static readonly DnsName Printer = DnsName.Of("My Printer", "_ipp", "_tcp", "local");

    // An own announcement: label "a…a", 192.168.1.10 and 2001:db8::10, port 40,000. By hand, by RFC 1035 §4.1 and RFC 6762 §10.2 and §18.
    private const string Announcement =
        "000084000000000500000000" +
        "0a5f70756e63686c696e65045f756470056c6f63616c00" + "000c" + "0001" + "00001194" + "001d" + "1a6161616161616161616161616161616161616161616161616161" + "c00c" +
        "c02d" + "0021" + "8001" + "00000078" + "0023" + "0000" + "0000" + "9c40" + "1a6161616161616161616161616161616161616161616161616161" + "c01c" +
        "c02d" + "0010" + "8001" + "00001194" + "0001" + "00" +
        "c05c" + "0001" + "8001" + "00000078" + "0004" + "c0a8010a" +
        "c05c" + "001c" + "8001" + "00000078" + "0010" + "20010db8000000000000000000000010";

    [Fact]
    public void An_announcement_of_avahis_is_read()
    {
        Assert.True(DnsMessage.TryRead(AvahiPackets.ServiceAnnouncement, out var message));
        Assert.True(message.IsResponse);
        Assert.Empty(message.Questions);
        Assert.Equal(6, message.Answers.Count);
        Assert.Equal(new DnsRecord.Pointer(DnsName.Of("_ipp", "_tcp", "local"), 4_500, Printer), message.Answers[1]);
        Assert.Equal(new DnsRecord.Service(Printer, 120, 631, DnsName.Of("printer", "local")), message.Answers[2]);
        Assert.Equal(new DnsRecord.Address(DnsName.Of("printer", "local"), 120, Endpoint.Parse("[fe80::5414:beff:fe1a:35b2]:0").Address), message.Answers[3]);
        Assert.Equal(new DnsRecord.Address(DnsName.Of("printer", "local"), 120, Endpoint.Parse("10.9.0.1:0").Address), message.Answers[4]);
        Assert.Equal(new DnsRecord.Pointer(DnsName.Of("_services", "_dns-sd", "_udp", "local"), 4_500, DnsName.Of("_ipp", "_tcp", "local")), message.Answers[5]);
    }

    [Fact]
    public void Probes_of_avahis_are_read()
    {
        Assert.True(DnsMessage.TryRead(AvahiPackets.ServiceProbe, out var service));
        Assert.False(service.IsResponse);
        Assert.Equal([new DnsQuestion(Printer, DnsType.Any, true)], service.Questions);
        Assert.Equal(new DnsRecord.Service(Printer, 120, 631, DnsName.Of("printer", "local")), service.Authorities[0]);

        Assert.True(DnsMessage.TryRead(AvahiPackets.HostProbe, out var host));
        Assert.Equal((3, 0, 4, 0), (host.Questions.Count, host.Answers.Count, host.Authorities.Count, host.Additionals.Count));
        Assert.Equal(DnsName.Of("1", "0", "9", "10", "in-addr", "arpa"), host.Questions[2].Name);
    }

    [Fact]
    public void An_announcement_is_written_with_its_names_compressed()
    {
        var network = new MdnsNetwork(2, [new(Endpoint.Parse("192.168.1.10:40000"), 24), new(Endpoint.Parse("[2001:db8::10]:40000"), 64)]);
        var buffer = new byte[MdnsService.MaxSent];
        var writer = new DnsMessageWriter(buffer, isResponse: true);
        MdnsNames.Of(new string('a', RoomLabel.TextLength)).WriteRecords(ref writer, network, isGoodbye: false);
        Assert.Equal(Announcement, Convert.ToHexStringLower(buffer[..writer.Length]));

        Assert.True(DnsMessage.TryRead(buffer.AsSpan(0, writer.Length), out var message));
        var names = MdnsNames.Of(new string('a', RoomLabel.TextLength));
        Assert.Equal(new DnsRecord.Pointer(MdnsService.Name, 4_500, names.Instance), message.Answers[0]);
        Assert.Equal(new DnsRecord.Service(names.Instance, 120, 40_000, names.Host), message.Answers[1]);
        Assert.Equal([Endpoint.Parse("192.168.1.10:0").Address, Endpoint.Parse("[2001:db8::10]:0").Address], message.Answers.OfType<DnsRecord.Address>().Select(a => a.Value));
    }

    // A header with one question, then what its name is.
    [Theory]
    [InlineData("c00c")] // to itself
    [InlineData("c00e0001")] // forwards
    [InlineData("0161c00c")] // to its own front: a circle
    [InlineData("c000")] // to the header, whose first byte is a root label: but the pointer's name is then cut short of its type
    [InlineData("40")] // RFC 6891 §5's extended label, which nobody uses
    [InlineData("80")]
    [InlineData("0561")] // a label longer than the message
    [InlineData("c0")] // half a pointer
    [InlineData("")]
    public void A_name_that_leads_nowhere_is_no_message(string name) =>
        Assert.False(DnsMessage.TryRead(Convert.FromHexString("000000000001000000000000" + name), out _));

    [Fact]
    public void A_name_of_255_bytes_is_read_and_one_of_256_is_not()
    {
        var label = "3f" + string.Concat(Enumerable.Repeat("61", 63));
        var header = "000000000001000000000000";
        var longest = header + label + label + label + "3d" + string.Concat(Enumerable.Repeat("61", 61)) + "00" + "000c0001";
        Assert.True(DnsMessage.TryRead(Convert.FromHexString(longest), out var message));
        Assert.Equal(DnsName.MaxLength, message.Questions[0].Name.Wire.Length);
        Assert.False(DnsMessage.TryRead(Convert.FromHexString(header + label + label + label + label + "00" + "000c0001"), out _));
    }

    [Fact]
    public void Names_are_compared_without_regard_to_case()
    {
        var at = 0;
        Assert.True(DnsName.TryRead("\u0005LoCaL\0"u8, ref at, out var name));
        Assert.Equal((DnsName.Of("local"), 7), (name, at));
        Assert.Equal(DnsName.Of("LOCAL").GetHashCode(), name.GetHashCode());
        Assert.Equal("local.", name.ToString());
    }

    [Fact]
    public void More_entries_than_anybody_needs_are_not_read()
    {
        var header = Convert.FromHexString("000000000000000000000000");
        byte[] question = [0, 0, 12, 0, 1];
        byte[] Questions(int count) => [.. header[..4], (byte)(count >> 8), (byte)count, .. header[6..], .. Enumerable.Repeat(question, count).SelectMany(q => q)];
        Assert.True(DnsMessage.TryRead(Questions(DnsMessage.MaxEntries), out _));
        Assert.False(DnsMessage.TryRead(Questions(DnsMessage.MaxEntries + 1), out _));
    }

    [Theory]
    [InlineData(0x0800)] // opcode 1
    [InlineData(0x8403)] // NXDOMAIN
    public void What_is_no_query_and_no_good_response_is_not_read(int flags)
    {
        var bytes = AvahiPackets.ServiceAnnouncement.ToArray();
        (bytes[2], bytes[3]) = ((byte)(flags >> 8), (byte)flags);
        Assert.False(DnsMessage.TryRead(bytes, out _));
    }

    [Fact]
    public void A_message_that_is_cut_off_anywhere_is_none()
    {
        foreach (var whole in Corpus())
        {
            for (var length = 0; length < whole.Length; length++) Assert.False(DnsMessage.TryRead(whole.AsSpan(0, length), out _), $"{length} of {whole.Length}");
        }
    }

    [Fact]
    public void Mutated_messages_are_read_or_not_and_nothing_else_happens()
    {
        var corpus = Corpus();
        var read = 0;
        for (var seed = 1; seed <= Seeds; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            var bytes = corpus[random.NextInt32(corpus.Count)].ToArray();
            for (var changes = 1 + random.NextInt32(8); changes > 0; changes--) bytes[random.NextInt32(bytes.Length)] = random.NextBytes(1)[0];
            if (!DnsMessage.TryRead(bytes, out var message)) continue;
            read++;
            Assert.True(message.Questions.Count + message.Answers.Count + message.Authorities.Count + message.Additionals.Count <= DnsMessage.MaxEntries, $"seed {seed}");
        }
        Assert.InRange(read, Seeds / 20, Seeds * 19 / 20);
    }

    [Fact]
    public void Whatever_bytes_come_reading_them_ends() => Prop.ForAll<byte[]>(bytes =>
    {
        byte[] message = [0, 0, 0, 0, 0, 2, 0, 2, 0, 1, 0, 1, .. bytes ?? []];
        return !DnsMessage.TryRead(message, out var read) || read.Questions.Count == 2;
    }).QuickCheckThrowOnFailure();

    private static List<byte[]> Corpus() => [AvahiPackets.HostProbe, AvahiPackets.ServiceProbe, AvahiPackets.ServiceAnnouncement, Convert.FromHexString(Announcement)];
}
