using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>From a situation to the exact packets.</summary>
public sealed class PunchPlanTests
{
    private static readonly HostAddress Home = new(Endpoint.Parse("192.168.1.10:40000"), 24);
    private static readonly Endpoint Router = Endpoint.Parse("198.51.100.1:40000");

    // PROTOCOL §5: the opener dies behind our own NAT, which is taken for one layer; the packet that gets through follows in 20 ms.
    [Fact]
    public void To_a_far_address_two_flights_are_led_by_openers_and_nine_go_out_in_9_s() => Assert.Equal(
        [
            "0 opener ttl 2", "20 handshake", "33 opener ttl 3", "53 handshake", "99 handshake", "231 handshake", "495 handshake",
            "1023 handshake", "2079 handshake", "4191 handshake", "8415 handshake",
        ],
        Plan("srflx 203.0.113.5:5000").Select(Show));

    [Theory] // lead and way together are to be 60 ms, and the lead 20 ms at least
    [InlineData(null, 20)]
    [InlineData(1, 59)]
    [InlineData(25, 35)]
    [InlineData(40, 20)]
    [InlineData(300, 20)]
    public void Close_to_the_server_the_opener_leads_by_more(int? roundTrip, int lead)
    {
        var plan = PunchPlan.Create(new PunchSituation([Home], [Router], [Candidate("srflx 203.0.113.5:5000")], false)
        {
            ServerRoundTrip = roundTrip is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null,
        });
        Assert.Equal(TimeSpan.FromMilliseconds(lead), plan.First(probe => probe.Kind == ProbeKind.Handshake).At);
    }

    [Fact] // which has a hop more, and may get as far as the peer's router
    public void The_second_opener_does_not_overtake_the_first_packet_that_is_meant_to_arrive()
    {
        var plan = PunchPlan.Create(new PunchSituation([Home], [Router], [Candidate("srflx 203.0.113.5:5000")], false) { ServerRoundTrip = TimeSpan.FromMilliseconds(1) });
        Assert.Equal(["0 opener ttl 2", "59 handshake", "59 opener ttl 3", "99 handshake", "118 handshake", "231 handshake"], plan.Take(6).Select(Show));
    }

    [Fact]
    public void A_public_address_may_have_a_firewall_that_needs_opening_too()
    {
        var plan = PunchPlan.Create(new PunchSituation(
            [new HostAddress(Endpoint.Parse("198.51.100.1:40000"), 24)], [Router], [Candidate("srflx 203.0.113.5:5000")], false));
        Assert.Equal(Plan("srflx 203.0.113.5:5000"), plan);
    }

    [Fact]
    public void Where_a_connection_stands_already_nothing_has_to_be_opened()
    {
        var open = new OpenPaths();
        open.Add(Endpoint.Parse("203.0.113.5:5000"));
        var plan = PunchPlan.Create(new PunchSituation([Home], [Router], [Candidate("srflx 203.0.113.5:5000"), Candidate("srflx 203.0.113.6:5000")], false) { OpenPaths = open });
        var toOpen = plan.Where(probe => probe.Destination == Endpoint.Parse("203.0.113.5:5000")).ToList();
        Assert.Equal(PunchPlan.Flights, toOpen.Count);
        Assert.Equal(new Probe(TimeSpan.Zero, Endpoint.Parse("203.0.113.5:5000"), ProbeKind.Handshake, 0), plan[0]);
        Assert.Equal(PunchPlan.Flights + PunchPlan.OpenerFlights, plan.Count - toOpen.Count);
    }

    // PROTOCOL §5: the peer's openers are out before we hear of its port.
    [Fact]
    public void A_port_that_the_peer_opened_for_us_is_probed_first_and_at_once()
    {
        var plan = PunchPlan.Create(new PunchSituation([Home], [Router], [Candidate("srflx 203.0.113.5:5000")], false) { Offers = [Offer("203.0.113.5:6000", 6_001)] });
        Assert.Equal(["203.0.113.5:6000", "203.0.113.5:6001"], plan.Take(2).Select(probe => probe.Destination.ToString()));
        Assert.All(plan.Where(probe => probe.Destination.Port != 5_000), probe => Assert.Equal(ProbeKind.Handshake, probe.Kind));
        Assert.Equal((2 * PunchPlan.BracketedFlights) + PunchPlan.Flights + PunchPlan.OpenerFlights, plan.Count);
    }

    [Theory]
    [InlineData("203.0.113.5:6000", 6_008)] // as many are for a search
    [InlineData("10.0.0.5:6000", 6_000)]
    [InlineData("127.0.0.1:6000", 6_000)]
    [InlineData("203.0.113.5:22", 22)]
    public void A_port_is_not_probed_because_it_is_offered(string first, ushort last) =>
        Assert.Empty(PunchPlan.Create(new PunchSituation([Home], [Router], [], false) { Offers = [Offer(first, last)] }));

    [Fact]
    public void From_a_fresh_socket_openers_leave_at_once_and_a_handshake_late()
    {
        var fresh = new SocketId(Carrier.Udp, 1);
        var situation = new PunchSituation([Home], [Router], [Candidate("srflx 203.0.113.5:5000"), Candidate("host 192.168.1.20:5000")], false) { Offers = [Offer("203.0.113.5:6000", 6_000)] };
        var plan = PunchPlan.CreateFresh(situation, fresh, timeToLive: 3);
        Assert.Equal(["0 opener ttl 3", "0 opener ttl 3", "1000 handshake", "1000 handshake"], plan.Select(Show));
        Assert.Equal(["203.0.113.5:6000", "203.0.113.5:5000"], plan.Take(2).Select(probe => probe.Destination.ToString()));
        Assert.All(plan, probe => Assert.Equal(fresh, probe.Via));
    }

    [Fact]
    public void On_our_own_link_nothing_has_to_be_opened_and_no_packet_goes_far()
    {
        var plan = Plan("host 192.168.1.20:5000");
        Assert.Equal(PunchPlan.Flights, plan.Count);
        Assert.All(plan, probe => Assert.Equal((ProbeKind.Handshake, PunchPlan.PrivateTimeToLive), (probe.Kind, probe.TimeToLive)));
    }

    // PROTOCOL §5: 12 packets and 3,000 bytes to an address that has not answered; whoever asks for more is refused.
    [Fact]
    public void No_address_gets_more_than_its_budget_allows()
    {
        var plan = Plan("srflx 203.0.113.5:5000", "host 192.168.1.20:5000", "srflx 203.0.113.5:5001");
        foreach (var target in plan.GroupBy(probe => probe.Destination))
        {
            Assert.InRange(target.Count(), PunchPlan.Flights, ProbeBudget.MaxPacketsPerEndpoint);
            Assert.InRange(target.Sum(probe => probe.Kind == ProbeKind.Opener ? 1 : 250), 1, ProbeBudget.MaxBytesPerEndpoint);
            Assert.All(target, probe => Assert.InRange(probe.At, TimeSpan.Zero, PunchPlan.Duration));
        }
    }

    [Theory]
    // Near before far, server-reflexive before host, in the order of their naming.
    [InlineData("host 203.0.113.5:5000, srflx 203.0.113.6:5000, host 192.168.1.20:5000", "192.168.1.20:5000 203.0.113.6:5000 203.0.113.5:5000")]
    // Twice the same is one.
    [InlineData("srflx 203.0.113.5:5000, host 203.0.113.5:5000", "203.0.113.5:5000")]
    // Private addresses only on our link, or where both are seen from one address.
    [InlineData("host 10.0.0.5:5000, host 192.168.7.5:5000, host 100.64.0.5:5000, host 172.16.0.5:5000", "")]
    [InlineData("srflx 198.51.100.1:6000, host 10.0.0.5:5000", "10.0.0.5:5000 198.51.100.1:6000")]
    // Four of those at most, on our link or not.
    [InlineData(
        "srflx 198.51.100.1:6000, host 10.0.0.1:5000, host 10.0.0.2:5000, host 10.0.0.3:5000, host 10.0.0.4:5000, host 10.0.0.5:5000",
        "10.0.0.1:5000 10.0.0.2:5000 10.0.0.3:5000 10.0.0.4:5000 198.51.100.1:6000")]
    [InlineData(
        "host 192.168.1.1:5000, host 192.168.1.2:5000, host 192.168.1.3:5000, host 192.168.1.4:5000, host 192.168.1.5:5000",
        "192.168.1.1:5000 192.168.1.2:5000 192.168.1.3:5000 192.168.1.4:5000")]
    // PROTOCOL §5: never probed.
    [InlineData("host 0.0.0.0:5000, host 0.1.2.3:5000, host 127.0.0.1:5000, host 224.0.0.1:5000, host 239.1.1.1:5000, host 255.255.255.255:5000", "")]
    [InlineData("host 169.254.1.1:5000, host 240.0.0.1:5000, host 192.168.1.255:5000", "")]
    [InlineData("host [::]:5000, host [::1]:5000, host [ff02::1]:5000, host [fe80::1]:5000, host [fd00::1]:5000", "")]
    // Nor IPv6 from where there is none.
    [InlineData("host [2001:db8::1]:5000", "")]
    [InlineData("srflx 203.0.113.5:1023, srflx 203.0.113.5:1024, srflx 203.0.113.5:443, srflx 203.0.113.5:53, srflx 203.0.113.5:0", "203.0.113.5:1024 203.0.113.5:443")]
    public void Which_addresses_are_probed_and_in_what_order(string candidates, string expected) => Assert.Equal(
        expected,
        string.Join(' ', Plan(candidates.Split(", ")).Where(probe => probe.At < TimeSpan.FromMilliseconds(30) && probe.Kind == ProbeKind.Handshake)
            // Near ones need no opener, so theirs go first.
            .Select(probe => probe.Destination)));

    [Fact]
    public void Loopback_is_probed_only_where_the_server_itself_is_there()
    {
        Assert.Empty(Create(allowLoopback: false, "host 127.0.0.1:5000"));
        Assert.Equal(PunchPlan.Flights, Create(allowLoopback: true, "host 127.0.0.1:5000").Count);
    }

    // PROTOCOL §5: at most 6 candidates a peer in the first 200 ms, by rank.
    [Fact]
    public void From_the_seventh_candidate_on_probing_begins_at_200_ms()
    {
        var plan = Plan([.. Enumerable.Range(1, 8).Select(i => $"srflx 203.0.113.{i}:5000")]);
        var early = plan.Where(probe => probe.At < TimeSpan.FromMilliseconds(200)).Select(probe => probe.Destination).Distinct().ToList();
        Assert.Equal(Enumerable.Range(1, 6).Select(i => Endpoint.Parse($"203.0.113.{i}:5000")), early);
        foreach (var late in (string[])["203.0.113.7:5000", "203.0.113.8:5000"])
            Assert.Equal(TimeSpan.FromMilliseconds(200), plan.First(probe => probe.Destination == Endpoint.Parse(late)).At);
    }

    [Fact]
    public void No_more_than_thirty_candidates_of_a_peer_are_looked_at()
    {
        var plan = Plan([.. Enumerable.Range(1, 40).Select(i => $"srflx 203.0.113.{i}:5000")]);
        Assert.Equal(30, plan.Select(probe => probe.Destination).Distinct().Count());
    }

    [Fact]
    public void Probes_are_in_the_order_of_their_times()
    {
        var plan = Plan("srflx 203.0.113.5:5000", "host 192.168.1.20:5000", "srflx 203.0.113.6:5000");
        Assert.Equal(plan.OrderBy(probe => probe.At).Select(probe => probe.At), plan.Select(probe => probe.At));
    }

    private static IReadOnlyList<Probe> Plan(params string[] candidates) => Create(false, candidates);

    private static IReadOnlyList<Probe> Create(bool allowLoopback, params string[] candidates) =>
        PunchPlan.Create(new PunchSituation([Home], [Router], [.. candidates.Select(Candidate)], allowLoopback));

    private static Candidate Candidate(string text)
    {
        var parts = text.Split(' ');
        return new Candidate(parts[0] == "srflx" ? CandidateKind.ServerReflexive : CandidateKind.Host, Endpoint.Parse(parts[1]));
    }

    private static string Show(Probe probe) =>
        $"{probe.At.TotalMilliseconds} {(probe.Kind == ProbeKind.Opener ? "opener" : "handshake")}{(probe.TimeToLive == 0 ? "" : $" ttl {probe.TimeToLive}")}";

    private static PortOffer Offer(string first, ushort last) => new(1, Endpoint.Parse(first), last, 1);
}
