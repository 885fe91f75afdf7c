using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Tests.Traversal;

/// <summary>Which of a peer's candidates are probed, in two families.</summary>
public sealed class PunchTargetsTests
{
    private static readonly HostAddress HomeIPv4 = new(Endpoint.Parse("192.168.1.10:40000"), 24);
    private static readonly HostAddress HomeIPv6 = new(Endpoint.Parse("[2001:db8:1::10]:40000"), 64);
    private static readonly HostAddress HomeLocal = new(Endpoint.Parse("[fd00:1::10]:40000"), 64);

    [Theory]
    // The families by turns, IPv6 first, and server-reflexive before host in each.
    [InlineData("srflx 203.0.113.1:5000, srflx 203.0.113.2:5000, host [2001:db8:2::1]:5000", "[2001:db8:2::1]:5000 203.0.113.1:5000 203.0.113.2:5000")]
    [InlineData("host [2001:db8:2::1]:5000, srflx [2001:db8:3::1]:5000, host [2001:db8:2::2]:5000, srflx 203.0.113.1:5000",
        "[2001:db8:3::1]:5000 203.0.113.1:5000 [2001:db8:2::1]:5000 [2001:db8:2::2]:5000")]
    // What is on our link first, of both families, by the rank of our own interfaces.
    [InlineData("srflx 203.0.113.1:5000, host 192.168.1.20:5000, host [fd00:1::20]:5000, host [2001:db8:1::20]:5000",
        "[2001:db8:1::20]:5000 192.168.1.20:5000 [fd00:1::20]:5000 203.0.113.1:5000")]
    // Four near ones, and noise of one family does not push out the other.
    [InlineData("host [fd00:1::1]:5000, host [fd00:1::2]:5000, host [fd00:1::3]:5000, host [fd00:1::4]:5000, host 192.168.1.20:5000",
        "[fd00:1::1]:5000 192.168.1.20:5000 [fd00:1::2]:5000 [fd00:1::3]:5000")]
    // Unique local and site-local ones are as private as RFC 1918's.
    [InlineData("host [fd00:2::20]:5000, host [fec0::20]:5000, host 10.0.0.1:5000", "")]
    [InlineData("host [fd00:2::20]:5000, srflx 198.51.100.1:6000", "[fd00:2::20]:5000 198.51.100.1:6000")]
    // Documentation's addresses are what laboratories have; the rest of WIRE's list is nobody's to send to.
    [InlineData("host [::]:5000, host [::1]:5000, host [ff02::1]:5000, host [ff0e::1]:5000, host [fe80::1]:5000, host [febf::1]:5000", "")]
    [InlineData("host [::192.0.2.1]:5000, host [64:ff9b::10.0.0.1]:5000, host [64:ff9b:1::1]:5000, host [2001:db8:2::1]:53", "")]
    // IPv4 in a mapped form is IPv4, and goes by IPv4's rules.
    [InlineData("host [::ffff:127.0.0.1]:5000, host [::ffff:10.0.0.1]:5000, host [::ffff:203.0.113.1]:5000", "203.0.113.1:5000")]
    public void Of_two_families_these_are_probed_in_this_order(string candidates, string expected) =>
        Assert.Equal(expected, Rank(Situation([HomeIPv4, HomeIPv6, HomeLocal], candidates)));

    [Theory]
    [InlineData("4", "203.0.113.1:5000")]
    [InlineData("6", "[2001:db8:2::1]:5000")]
    [InlineData("46", "[2001:db8:2::1]:5000 203.0.113.1:5000")]
    // Unique local addresses alone lead to nobody outside.
    [InlineData("4u", "203.0.113.1:5000")]
    [InlineData("u", "")]
    // Who hides its addresses, or does not know them, tries everything.
    [InlineData("", "[2001:db8:2::1]:5000 203.0.113.1:5000")]
    // A translator's network reaches IPv4 without having any.
    [InlineData("6n", "[2001:db8:2::1]:5000 203.0.113.1:5000")]
    // STUN's word on a family counts too: unique local addresses behind a translator that makes them global, say.
    [InlineData("ur", "[2001:db8:2::1]:5000")]
    public void Only_families_that_we_have_are_probed(string ours, string expected)
    {
        var hosts = ours.Select(letter => letter switch { '4' => HomeIPv4, '6' => HomeIPv6, 'u' => HomeLocal, _ => default }).Where(host => host != default);
        var situation = Situation([.. hosts], "srflx 203.0.113.1:5000, host [2001:db8:2::1]:5000") with { HasNat64 = ours.Contains('n', StringComparison.Ordinal) };
        if (ours.Contains('r', StringComparison.Ordinal)) situation = situation with { LocalReflexive = [Endpoint.Parse("[2001:db8:9::1]:40000")] };
        Assert.Equal(expected, Rank(situation));
    }

    [Theory]
    [InlineData("srflx 203.0.113.1:5000, host 192.168.7.1:5000", true)]
    [InlineData("srflx 203.0.113.1:5000, host [2001:db8:2::1]:5000", false)]
    // Without any address in the internet it is another failure.
    [InlineData("host 192.168.7.1:5000", false)]
    public void An_IPv6_host_knows_whom_it_cannot_reach(string candidates, bool isOfAnotherFamily) =>
        Assert.Equal(isOfAnotherFamily, PunchTargets.AreOfAnotherFamily(Situation([HomeIPv6], candidates)));

    // By what UDP goes: the families that we have, or a translator gives us.
    [Theory]
    [InlineData("46", "[2001:db8:2::1]:5001 203.0.113.1:5001")]
    [InlineData("4", "203.0.113.1:5001")]
    [InlineData("6", "[2001:db8:2::1]:5001")]
    [InlineData("6n", "[2001:db8:2::1]:5001 203.0.113.1:5001")]
    public void TCP_goes_to_candidates_of_its_own_of_both_families(string ours, string expected)
    {
        var hosts = ours.Select(letter => letter switch { '4' => HomeIPv4, '6' => HomeIPv6, _ => default }).Where(host => host != default);
        var situation = Situation([.. hosts], "srflx 203.0.113.1:5000") with { HasNat64 = ours.Contains('n', StringComparison.Ordinal) };
        situation = situation with
        {
            RemoteCandidates =
            [
                .. situation.RemoteCandidates,
                new Candidate(CandidateKind.Host, Endpoint.Parse("[2001:db8:2::1]:5001")) { Carrier = Carrier.Tcp },
                new Candidate(CandidateKind.ServerReflexive, Endpoint.Parse("203.0.113.1:5001")) { Carrier = Carrier.Tcp },
            ],
        };
        Assert.Equal(expected, string.Join(' ', TcpPunchPlan.Create(situation).Select(target => target.Endpoint)));
        Assert.Equal(ours == "6" ? [] : ["203.0.113.1:5000"], PunchTargets.Rank(situation, Carrier.Udp).Select(target => target.Endpoint.ToString()));
    }

    // PROTOCOL §5: no router has a port of the peer's to move, so message 1 opens; IPv4 follows behind its openers' lead.
    [Fact]
    public void To_an_IPv6_address_of_the_peers_own_message_1_goes_at_once_and_IPv4_comes_a_lead_later()
    {
        var plan = PunchPlan.Create(Situation([HomeIPv4, HomeIPv6], "srflx 203.0.113.1:5000, host [2001:db8:2::1]:5000"));
        Assert.Equal(
            ["0 Handshake [2001:db8:2::1]:5000 0", "0 Opener 203.0.113.1:5000 2", "20 Handshake 203.0.113.1:5000 0", "33 Handshake [2001:db8:2::1]:5000 0"],
            plan.Take(4).Select(probe => $"{probe.At.TotalMilliseconds} {probe.Kind} {probe.Destination} {probe.TimeToLive}"));
        Assert.Equal(PunchPlan.Flights, plan.Count(probe => !probe.Destination.IsIPv4));
    }

    // Some router changed it, so there is one that has ports to move.
    [Fact]
    public void A_translated_IPv6_address_is_opened_for_like_IPv4() => Assert.Equal(
        PunchPlan.Flights + PunchPlan.OpenerFlights,
        PunchPlan.Create(Situation([HomeIPv6], "srflx [2001:db8:2::1]:5000")).Count);

    // As every machine with containers has them: bridges of the same networks, with the same addresses, and some with others.
    [Fact]
    public void Networks_that_every_machine_has_do_not_delay_the_one_that_both_are_in()
    {
        HostAddress[] bridges = [.. Enumerable.Range(17, 15).Select(n => new HostAddress(Endpoint.Parse($"172.{n}.0.1:40000"), 16))];
        var theirs = string.Join(", ", Enumerable.Range(17, 10).Select(n => $"host 172.{n}.0.1:5000").Concat(Enumerable.Range(27, 5).Select(n => $"host 172.{n}.0.9:5000")));
        var targets = PunchTargets.Rank(Situation([HomeIPv4, .. bridges], $"{theirs}, host 192.168.1.20:5000"), Carrier.Udp);
        Assert.Equal((Endpoint.Parse("192.168.1.20:5000"), PunchPlan.MaxPrivateCandidates), (targets[0].Endpoint, targets.Count));
        // Their own addresses only where there is nothing better, as between two processes of one machine.
        Assert.All(targets.Skip(1), target => Assert.EndsWith(".0.9:5000", target.Endpoint.ToString(), StringComparison.Ordinal));
    }

    [Theory]
    // A port that the peer's router maps within the carrier's network: to who is behind the same carrier, a router further than a LAN.
    [InlineData("srflx 198.51.100.1:6000, mapped 100.64.1.9:5000", "100.64.1.9:5000/5 198.51.100.1:6000/0")]
    [InlineData("srflx 198.51.100.1:6000, mapped 192.168.7.1:5000, host 10.0.0.1:5000", "192.168.7.1:5000/5 10.0.0.1:5000/3 198.51.100.1:6000/0")]
    // To others it is nothing.
    [InlineData("srflx 203.0.113.1:6000, mapped 100.64.1.9:5000", "203.0.113.1:6000/0")]
    public void A_mapped_port_between_two_NATs_is_for_who_is_behind_the_same(string candidates, string expected) => Assert.Equal(
        expected, string.Join(' ', PunchTargets.Rank(Situation([HomeIPv4], candidates), Carrier.Udp).Select(target => $"{target.Endpoint}/{target.TimeToLive}")));

    [Fact]
    public void Twenty_nine_addresses_of_one_family_do_not_delay_the_other()
    {
        var noise = string.Join(", ", Enumerable.Range(1, 29).Select(i => $"host [2001:db8:2::{i:x}]:5000"));
        var plan = PunchPlan.Create(Situation([HomeIPv4, HomeIPv6], $"{noise}, srflx 203.0.113.1:5000"));
        Assert.Equal(PunchPlan.OpenerLead, plan.First(probe => probe.Destination.IsIPv4 && probe.Kind == ProbeKind.Handshake).At);
    }

    private static string Rank(PunchSituation situation) => string.Join(' ', PunchTargets.Rank(situation, Carrier.Udp).Select(target => target.Endpoint));

    private static PunchSituation Situation(HostAddress[] hosts, string candidates) => new(
        hosts,
        hosts.Contains(HomeIPv4) ? [Endpoint.Parse("198.51.100.1:40000")] : [],
        [.. candidates.Split(", ").Select(text => text.Split(' ')).Select(parts =>
            new Candidate(parts[0] switch { "srflx" => CandidateKind.ServerReflexive, "mapped" => CandidateKind.Mapped, _ => CandidateKind.Host }, Endpoint.Parse(parts[1])))],
        AllowLoopback: false);
}
