using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>What a process may send to those who have not answered: PROTOCOL §5.</summary>
public sealed class LimitTests
{
    private static readonly Endpoint A = Endpoint.Parse("203.0.113.5:5000");

    [Fact]
    public void A_burst_goes_at_once_and_then_one_packet_every_5_ms()
    {
        var pacer = new Pacer(packetsPerSecond: 200, burst: 64);
        for (var i = 0; i < 64; i++) Assert.True(pacer.TryTake(Timestamp.Zero));
        Assert.False(pacer.TryTake(Timestamp.Zero));
        Assert.Equal(Timestamp.FromMilliseconds(5) + TimeSpan.FromTicks(1), pacer.NextAllowed(Timestamp.Zero));
        Assert.False(pacer.TryTake(Timestamp.FromMilliseconds(4)));
        Assert.True(pacer.TryTake(pacer.NextAllowed(Timestamp.FromMilliseconds(4))));
        var sent = 0;
        for (var now = Timestamp.FromMilliseconds(6); now < Timestamp.FromMilliseconds(1_006); now += TimeSpan.FromMilliseconds(1))
        {
            while (pacer.TryTake(now)) sent++;
        }
        Assert.InRange(sent, 199, 200);
        // A long rest gives one burst, not more.
        var rested = Timestamp.FromMilliseconds(3_600_000);
        for (var i = 0; i < 64; i++) Assert.True(pacer.TryTake(rested));
        Assert.False(pacer.TryTake(rested));
    }

    [Fact]
    public void Several_tokens_are_taken_together_or_not_at_all()
    {
        var pacer = new Pacer(packetsPerSecond: 50, burst: 50);
        for (var i = 0; i < 16; i++) Assert.True(pacer.TryTake(Timestamp.Zero, tokens: 3));
        Assert.False(pacer.TryTake(Timestamp.Zero, tokens: 3));
        Assert.True(pacer.TryTake(Timestamp.Zero, tokens: 2));
    }

    [Fact]
    public void An_address_gets_12_packets_and_3000_bytes()
    {
        var budget = new ProbeBudget();
        for (var i = 0; i < 12; i++) Assert.True(budget.TryTake(A, 250, isAnswer: true, Timestamp.Zero));
        Assert.False(budget.TryTake(A, 1, isAnswer: true, Timestamp.Zero));
        var other = A.WithPort(5001);
        for (var i = 0; i < 2; i++) Assert.True(budget.TryTake(other, 1_200, isAnswer: true, Timestamp.Zero));
        Assert.False(budget.TryTake(other, 601, isAnswer: true, Timestamp.Zero));
        Assert.True(budget.TryTake(other, 600, isAnswer: true, Timestamp.Zero));
    }

    [Fact]
    public void All_ports_of_an_address_together_get_64_packets_a_minute()
    {
        var budget = new ProbeBudget();
        var taken = 0;
        for (ushort port = 5_000; port < 5_100; port++) taken += budget.TryTake(A.WithPort(port), 1, isAnswer: true, Timestamp.FromMilliseconds(port)) ? 1 : 0;
        Assert.Equal(64, taken);
        Assert.False(budget.TryTake(A.WithPort(6_000), 1, isAnswer: true, Timestamp.FromMilliseconds(64_999)));
        Assert.True(budget.TryTake(A.WithPort(6_000), 1, isAnswer: true, Timestamp.FromMilliseconds(65_000)));
    }

    // Whoever has one IPv6 address has 2^64 of them.
    [Fact]
    public void All_addresses_of_an_IPv6_network_together_get_64_packets_a_minute_and_an_answer_gives_them_back()
    {
        var budget = new ProbeBudget();
        var taken = 0;
        for (var host = 1; host <= 100; host++) taken += budget.TryTake(Endpoint.Parse($"[2001:db8:0:1::{host:x}]:5000"), 1, isAnswer: true, Timestamp.Zero) ? 1 : 0;
        Assert.Equal(64, taken);
        Assert.True(budget.TryTake(Endpoint.Parse("[2001:db8:0:2::1]:5000"), 1, isAnswer: true, Timestamp.Zero));
        budget.Restore(Endpoint.Parse("[2001:db8:0:1:ffff::]:5000"));
        Assert.True(budget.TryTake(Endpoint.Parse("[2001:db8:0:1::99]:5000"), 1, isAnswer: true, Timestamp.Zero));
    }

    // Members who name the address of a third one leave what is needed to answer that one.
    [Fact]
    public void The_last_packet_to_an_address_and_eight_to_its_ports_are_for_answers()
    {
        var budget = new ProbeBudget();
        for (var i = 0; i < 11; i++) Assert.True(budget.TryTake(A, i < 2 ? 1 : 250, isAnswer: false, Timestamp.Zero));
        Assert.False(budget.TryTake(A, 1, isAnswer: false, Timestamp.Zero));
        Assert.True(budget.TryTake(A, 250, isAnswer: true, Timestamp.Zero));
        Assert.False(budget.TryTake(A, 1, isAnswer: true, Timestamp.Zero));

        var probes = 12;
        for (ushort port = 6_000; port < 6_100; port++) probes += budget.TryTake(A.WithPort(port), 1, isAnswer: false, Timestamp.Zero) ? 1 : 0;
        Assert.Equal(56, probes);
        var answers = 0;
        for (ushort port = 7_000; port < 7_100; port++) answers += budget.TryTake(A.WithPort(port), 1, isAnswer: true, Timestamp.Zero) ? 1 : 0;
        Assert.Equal(8, answers);
    }

    // A router that gives every destination another port stands under a topic at many: what is left is for when a member tells who is behind it.
    [Fact]
    public void Hellos_to_all_ports_of_an_address_take_20_of_its_64_packets()
    {
        var budget = new ProbeBudget();
        var hellos = 0;
        for (ushort port = 6_000; port < 6_100; port++) hellos += budget.TryTakeHello(A.WithPort(port), 135, Timestamp.Zero) ? 1 : 0;
        Assert.Equal(20, hellos);
        Assert.True(budget.TryTake(A, 1, isAnswer: false, Timestamp.Zero));
        // One address alone gets its ten hellos of a minute, two of them with openers.
        budget = new ProbeBudget();
        for (var i = 0; i < 11; i++) Assert.True(budget.TryTakeHello(A, 135, Timestamp.FromMilliseconds(5_000 * i)));
    }

    [Fact]
    public void Bytes_for_an_answer_are_kept_too()
    {
        var budget = new ProbeBudget();
        while (budget.TryTake(A, 300, isAnswer: false, Timestamp.Zero)) { }
        Assert.True(budget.TryTake(A, HandshakePacket.CookiedMessage1Length, isAnswer: true, Timestamp.Zero));
    }

    [Fact]
    public void An_answer_gives_an_address_its_budget_back()
    {
        var budget = new ProbeBudget();
        while (budget.TryTake(A, 250, isAnswer: true, Timestamp.Zero)) { }
        budget.Restore(A);
        Assert.True(budget.TryTake(A, 250, isAnswer: true, Timestamp.Zero));
    }

    [Fact]
    public void Beyond_4096_addresses_a_minute_nothing_goes_to_a_new_one()
    {
        var budget = new ProbeBudget();
        for (uint i = 0; i < 4_096; i++) Assert.True(budget.TryTake(Endpoint.FromIPv4(0x0100_0000 + i, 5000), 1, isAnswer: true, Timestamp.Zero));
        Assert.False(budget.TryTake(A, 1, isAnswer: true, Timestamp.Zero));
        Assert.True(budget.TryTake(Endpoint.FromIPv4(0x0100_0000, 5000), 1, isAnswer: true, Timestamp.Zero));
        Assert.True(budget.TryTake(A, 1, isAnswer: true, Timestamp.FromMilliseconds(60_000)));
    }

    [Theory]
    [InlineData(0, 0, false, false, false, PunchFailure.NoCandidates)]
    [InlineData(12, 1, false, true, false, PunchFailure.NoAnswer)]
    [InlineData(12, 1, true, true, false, PunchFailure.OneWay)]
    [InlineData(12, 1, false, false, false, PunchFailure.UdpBlocked)]
    [InlineData(12, 1, true, true, true, PunchFailure.Impostor)]
    public void Every_failure_has_a_cause_what_was_seen_and_an_advice(int sent, int targets, bool heard, bool reflexive, bool impostor, string cause)
    {
        var failure = PunchFailure.Explain(new PunchObservations(sent, targets, heard, reflexive, impostor));
        Assert.Equal(cause, failure.Cause);
        Assert.NotEmpty(failure.Advice);
        Assert.NotEmpty(failure.Detail);
        if (cause is PunchFailure.NoAnswer or PunchFailure.OneWay or PunchFailure.UdpBlocked)
            Assert.Contains("12 packets to 1 addresses in 20 s", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Whose_network_blocks_UDP_and_who_says_so_is_told()
    {
        var here = PunchFailure.Explain(new PunchObservations(12, 1, false, HasReflexive: false, false) { UdpRejectedBy = Endpoint.Parse("192.168.1.1:0"), TcpConnects = 1 });
        Assert.Equal((PunchFailure.UdpRejected, true), (here.Cause, here.MayPass));
        Assert.Contains("192.168.1.1 says so", here.Detail, StringComparison.Ordinal);
        // All that the peer named is TCP's.
        var there = PunchFailure.Explain(new PunchObservations(0, 0, false, HasReflexive: true, false) { TcpConnects = 1 });
        Assert.Equal(PunchFailure.UdpBlocked, there.Cause);
        Assert.Contains("The peer's network", there.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, PunchFailure.NoCommonFamily)]
    [InlineData(1, PunchFailure.NoAnswer)]
    public void That_the_families_differ_is_the_cause_where_nothing_could_be_tried(int targets, string cause) => Assert.Equal(
        cause, PunchFailure.Explain(new PunchObservations(targets, targets, false, true, false) { IsOfAnotherFamily = true }).Cause);

    [Theory]
    [InlineData(true, false, false, PunchFailure.SymmetricBoth)]
    [InlineData(false, true, false, PunchFailure.SearchFailed)]
    [InlineData(false, true, true, PunchFailure.OneWay)] // the search met it
    public void A_search_has_causes_of_its_own(bool isHopeless, bool isSearched, bool heard, string cause)
    {
        var failure = PunchFailure.Explain(new PunchObservations(2_011, 1, heard, HasReflexive: true, ImpostorAnswered: false)
        {
            IsHopeless = isHopeless, IsSearched = isSearched, Lasted = TimeSpan.FromMilliseconds(800),
        });
        Assert.Equal(cause, failure.Cause);
        Assert.Contains("2011 packets to 1 addresses in 0.8 s", failure.Detail, StringComparison.Ordinal);
        Assert.NotEmpty(failure.Advice);
    }

    [Theory]
    [InlineData("192.168.1.10:1", 24, "192.168.1.255:1", true, true)]
    [InlineData("192.168.1.10:1", 24, "192.168.1.254:1", true, false)]
    [InlineData("192.168.1.10:1", 24, "192.168.2.255:1", false, false)]
    [InlineData("10.0.0.1:1", 31, "10.0.0.0:1", true, false)]
    [InlineData("10.0.0.1:1", 32, "10.0.0.1:1", true, false)]
    [InlineData("10.0.0.1:1", 0, "10.0.0.2:1", false, false)]
    [InlineData("[2001:db8::1]:1", 64, "[2001:db8::ffff]:1", true, false)]
    [InlineData("[2001:db8::1]:1", 64, "[2001:db8:0:1::1]:1", false, false)]
    [InlineData("[2001:db8::1]:1", 64, "10.0.0.1:1", false, false)]
    [InlineData("[2001:db8::1]:1", 0, "[2001:db8::2]:1", false, false)]
    public void A_prefix_says_what_is_on_the_link_and_what_is_its_broadcast(string address, int prefix, string other, bool isOnLink, bool isBroadcast)
    {
        var host = new HostAddress(Endpoint.Parse(address), prefix);
        Assert.Equal((isOnLink, isBroadcast), (host.IsOnLink(Endpoint.Parse(other)), host.IsBroadcast(Endpoint.Parse(other))));
    }
}
