using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Node;

/// <summary>However many members name an address, one peer sends it no more than the budget: PROTOCOL §5, counted at the whole node.</summary>
public sealed class NeverAWeaponTests
{
    private static readonly Endpoint Victim = Endpoint.Parse("203.0.113.77:5000");
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public void Sixty_members_who_name_one_address_get_it_11_packets_a_minute_and_one_is_left_to_answer_it()
    {
        using var room = new StagedRoom(members: 60, responds: true, At(Victim));

        var sent = room.PassAll(TimeSpan.FromSeconds(150));

        Assert.All(sent, packet => Assert.Equal(Victim, packet.To));
        Assert.Equal(11, MostInAMinute(sent));
        // Their openers alone are as many; what a plan of one member's sends is in PunchPlanTests.
        Assert.All(sent.GroupBy(packet => packet.At), together => Assert.Equal(11, together.Count()));
        // The staged server sends no heartbeat, so in the end they are gone, and nothing of them is kept.
        var events = room.Events;
        Assert.Equal((60, 60), (events.Count(nodeEvent => nodeEvent is NodeEvent.Failed), events.Count(nodeEvent => nodeEvent is NodeEvent.MemberLeft)));
        Assert.Equal(0, room.Node.RouteCount);
    }

    [Fact]
    public void Members_of_three_rooms_who_name_ports_of_one_machine_get_it_56_packets_a_minute_and_8_are_left_to_answer_it()
    {
        var ports = Enumerable.Range(0, 30).Select(i => new Candidate(CandidateKind.ServerReflexive, Victim.WithPort((ushort)(5_000 + i)))).ToArray();
        using var room = new StagedRoom(members: 20, responds: true, ports);
        room.EnterAnother(members: 20, ports);
        room.EnterAnother(members: 20, ports);

        var sent = room.PassAll(TimeSpan.FromSeconds(150));

        Assert.All(sent, packet => Assert.Equal(Victim.Address, packet.To.Address));
        Assert.Equal(56, MostInAMinute(sent));
        Assert.All(sent.GroupBy(packet => packet.To), toPort => Assert.InRange(MostInAMinute([.. toPort]), 1, 11));
    }

    // A later generation of a blob is probed as well, by the same budget.
    [Fact]
    public void Members_who_name_other_ports_again_and_again_get_no_more()
    {
        using var room = new StagedRoom(members: 4, responds: true, At(Victim));
        var sent = room.PassAll(TimeSpan.FromSeconds(1));
        for (var generation = 2u; generation < 120; generation++)
        {
            foreach (var member in room.Members) room.Tell(member.Move(generation, At(Victim.WithPort((ushort)(5_000 + generation)))));
            sent.AddRange(room.PassAll(TimeSpan.FromSeconds(1)));
        }

        Assert.All(sent, packet => Assert.Equal(Victim.Address, packet.To.Address));
        Assert.Equal(56, MostInAMinute(sent));
    }

    // A search takes thousands of packets: they go to where the server sees the member, whatever the member says.
    [Theory]
    [InlineData("203.0.113.77:1024", 65_535)] // somebody else's
    [InlineData("198.51.100.11:1024", 65_535)] // its neighbour's
    [InlineData("198.51.100.10:80", 1_023)] // services
    public void A_member_who_offers_ports_of_another_has_none_of_them_searched(string first, ushort last)
    {
        using var room = new StagedRoom(members: 1, responds: true);
        var sent = room.PassAll(TimeSpan.FromMilliseconds(100));
        room.Tell(room.Members[0].Offer(2, new PortOffer(PortOffer.TargetOf(room.Node.Id), Endpoint.Parse(first), last, 256)));
        sent.AddRange(room.PassAll(TimeSpan.FromSeconds(60)));
        Assert.All(sent, packet => Assert.Equal(room.Members[0].Source, packet.To));
        Assert.Equal(0UL, room.Node.Statistics.SearchSessions);
    }

    [Fact]
    public void A_member_whose_ports_are_searched_gets_2000_packets_and_256_of_them_again_100_a_second_and_then_none_for_a_minute()
    {
        using var room = new StagedRoom(members: 1, responds: true);
        var offer = new PortOffer(PortOffer.TargetOf(room.Node.Id), StagedRoom.StagedMember.SeenAt.WithPort(1_024), 65_535, 256);
        room.Tell(room.Members[0].Offer(2, offer));
        var sent = new List<StagedPacket>();
        for (var generation = 3u; generation < 12; generation++)
        {
            sent.AddRange(room.PassAll(TimeSpan.FromSeconds(8)));
            room.Tell(room.Members[0].Offer(generation, offer)); // it cannot have enough
        }
        var searched = sent.Where(packet => packet.To.Port != room.Members[0].Source.Port).ToList();
        Assert.Equal(SearchBudget.MaxProbes + offer.Sockets, searched.Count);
        Assert.Equal(SearchBudget.MaxProbes, searched.DistinctBy(packet => packet.To).Count());
        for (var i = 0; i + 102 < searched.Count; i++) Assert.True(searched[i + 102].At - searched[i].At >= TimeSpan.FromMilliseconds(999));
        Assert.Equal((ulong)SearchBudget.MaxProbes, room.Node.Statistics.SearchSessions);
    }

    // Whoever can write another's address into its packets has us answer there, by the same numbers.
    [Fact]
    public void Sixty_members_whose_message_1s_seem_to_come_from_one_address_have_it_sent_12_answers_a_minute()
    {
        using var room = new StagedRoom(members: 60, responds: false);
        var sent = new List<StagedPacket>();
        foreach (var member in room.Members)
        {
            for (var i = 0; i < 3; i++) room.Node.HandleDatagram(Victim, member.Message1(1), room.Now);
            sent.AddRange(room.PassAll(TimeSpan.FromMilliseconds(100)));
        }

        Assert.Equal(12, sent.Count(packet => packet.To == Victim));
    }

    [Fact]
    public void Candidates_that_nobody_may_be_sent_to_get_nothing()
    {
        string[] dropped =
        [
            "0.0.0.0:5000", "0.1.2.3:5000", "127.0.0.1:5000", "127.8.8.8:5000", "224.0.0.1:5000", "239.255.255.250:5000", "255.255.255.255:5000",
            "240.0.0.1:5000", "169.254.10.10:5000", "192.168.1.255:5000", "203.0.113.1:0", "203.0.113.2:22", "203.0.113.3:53", "203.0.113.4:1023",
            "10.0.0.1:5000", "172.16.0.1:5000", "192.168.2.1:5000", "100.64.0.1:5000",
            "[::]:5000", "[::1]:5000", "[ff02::1]:5000", "[fe80::1]:5000", "[fd00::1]:5000",
        ];
        using var room = new StagedRoom(members: 3, responds: false, [.. At([.. dropped, "203.0.113.5:443", "203.0.113.6:1024"])]);
        room.Node.SetHostAddresses([new HostAddress(Endpoint.Parse("192.168.1.10:40000"), 24)], room.Now);

        var sent = room.PassAll(TimeSpan.FromSeconds(25));

        Assert.Equal(["203.0.113.5:443", "203.0.113.6:1024"], sent.Select(packet => packet.To.ToString()).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Of_private_addresses_on_our_link_four_are_probed_and_no_packet_passes_a_third_router()
    {
        using var room = new StagedRoom(members: 1, responds: false, [.. At([.. Enumerable.Range(20, 8).Select(i => $"192.168.1.{i}:5000")])]);
        room.Node.SetHostAddresses([new HostAddress(Endpoint.Parse("192.168.1.10:40000"), 24)], room.Now);

        var sent = room.PassAll(TimeSpan.FromSeconds(25));

        Assert.Equal(4, sent.Select(packet => packet.To).Distinct().Count());
        Assert.All(sent, packet => Assert.Equal(3, packet.TimeToLive));
    }

    private static Candidate[] At(params Endpoint[] endpoints) => [.. endpoints.Select(endpoint => new Candidate(CandidateKind.Host, endpoint))];

    private static Candidate[] At(string[] endpoints) => At([.. endpoints.Select(Endpoint.Parse)]);

    // In any minute, wherever it begins.
    private static int MostInAMinute(IReadOnlyList<StagedPacket> packets, Func<StagedPacket, int>? weight = null) =>
        packets.Max(first => packets.Where(packet => packet.At >= first.At && packet.At < first.At + Minute).Sum(weight ?? (_ => 1)));
}
