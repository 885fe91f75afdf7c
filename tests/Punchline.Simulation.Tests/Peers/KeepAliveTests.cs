using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>
/// Connections on which nothing is said: PROTOCOL §7. They are calls', outside rooms, and none has TCP. Bytes are counted with 28 of IPv4 and UDP a packet, or 48 of IPv6 and UDP.
/// </summary>
public sealed class KeepAliveTests
{
    private const int HeadersLength = 28;
    private const int IPv6HeadersLength = 48;

    private static readonly LinkConditions Link = LinkConditions.Of(20);
    private static readonly TimeSpan OneWay = 2 * Link.Delay;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // Ten seconds until it begins, two rounds of five minutes at most.
    private static readonly TimeSpan Search = TimeSpan.FromMinutes(12);

    public static IEnumerable<TheoryDataRow<int, string, bool, int>> Routers() =>
        from router in (string[])[nameof(NatBehavior.PortRestricted), nameof(NatBehavior.ConeRandomPort), nameof(NatBehavior.AddressRestricted)]
        from isRefreshedFromOutside in (bool[])[true, false]
        from row in ((int, int)[])[(20, 7_500), (30, 5_000), (45, 4_000), (60, 3_000), (120, 1_900), (300, 1_000)]
        select new TheoryDataRow<int, string, bool, int>(row.Item1, router, isRefreshedFromOutside, row.Item2);

    [Theory]
    [MemberData(nameof(Routers))]
    public void A_routers_lifetime_is_learnt_and_an_hour_later_both_sides_first_words_arrive_at_once(int seconds, string router, bool isRefreshedFromOutside, int mostBytes)
    {
        foreach (var seed in SimulationSeeds.Take(1))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var call = new Call(internet, Router(router, seconds, isRefreshedFromOutside), Router(router, 120, isRefreshedFromOutside));
                internet.RunFor(Search);
                AssertLearnt(call.Caller, seconds);
                AssertLearnt(call.Callee, 120);
                Assert.All(call.Phones, phone => Assert.InRange(phone.SideSockets.Most, 1, 6));
                var (sent, received) = call.CountBytes(Hour);
                Assert.InRange(sent, 1, mostBytes);
                Assert.InRange(received, 1, 1_900);
                call.AssertFirstWordsArriveAtOnce();
                call.AssertNothingEnded();
            }, $"{seconds}|{router}|{isRefreshedFromOutside}|{mostBytes}");
        }
    }

    // A packet has 48 bytes of IPv6 and UDP: one in 23.6 s takes 7.5 kB an hour, in which 5 kB would be one in 35 s.
    [Theory]
    [InlineData(30, true, 7_900)]
    [InlineData(60, false, 4_200)]
    [InlineData(120, true, 2_200)]
    public void A_firewalls_lifetime_is_learnt_over_IPv6(int seconds, bool isRefreshedFromOutside, int mostBytes) => SimulationRun.Check(1, internet =>
    {
        using var call = new Call(
            internet, NatBehavior.Symmetric, NatBehavior.Symmetric, ipv6: (Router(nameof(NatBehavior.Firewall), seconds, isRefreshedFromOutside), Router(nameof(NatBehavior.Firewall), 120, isRefreshedFromOutside)));
        internet.RunFor(Search);
        Assert.Equal((null, null), (call.Caller.Node.MappingLifetime, call.Callee.Node.MappingLifetime));
        foreach (var (phone, lifetime) in new[] { (call.Caller, seconds), (call.Callee, 120) })
            Assert.InRange(phone.Node.IPv6Lifetime?.Idle ?? TimeSpan.Zero, TimeSpan.FromSeconds(0.85 * lifetime), TimeSpan.FromSeconds(lifetime));
        Assert.Equal((0, 0), (call.Caller.SideSockets.Count, call.Callee.SideSockets.Count));
        var (sent, received) = call.CountBytes(Hour);
        Assert.InRange(sent, 1, mostBytes);
        Assert.InRange(received, 1, 2_200);
        call.AssertFirstWordsArriveAtOnce();
        call.AssertNothingEnded();
        // A later start in the same network, at another address there.
        Assert.True(call.Caller.Node.TryTakeKnownLifetimes(out var known));
        var later = call.Scenario.AddPhone(internet.AddMachine("later", call.Caller.Machine.Site!));
        later.Node.RememberLifetimes(known);
        later.OpenInbox();
        internet.RunFor(TimeSpan.FromSeconds(1));
        Assert.Equal(call.Caller.Node.IPv6Lifetime, later.Node.IPv6Lifetime);
    });

    [Fact]
    public void At_5_percent_loss_lifetimes_are_still_learnt()
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var call = new Call(internet, Router(nameof(NatBehavior.PortRestricted), 60, false), Router(nameof(NatBehavior.PortRestricted), 30, true), LinkConditions.Of(20, 0.025));
                internet.RunFor(Search);
                // Where both requests of an age are lost it is taken for dead: never too long.
                AssertLearnt(call.Caller, 60, least: 0.7);
                AssertLearnt(call.Callee, 30, least: 0.7);
            });
        }
    }

    [Fact]
    public void A_later_start_in_the_same_network_needs_no_search()
    {
        SimulationRun.Check(1, internet =>
        {
            using var call = new Call(internet, Router(nameof(NatBehavior.PortRestricted), 60, true), NatBehavior.PortRestricted);
            internet.RunFor(Search);
            Assert.True(call.Caller.Node.TryTakeKnownLifetimes(out var known));
            Assert.False(call.Caller.Node.TryTakeKnownLifetimes(out _));
            call.Caller.Kill();
            var later = call.Scenario.AddPhone(call.Caller.Machine);
            later.Node.RememberLifetimes(known);
            var room = later.Call(call.Callee.Id);
            internet.RunFor(TimeSpan.FromSeconds(1));
            call.Callee.Accept(call.Scenario.Inbox);
            Assert.True(internet.RunUntil(() => later.IsConnected(room), TimeSpan.FromSeconds(2)));
            Assert.Equal(known[^1].Lifetime, later.Node.MappingLifetime);
            Assert.Equal(47.2, later.Node.KeepAliveInterval.TotalSeconds, 0.1);
            internet.RunFor(Search);
            Assert.Equal(0, later.SideSockets.Most);
        });
    }

    [Fact]
    public void Where_the_network_changes_what_was_learnt_counts_no_more()
    {
        SimulationRun.Check(1, internet =>
        {
            using var call = new Call(internet, Router(nameof(NatBehavior.PortRestricted), 300, true), NatBehavior.PortRestricted);
            internet.RunFor(Search);
            AssertLearnt(call.Caller, 300);
            var elsewhere = internet.AddSite("elsewhere", Router(nameof(NatBehavior.PortRestricted), 30, true), new SiteOptions { Link = Link });
            call.Caller.Roam(elsewhere);
            Assert.Equal((null, TimeSpan.FromSeconds(15)), (call.Caller.Node.MappingLifetime, call.Caller.Node.KeepAliveInterval));
            internet.RunFor(Search);
            AssertLearnt(call.Caller, 30);
            internet.RunFor(Hour);
            call.AssertFirstWordsArriveAtOnce();
            call.AssertNothingEnded();
        });
    }

    [Theory] // seconds into the search
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(30)]
    [InlineData(60)]
    [InlineData(140)]
    public void A_server_that_dies_during_the_search_costs_bytes_and_nothing_else(int seconds)
    {
        SimulationRun.Check(1, internet =>
        {
            using var call = new Call(internet, Router(nameof(NatBehavior.PortRestricted), 120, true), Router(nameof(NatBehavior.PortRestricted), 30, true));
            internet.RunFor(MappingKeeper.Delay + TimeSpan.FromSeconds(seconds));
            call.Scenario.Server.Kill();
            internet.RunFor(Search);
            // What had lived until then is known, and no more is taken for granted.
            Assert.InRange(call.Caller.Node.KeepAliveInterval, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(0.8 * 120));
            Assert.InRange(call.Callee.Node.KeepAliveInterval, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(0.8 * 30));
            Assert.All(call.Phones, phone => Assert.Equal(0, phone.SideSockets.Count));
            internet.RunFor(Hour);
            call.AssertFirstWordsArriveAtOnce();
            call.AssertNothingEnded();
        });
    }

    [Theory]
    [InlineData(StunLie.Silent)] // about mappings that live
    [InlineData(StunLie.Refresh)] // what it was to let die
    [InlineData(StunLie.Unknowing)] // of RESPONSE-PORT
    [InlineData(StunLie.Garbage)]
    internal void A_server_that_lies_about_mappings_harms_nothing(StunLie lie)
    {
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var call = new Call(internet, Router(nameof(NatBehavior.PortRestricted), 30, true), Router(nameof(NatBehavior.ConeRandomPort), 60, true), lie: lie);
                for (var minutes = 0; minutes < 120; minutes += 20)
                {
                    internet.RunFor(TimeSpan.FromMinutes(20));
                    call.AssertWordsArrive(TimeSpan.FromSeconds(5));
                    Assert.All(call.Phones, phone => Assert.InRange(phone.Node.KeepAliveInterval, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(240)));
                    Assert.All(call.Phones, phone => Assert.InRange(phone.SideSockets.Most, 0, 8));
                }
                call.AssertNothingEnded();
            }, lie.ToString());
        }
    }

    [Fact] // a lie that keeps mappings alive behind our back, as no packet that comes in shows
    public void A_path_that_dies_although_it_is_kept_is_kept_better_and_what_was_learnt_is_measured_anew()
    {
        SimulationRun.Check(1, internet =>
        {
            using var call = new Call(internet, Router(nameof(NatBehavior.ConeRandomPort), 40, true), NatBehavior.FullCone, known: new MappingLifetime(TimeSpan.FromSeconds(295)));
            Assert.Equal(236, call.Caller.Node.KeepAliveInterval.TotalSeconds, 0.1);
            internet.RunFor(TimeSpan.FromMinutes(10));
            // The callee misses the caller's bytes, which come from another port, and asks; or its words do.
            call.AssertWordsArrive(TimeSpan.FromSeconds(5));
            internet.RunFor(TimeSpan.FromMinutes(30));
            AssertLearnt(call.Caller, 40);
            Assert.InRange(call.Caller.Node.KeepAliveInterval, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(0.8 * 40));
            Assert.True(call.Caller.Node.TryTakeKnownLifetimes(out var known));
            Assert.InRange(Assert.Single(known).Lifetime.Idle, TimeSpan.Zero, TimeSpan.FromSeconds(40));
            internet.RunFor(Hour);
            call.AssertFirstWordsArriveAtOnce();
            call.AssertNothingEnded();
        });
    }

    public static IEnumerable<TheoryDataRow<string, string>> Ageing() =>
        from caller in (string[])[nameof(NatBehavior.PortRestricted), nameof(NatBehavior.ConeRandomPort), nameof(NatBehavior.AddressRestricted)]
        from callee in (string[])[nameof(NatBehavior.PortRestricted), nameof(NatBehavior.ConeRandomPort), nameof(NatBehavior.FullCone)]
        select new TheoryDataRow<string, string>(caller, callee);

    [Theory] // 600 s on both sides
    [MemberData(nameof(Ageing))]
    public void Where_mappings_are_known_to_die_at_an_age_paths_are_renewed_before_and_no_word_waits(string caller, string callee)
    {
        foreach (var seed in SimulationSeeds.Take(2))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var call = new Call(internet, Ageing(caller), Ageing(callee), known: new MappingLifetime(TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(450)));
                AssertNoWordWaits(internet, call, Hour);
                Assert.All(call.Phones, phone => Assert.InRange(phone.SideSockets.Most, 1, 8));
            }, $"{caller}|{callee}");
        }
    }

    [Theory]
    [MemberData(nameof(Ageing))]
    public void That_mappings_die_at_an_age_is_noticed_and_then_no_word_waits(string caller, string callee)
    {
        SimulationRun.Check(1, internet =>
        {
            using var call = new Call(internet, Ageing(caller), Ageing(callee));
            internet.RunFor(TimeSpan.FromMinutes(50));
            Assert.All(call.Phones, phone => Assert.InRange(phone.Node.MappingLifetime?.MaxAge ?? TimeSpan.Zero, TimeSpan.FromSeconds(450), TimeSpan.FromSeconds(600)));
            AssertNoWordWaits(internet, call, Hour);
        }, $"{caller}|{callee}");
    }

    private static void AssertNoWordWaits(VirtualInternet internet, Call call, TimeSpan time)
    {
        var end = internet.Now + time;
        while (internet.Now < end)
        {
            internet.RunFor(TimeSpan.FromSeconds(internet.Now.Ticks % 2 == 0 ? 7 : 43));
            call.AssertFirstWordsArriveAtOnce();
        }
        call.AssertNothingEnded();
    }

    private static NatBehavior Ageing(string name) => Router(name, 60, isRefreshedFromOutside: true) with { MaxMappingAge = TimeSpan.FromSeconds(600) };

    private static void AssertLearnt(SimulatedPhone phone, int seconds, double least = 0.85) =>
        Assert.InRange(phone.Node.MappingLifetime?.Idle ?? TimeSpan.Zero, TimeSpan.FromSeconds(least * seconds), TimeSpan.FromSeconds(seconds));

    private static NatBehavior Router(string name, int seconds, bool isRefreshedFromOutside) => Nat.NatBehaviorTests.Preset(name) with
    {
        MappingLifetime = TimeSpan.FromSeconds(seconds),
        UnrepliedLifetime = TimeSpan.FromSeconds(Math.Min(seconds, 30)),
        StreamAge = TimeSpan.FromSeconds(2),
        InboundRefresh = isRefreshedFromOutside,
    };

    /// <summary>Two peers, connected.</summary>
    private sealed class Call : IDisposable
    {
        private readonly (int AtCaller, int AtCallee) _rooms;
        private int _words;

        public Call(VirtualInternet internet, NatBehavior caller, NatBehavior callee, LinkConditions? link = null, MappingLifetime? known = null, StunLie lie = StunLie.None, (NatBehavior OfCaller, NatBehavior OfCallee)? ipv6 = null)
        {
            Scenario = new CallScenario(internet, link ?? Link, caller, callee, ipv6?.OfCaller, ipv6?.OfCallee);
            Scenario.Server.Lie = lie;
            _rooms = Scenario.CallAndAccept();
            Assert.True(Scenario.RunUntilConnected(_rooms, TimeSpan.FromSeconds(5)));
            if (known is not { } lifetime) return;
            foreach (var phone in Phones) phone.Node.RememberLifetimes([new KnownLifetime(phone.Node.Network!.Value, lifetime)]);
        }

        public CallScenario Scenario { get; }

        public SimulatedPhone Caller => Scenario.Caller;

        public SimulatedPhone Callee => Scenario.Callee;

        public IEnumerable<SimulatedPhone> Phones => [Caller, Callee];

        /// <summary>What the two send each other meanwhile.</summary>
        public (int OfCaller, int OfCallee) CountBytes(TimeSpan time)
        {
            var (before, beforeOfCallee) = (Caller.Sent.Count, Callee.Sent.Count);
            Scenario.Internet.RunFor(time);
            return (Count(Caller, before), Count(Callee, beforeOfCallee));

            int Count(SimulatedPhone phone, int first) =>
                phone.Sent.Skip(first).Where(packet => !Scenario.Server.StunEndpoints.Contains(packet.To)).Sum(packet => packet.Bytes.Length + (packet.To.IsIPv4 ? HeadersLength : IPv6HeadersLength));
        }

        /// <summary>Each one's, before the other has answered.</summary>
        public void AssertFirstWordsArriveAtOnce()
        {
            _words++;
            Assert.True(Caller.Send(_rooms.AtCaller, $"caller {_words}"));
            Assert.True(Callee.Send(_rooms.AtCallee, $"callee {_words}"));
            Scenario.Internet.RunFor(OneWay);
            Assert.Equal($"callee {_words}", Caller.TextsIn(_rooms.AtCaller).LastOrDefault());
            Assert.Equal($"caller {_words}", Callee.TextsIn(_rooms.AtCallee).LastOrDefault());
        }

        /// <summary>Where the path has died meanwhile, by another one.</summary>
        public void AssertWordsArrive(TimeSpan within)
        {
            _words++;
            Assert.True(Caller.Send(_rooms.AtCaller, $"caller {_words}"));
            Assert.True(Callee.Send(_rooms.AtCallee, $"callee {_words}"));
            Assert.True(Scenario.Internet.RunUntil(
                () => Caller.TextsIn(_rooms.AtCaller).LastOrDefault() == $"callee {_words}" && Callee.TextsIn(_rooms.AtCallee).LastOrDefault() == $"caller {_words}", within));
        }

        public void AssertNothingEnded() => Assert.All(Phones, phone => Assert.DoesNotContain(phone.Events, e => e is NodeEvent.Disconnected or NodeEvent.MemberLeft));

        public void Dispose() => Scenario.Dispose();
    }
}
