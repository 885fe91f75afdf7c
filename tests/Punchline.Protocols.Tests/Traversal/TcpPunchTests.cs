using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

public sealed class TcpPunchTests
{
    private static readonly Endpoint Peer = Endpoint.Parse("198.51.100.12:40000");

    [Fact]
    public void Only_TCP_candidates_are_connected_to_the_near_ones_without_an_opener()
    {
        var situation = new PunchSituation(
            [new HostAddress(Endpoint.Parse("192.168.1.10:40000"), 24)],
            [],
            [
                new Candidate(CandidateKind.ServerReflexive, Endpoint.Parse("198.51.100.12:5000")),
                new Candidate(CandidateKind.ServerReflexive, Peer) { Carrier = Carrier.Tcp },
                new Candidate(CandidateKind.Host, Endpoint.Parse("192.168.1.20:40000")) { Carrier = Carrier.Tcp },
                new Candidate(CandidateKind.Host, Endpoint.Parse("198.51.100.12:22")) { Carrier = Carrier.Tcp },
            ],
            AllowLoopback: false) { ServerRoundTrip = TimeSpan.FromMilliseconds(20) };

        Assert.Equal(
            [
                new TcpTarget(Endpoint.Parse("192.168.1.20:40000"), TimeSpan.Zero, PunchPlan.PrivateTimeToLive),
                new TcpTarget(Peer, TimeSpan.FromMilliseconds(40), 0),
            ],
            TcpPunchPlan.Create(situation));
    }

    // PROTOCOL §5: an address that no router has translated gets its SYN at once; one that some router has, behind an opener's lead, whatever its family.
    [Fact]
    public void The_first_SYN_to_an_IPv6_address_of_the_peers_own_leaves_at_once()
    {
        var (own, translated) = (Endpoint.Parse("[2001:db8:2::1]:40000"), Endpoint.Parse("[2001:db8:3::1]:40000"));
        var targets = TcpPunchPlan.Create(Both(
            [new Candidate(CandidateKind.Host, own), new Candidate(CandidateKind.ServerReflexive, translated), new Candidate(CandidateKind.ServerReflexive, Peer)]));
        Assert.Equal(
            [new(translated, PunchPlan.OpenerLead, 0), new(Peer, PunchPlan.OpenerLead, 0), new TcpTarget(own, PunchPlan.OpenerMargin, 0) { BeginsAtOnce = true }],
            targets);
    }

    // However many addresses a host has of one family, the other has its places, and the first SYNs are few.
    [Fact]
    public void Of_each_family_four_addresses_outside_and_two_near_ones_are_connected_to()
    {
        var candidates = Enumerable.Range(1, 9).SelectMany(n => new[] { $"[2001:db8:2::{n}]", $"203.0.113.{n}" }.Concat(n <= 3 ? [$"[2001:db8:1::{n}]", $"192.168.1.{n}"] : []))
            .Select(address => new Candidate(CandidateKind.Host, Endpoint.Parse($"{address}:40000"))).ToArray();
        Assert.Equal(
            "[2001:db8:1::1] 192.168.1.1 [2001:db8:1::2] 192.168.1.2 [2001:db8:2::1] 203.0.113.1 [2001:db8:2::2] 203.0.113.2 [2001:db8:2::3] 203.0.113.3 [2001:db8:2::4] 203.0.113.4",
            string.Join(' ', TcpPunchPlan.Create(Both(candidates)).Select(target => target.Endpoint.ToString().Replace(":40000", "", StringComparison.Ordinal))));
    }

    private static PunchSituation Both(Candidate[] candidates) => new(
        [new HostAddress(Endpoint.Parse("192.168.1.10:40000"), 24), new HostAddress(Endpoint.Parse("[2001:db8:1::10]:40000"), 64)],
        [],
        [.. candidates.Select(candidate => candidate with { Carrier = Carrier.Tcp })],
        AllowLoopback: false);

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // two firewalls that reject refuse each other in step, unless something of each is on its way before
    public void A_refused_connect_is_tried_again_ever_later_and_the_first_or_all_others_have_an_opener(bool beginsAtOnce)
    {
        var punch = new TcpPunch(Timestamp.Zero);
        var lead = TimeSpan.FromMilliseconds(20);
        punch.Add([new TcpTarget(Peer, lead, 0) { BeginsAtOnce = beginsAtOnce }], Timestamp.Zero);
        punch.Add([new TcpTarget(Peer, lead, 0)], Timestamp.Zero);
        var at = new List<double>();
        while (punch.NextTimeout is var now && now != Timestamp.Never)
        {
            at.Add((now - Timestamp.Zero).TotalMilliseconds);
            Assert.True(punch.TryTake(now, out var next));
            Assert.Equal(at.Count == 1 != beginsAtOnce ? lead : TimeSpan.Zero, next.OpenerLead);
            Assert.False(punch.TryTake(now, out _));
            punch.OnFailed(Peer, now);
        }
        Assert.Equal([0, 100, 300, 700, 1_500, 3_100], at);
    }

    [Fact]
    public void SYNs_to_an_address_are_counted_and_those_not_sent_given_back()
    {
        var budget = new ConnectBudget();
        var now = Timestamp.Zero;
        for (var i = 0; i < 4; i++) Assert.True(budget.TryTake(Peer, ConnectBudget.SynsIn(TcpPunchPlan.Patience), now));
        Assert.False(budget.TryTake(Peer, 1, now));
        budget.Refund(Peer, TcpPunchPlan.Patience - TimeSpan.FromMilliseconds(50)); // refused at once: one SYN was sent
        Assert.True(budget.TryTake(Peer, 2, now));
        Assert.False(budget.TryTake(Peer, 1, now));
        Assert.True(budget.TryTake(Peer, 1, now + TimeSpan.FromMinutes(1)));
        var ports = 0;
        while (budget.TryTake(Peer.WithPort((ushort)(50_000 + ports)), 1, now + TimeSpan.FromMinutes(1))) ports++;
        Assert.Equal(ConnectBudget.MaxSynsPerAddress - 1, ports);
    }

    // Who has a link has all its addresses.
    [Fact]
    public void Addresses_of_one_64_share_what_may_go_to_one_address()
    {
        var budget = new ConnectBudget();
        var taken = Enumerable.Range(1, 100).Count(n => budget.TryTake(Endpoint.Parse($"[2001:db8:2::{n:x}]:40000"), 1, Timestamp.Zero));
        Assert.Equal(ConnectBudget.MaxSynsPerAddress, taken);
        Assert.True(budget.TryTake(Endpoint.Parse("[2001:db8:2:1::1]:40000"), 1, Timestamp.Zero));
        budget.Refund(Endpoint.Parse("[2001:db8:2::1]:40000"), TcpPunchPlan.Patience - TimeSpan.FromMilliseconds(50));
        Assert.True(budget.TryTake(Endpoint.Parse("[2001:db8:2::ffff]:40000"), 1, Timestamp.Zero));
        budget.Restore(Endpoint.Parse("[2001:db8:2::1]:40000"));
        Assert.True(budget.TryTake(Endpoint.Parse("[2001:db8:2::1]:40000"), ConnectBudget.MaxSynsPerEndpoint, Timestamp.Zero));
    }
}
