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

    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 4)]
    public void An_openers_SYN_passes_as_many_NATs_as_are_ours(int layers, byte expected)
    {
        var situation = new PunchSituation([], [], [new Candidate(CandidateKind.ServerReflexive, Peer) { Carrier = Carrier.Tcp }], AllowLoopback: false) { OwnRouters = new OwnRouters(layers, IsCertain: true) };
        var punch = new TcpPunch(Timestamp.Zero);
        punch.Add(TcpPunchPlan.Create(situation), Timestamp.Zero);
        Assert.True(punch.TryTake(Timestamp.Zero, out var first));
        Assert.Equal(expected, first.OpenerTimeToLive);
    }

    [Fact]
    public void A_refused_connect_is_tried_again_ever_later_and_only_the_first_has_an_opener()
    {
        var punch = new TcpPunch(Timestamp.Zero);
        var lead = TimeSpan.FromMilliseconds(20);
        punch.Add([new TcpTarget(Peer, lead, 0)], Timestamp.Zero);
        punch.Add([new TcpTarget(Peer, lead, 0)], Timestamp.Zero);
        var at = new List<double>();
        while (punch.NextTimeout is var now && now != Timestamp.Never)
        {
            at.Add((now - Timestamp.Zero).TotalMilliseconds);
            Assert.True(punch.TryTake(now, out var next));
            Assert.Equal(at.Count == 1 ? lead : TimeSpan.Zero, next.OpenerLead);
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
}
