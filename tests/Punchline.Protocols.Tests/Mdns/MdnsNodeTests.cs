using Punchline.Protocols.Mdns;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Mdns;

public sealed class MdnsNodeTests
{
    private const int Room = 7;

    private static readonly byte[] Key = new byte[32];
    private static readonly byte[] OtherKey = [.. Enumerable.Repeat((byte)1, 32)];
    private static readonly Endpoint Stranger = Endpoint.Parse("192.168.1.66:5353");

    [Fact]
    public void Who_comes_is_heard_with_its_first_probe_by_those_who_are_there()
    {
        var lan = new MdnsLan();
        var first = lan.Add("192.168.1.10:40000");
        first.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(10));

        var second = lan.Add("192.168.1.11:50000");
        var start = lan.Now;
        second.Node.Publish(3, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(1));
        // The probe goes out within 250 ms; the answer to the question within 120 + 120.
        Assert.Equal([Endpoint.Parse("192.168.1.11:50000")], first.Seen[0].Sighting.Addresses);
        Assert.InRange(first.Seen[0].At - start, TimeSpan.Zero, TimeSpan.FromMilliseconds(250));
        Assert.Equal((3, Endpoint.Parse("192.168.1.10:40000")), (second.Seen[0].Sighting.Room, Assert.Single(second.Seen[0].Sighting.Addresses)));
        Assert.InRange(second.Seen[0].At - start, TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(240));
    }

    [Fact]
    public void Who_is_started_at_the_same_moment_is_heard_within_a_quarter_of_a_second()
    {
        var lan = new MdnsLan();
        var (first, second) = (lan.Add("192.168.1.10:40000"), lan.Add("192.168.1.11:40000"));
        foreach (var host in new[] { first, second }) host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromMilliseconds(250));
        Assert.Single(first.Seen);
        Assert.Single(second.Seen);
    }

    [Fact]
    public void Members_of_another_room_are_nobody()
    {
        var lan = new MdnsLan();
        var (first, second) = (lan.Add("192.168.1.10:40000"), lan.Add("192.168.1.11:40000"));
        first.Node.Publish(Room, Key, lan.Now);
        second.Node.Publish(Room, OtherKey, lan.Now);
        lan.RunFor(TimeSpan.FromHours(2));
        Assert.Empty(first.Seen);
        Assert.Empty(second.Seen);
        // Until it is in that room as well: then they answer the question that it asks anew.
        second.Node.Publish(Room + 1, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(Room + 1, Assert.Single(second.Seen).Sighting.Room);
        Assert.Single(first.Seen);
    }

    [Fact]
    public void A_name_is_probed_three_times_and_announced_twice()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromMilliseconds(5_000));
        var messages = lan.Sent.Select(sent => (sent.At, Message: Read(sent.Bytes))).ToList();
        var probes = messages.FindAll(sent => sent.Message.Authorities.Count > 0).ConvertAll(sent => sent.At);
        var announcements = messages.FindAll(sent => sent.Message.IsResponse).ConvertAll(sent => sent.At);
        // RFC 6762 §8.1 and §8.3.
        Assert.Equal([250, 250, 250, 1_000], Gaps([.. probes, .. announcements]));
        // §5.2: at once, and after one, two and four seconds.
        Assert.Equal([1_000, 2_000], Gaps(messages.FindAll(sent => sent.Message is { IsResponse: false, Authorities.Count: 0 }).ConvertAll(sent => sent.At)));
        Assert.Equal(3 + 2 + 3, messages.Count);
    }

    [Fact]
    public void With_IPv6_everything_goes_to_both_groups_and_both_addresses_are_told()
    {
        var lan = new MdnsLan();
        var first = lan.Add("192.168.1.10:40000", "[2001:db8::10]:40000");
        var second = lan.Add("192.168.1.11:40000", "[2001:db8::11]:40000");
        // A network that loses all of IPv4's multicast.
        first.Node.Publish(Room, Key, lan.Now);
        second.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal([Endpoint.Parse("192.168.1.11:40000"), Endpoint.Parse("[2001:db8::11]:40000")], first.Seen[0].Sighting.Addresses);
        Assert.Equal(lan.Sent.Count(sent => sent.Group == MdnsService.IPv4Group), lan.Sent.Count(sent => sent.Group == MdnsService.IPv6Group));
    }

    [Fact]
    public void What_is_known_is_not_told_again_and_again()
    {
        var lan = new MdnsLan();
        var hosts = Enumerable.Range(10, 10).Select(n => lan.Add($"192.168.1.{n}:40000")).ToList();
        foreach (var host in hosts) host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(10));
        lan.Sent.Clear();
        lan.RunFor(TimeSpan.FromHours(24));
        // RFC 6762 §5.2 and §7.1: a question an hour each, with the answers in it, and the few that have half of their time left.
        Assert.InRange(lan.Sent.Count, 10 * 24, 10 * 24 * 4);
        Assert.All(hosts, host => Assert.Equal(9, host.Seen.SelectMany(seen => seen.Sighting.Addresses).Distinct().Count()));
    }

    [Fact]
    public void An_answer_goes_out_once_a_second_however_often_it_is_asked_for()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(5));
        lan.Sent.Clear();
        for (var i = 0; i < 1_000; i++)
        {
            lan.Inject(Stranger, Query(MdnsService.Name, DnsType.Pointer));
            lan.RunFor(TimeSpan.FromMilliseconds(10));
        }
        Assert.InRange(lan.Sent.Count(sent => Read(sent.Bytes).IsResponse), 8, 10);
    }

    [Fact]
    public void Whoever_is_not_on_the_link_or_asks_from_another_port_gets_nothing()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(3));
        lan.Sent.Clear();
        foreach (var source in new[] { "192.168.2.66:5353", "198.51.100.7:5353", "192.168.1.66:53000", "[2001:db8::66]:5353" }) lan.Inject(Endpoint.Parse(source), Query(MdnsService.Name, DnsType.Pointer));
        host.Node.HandleDatagram(MdnsLan.Network + 1, Stranger, Query(MdnsService.Name, DnsType.Pointer), lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(1));
        Assert.DoesNotContain(lan.Sent, sent => Read(sent.Bytes).IsResponse);
        lan.Inject(Stranger, Query(MdnsService.Name, DnsType.Pointer));
        lan.RunFor(TimeSpan.FromSeconds(1));
        Assert.Single(lan.Sent, sent => Read(sent.Bytes).IsResponse);
    }

    [Fact]
    public void Addresses_beyond_the_link_are_not_told()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(3));
        foreach (var address in new[] { "198.51.100.7:40000", "192.168.2.5:40000", "127.0.0.1:40000", "192.168.1.255:40000", "192.168.1.10:40000", "192.168.1.5:53", "224.0.0.251:5353" })
            lan.Inject(Stranger, Announcement(Label(Key), address));
        Assert.Empty(host.Seen);
        lan.Inject(Stranger, Announcement(Label(Key), "192.168.1.5:40000"));
        Assert.Equal([Endpoint.Parse("192.168.1.5:40000")], Assert.Single(host.Seen).Sighting.Addresses);
    }

    [Fact]
    public void A_name_that_somebody_else_has_is_given_up()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(3));
        var before = LastLabel(lan);
        lan.Inject(Stranger, Announcement(before, "192.168.1.66:40000"));
        lan.RunFor(TimeSpan.FromSeconds(3));
        var after = LastLabel(lan);
        Assert.NotEqual(before, after);
        // What an other of our interfaces, or our own packet coming back, says is no conflict.
        lan.Inject(Stranger, Announcement(after, "192.168.1.10:40000"));
        lan.RunFor(TimeSpan.FromSeconds(3));
        Assert.Equal(after, LastLabel(lan));
    }

    [Fact]
    public void Who_disputes_every_name_gets_one_in_five_seconds_to_dispute()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(3));
        lan.Inject(Stranger, Announcement(LastLabel(lan), "192.168.1.66:40000"));
        lan.Sent.Clear();
        var start = lan.Now;
        while (lan.Now < start + TimeSpan.FromSeconds(100))
        {
            var count = lan.Sent.Count;
            lan.RunFor(TimeSpan.FromMilliseconds(50));
            if (lan.Sent.Skip(count).Any(sent => Read(sent.Bytes).Authorities.Count > 0)) lan.Inject(Stranger, Announcement(LastLabel(lan), "192.168.1.66:40000"));
        }
        // RFC 6762 §8.1: 15 in 10 seconds, then a pause of 5.
        Assert.InRange(lan.Sent.Count(sent => Read(sent.Bytes).Authorities.Count > 0), 15, 15 * 10 + 20);
    }

    [Fact]
    public void A_probe_for_our_name_is_answered_at_once()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(10));
        var label = LastLabel(lan);
        lan.Sent.Clear();
        var buffer = new byte[MdnsService.MaxSent];
        var writer = new DnsMessageWriter(buffer, isResponse: false);
        MdnsNames.Of(label).WriteProbe(ref writer, MdnsLan.NetworkOf("192.168.1.66:40000"));
        lan.Inject(Stranger, buffer.AsSpan(0, writer.Length));
        var at = lan.Now;
        lan.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(at, Assert.Single(lan.Sent).At);
        Assert.Equal(label, LastLabel(lan));
    }

    [Fact]
    public void A_goodbye_is_sent_at_the_end_and_forgets_who_said_it()
    {
        var lan = new MdnsLan();
        var (first, second) = (lan.Add("192.168.1.10:40000"), lan.Add("192.168.1.11:40000"));
        foreach (var host in new[] { first, second }) host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(5));
        lan.Sent.Clear();
        second.Node.Withdraw(Room);
        lan.RunFor(TimeSpan.FromMinutes(3));
        var goodbye = Read(Assert.Single(lan.Sent, sent => sent.From == second).Bytes);
        Assert.All(goodbye.Answers, record => Assert.Equal(0u, record.TimeToLive));
        // What was the other's is known to nobody any more, so it is in no question.
        Assert.All(lan.Sent.Where(sent => sent.From == first), sent => Assert.Single(Read(sent.Bytes).Answers));
        Assert.Equal(Timestamp.Never, second.Node.NextTimeout);
    }

    [Fact]
    public void In_another_network_everybody_has_another_name()
    {
        var lan = new MdnsLan();
        var (first, second) = (lan.Add("192.168.1.10:40000"), lan.Add("192.168.1.11:40000"));
        foreach (var host in new[] { first, second }) host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(5));
        var before = LabelOf(lan.Sent.Last(sent => sent.From == second && Read(sent.Bytes).IsResponse).Bytes);
        first.Seen.Clear();
        second.Node.SetNetworks([MdnsLan.NetworkOf("192.168.1.12:40000")], lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(5));
        var after = LabelOf(lan.Sent.Last(sent => sent.From == second && Read(sent.Bytes).IsResponse).Bytes);
        Assert.NotEqual(before, after);
        // The old name's goodbye is of the old name.
        Assert.Contains(lan.Sent, sent => sent.From == second && LabelOf(sent.Bytes) == before && Read(sent.Bytes).Answers.TrueForAll(record => record.TimeToLive == 0));
        Assert.Equal([Endpoint.Parse("192.168.1.12:40000")], first.Seen[0].Sighting.Addresses);
    }

    [Fact]
    public void Without_a_network_nothing_is_sent_and_with_one_again_it_begins_anew()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.SetNetworks([], lan.Now);
        host.Node.Publish(Room, Key, lan.Now);
        Assert.Equal(Timestamp.Never, host.Node.NextTimeout);
        host.Node.SetNetworks([MdnsLan.NetworkOf("192.168.1.10:40000")], lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(3));
        Assert.NotEmpty(lan.Sent);
    }

    [Fact]
    public void Labels_of_one_room_have_nothing_in_common_for_others()
    {
        var random = new SeededRandom(1);
        var labels = Enumerable.Range(0, 100).Select(_ => RoomLabel.Create(Key, random).Text).ToList();
        Assert.Equal(100, labels.Select(label => label[..8]).Distinct(StringComparer.Ordinal).Count());
        Assert.All(labels, label =>
        {
            Assert.True(RoomLabel.TryDecode(System.Text.Encoding.ASCII.GetBytes(label), out var bytes));
            Assert.True(RoomLabel.IsOf(Key, bytes));
            Assert.False(RoomLabel.IsOf(OtherKey, bytes));
            bytes[^1] ^= 1;
            Assert.False(RoomLabel.IsOf(Key, bytes));
        });
    }

    [Fact]
    public void Packets_of_avahis_and_whatever_else_is_on_the_link_change_nothing()
    {
        var lan = new MdnsLan();
        var (first, second) = (lan.Add("192.168.1.10:40000"), lan.Add("192.168.1.11:40000"));
        byte[][] corpus = [AvahiPackets.HostProbe, AvahiPackets.ServiceProbe, AvahiPackets.ServiceAnnouncement, Announcement(Label(Key), "192.168.1.5:40000"), Query(MdnsService.Name, DnsType.Any)];
        foreach (var host in new[] { first, second }) host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(5));
        lan.Sent.Clear();
        for (var seed = 1; seed <= 20_000; seed++)
        {
            var random = new SeededRandom((ulong)seed);
            var bytes = corpus[random.NextInt32(corpus.Length)].ToArray();
            for (var changes = random.NextInt32(6); changes > 0; changes--) bytes[random.NextInt32(bytes.Length)] = random.NextBytes(1)[0];
            lan.Inject(Stranger, bytes.AsSpan(0, random.NextInt32(8) == 0 ? random.NextInt32(bytes.Length) : bytes.Length));
            lan.RunFor(TimeSpan.FromMilliseconds(20));
        }
        // 400 s, in which one that is asked all the time answers once a second, and asks itself now and then.
        Assert.InRange(lan.Sent.Count, 2 * 300, 2 * 420);
        Assert.All(first.Seen.Concat(second.Seen).SelectMany(seen => seen.Sighting.Addresses), address => Assert.True(MdnsLan.NetworkOf("192.168.1.10:40000").IsOnLink(address)));
    }

    [Fact]
    public void A_flood_is_read_as_far_as_a_busy_link_would_fill()
    {
        var lan = new MdnsLan();
        var host = lan.Add("192.168.1.10:40000");
        host.Node.Publish(Room, Key, lan.Now);
        lan.RunFor(TimeSpan.FromSeconds(5));
        for (var i = 0; i < 10_000; i++) lan.Inject(Stranger, Announcement(Label(Key, (ulong)i + 2), $"192.168.1.{20 + (i % 200)}:{10_000 + i}"));
        Assert.InRange(host.Seen.Count, 1, 400);
        // And somebody else's is read the second after.
        lan.RunFor(TimeSpan.FromSeconds(1));
        host.Seen.Clear();
        lan.Inject(Stranger, Announcement(Label(Key, 1), "192.168.1.5:40000"));
        Assert.Equal([Endpoint.Parse("192.168.1.5:40000")], Assert.Single(host.Seen).Sighting.Addresses);
    }

    private static List<double> Gaps(List<Timestamp> moments) => [.. moments.Zip(moments.Skip(1), (a, b) => Math.Round((b - a).TotalMilliseconds))];

    private static DnsMessage Read(byte[] bytes) => DnsMessage.TryRead(bytes, out var message) ? message : throw new InvalidOperationException("It wrote what it does not read.");

    private static string LabelOf(byte[] bytes)
    {
        var message = Read(bytes);
        var name = message.Answers.Concat(message.Authorities).OfType<DnsRecord.Pointer>().FirstOrDefault()?.Target;
        return name is null ? "" : System.Text.Encoding.ASCII.GetString(name.FirstLabel);
    }

    private static string LastLabel(MdnsLan lan) => LabelOf(lan.Sent.Last(sent => LabelOf(sent.Bytes).Length > 0).Bytes);

    private static string Label(byte[] key, ulong seed = 1) => RoomLabel.Create(key, new SeededRandom(seed)).Text;

    private static byte[] Query(DnsName name, DnsType type)
    {
        var buffer = new byte[MdnsService.MaxSent];
        var writer = new DnsMessageWriter(buffer, isResponse: false);
        writer.WriteQuestion(name, type);
        return buffer[..writer.Length];
    }

    private static byte[] Announcement(string label, string address)
    {
        var buffer = new byte[MdnsService.MaxSent];
        var writer = new DnsMessageWriter(buffer, isResponse: true);
        MdnsNames.Of(label).WriteRecords(ref writer, MdnsLan.NetworkOf(address), isGoodbye: false);
        return buffer[..writer.Length];
    }
}
