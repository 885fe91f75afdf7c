using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>
/// What made a connection between two networks is remembered, and begun at once the next time. A second meeting is another virtual internet of the same seed, in which
/// both processes know what those of the first have left.
/// </summary>
public sealed class SecondMeetingTests
{
    private const int Seeds = 10;

    private static readonly TimeSpan Patience = PeerSession.SearchDuration;

    [Theory]
    [InlineData("symmetric in a block", "port-restricted", true)]
    [InlineData("port-restricted", "symmetric in a block", true)]
    [InlineData("symmetric", "firewall", true)]
    [InlineData("symmetric by address", "port-restricted", false)] // with one address a server cannot tell, so the first waits a second
    public void A_search_that_helped_begins_at_once(string first, string second, bool hasAlternate)
    {
        var isShown = false;
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            var known = new Memory();
            var begins = new List<TimeSpan>();
            for (var meeting = 0; meeting < 2 && (meeting == 0 || !known.IsEmpty); meeting++)
            {
                SimulationRun.Check(seed, internet =>
                {
                    using var scenario = Meet(internet, Network.Named(first), Network.Named(second), known, hasAlternate);
                    var hard = first.StartsWith("symmetric", StringComparison.Ordinal) ? scenario.First : scenario.Second;
                    Assert.True(internet.RunUntil(() => hard.EventsOf<NodeEvent.MemberJoined>().Any(), Patience), "Nobody came.");
                    var learnedAt = internet.Now;
                    Assert.True(internet.RunUntil(() => hard.Node.Statistics.SearchMappings > 0 || hard.EventsOf<NodeEvent.Connected>().Any(), Patience), "No search began.");
                    // Once in the block's 1,024 ports the plain punch meets the one that STUN saw.
                    if (hard.Node.Statistics.SearchMappings > 0) begins.Add(internet.Now - learnedAt);
                    Assert.True(scenario.RunUntilConnected(Patience), "The peers did not connect.");
                    known.Take(scenario);
                    // A search may meet the main socket's port as well.
                    WayKind[] expected = hard.EventsOf<NodeEvent.Connected>().Single().Path.Local == SocketId.Main ? [] : [WayKind.Search];
                    Assert.Equal(expected, known.Of(hard == scenario.First).Select(way => way.Kind));
                });
            }
            if (begins.Count < 2) continue;
            isShown = true;
            Assert.True(begins[0] >= (hasAlternate ? SearchPlan.BirthdayDelay : SearchPlan.UnknownDelay), $"The first search began after {begins[0]}.");
            // Behind the profile, which takes two round trips to the server.
            Assert.True(begins[1] <= TimeSpan.FromMilliseconds(200), $"The second search began after {begins[1]}.");
        }
        Assert.True(isShown);
    }

    [Fact]
    public void A_fresh_socket_that_helped_is_opened_at_once()
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            var known = new Memory();
            var elapsed = new List<TimeSpan>();
            for (var meeting = 0; meeting < 2; meeting++)
            {
                SimulationRun.Check(seed, internet =>
                {
                    // By TCP they meet anyway: such a router's reset undoes what the early SYN did.
                    using var scenario = Meet(internet, Network.Named("accepting"), Network.Named("accepting"), known, hasAlternate: false, lag: TimeSpan.FromMilliseconds(200), tcpPort: 0);
                    Assert.True(scenario.RunUntilConnected(Patience), "The peers did not connect.");
                    elapsed.Add(scenario.Elapsed);
                    known.Take(scenario);
                    Assert.Equal(WayKind.FreshSocket, Assert.Single((KnownWay[])[.. known.Of(first: true), .. known.Of(first: false)]).Kind);
                });
            }
            Assert.True(elapsed[1] <= elapsed[0] - TimeSpan.FromMilliseconds(300), $"It took {elapsed[0]}, and then {elapsed[1]}.");
        }
    }

    [Fact]
    public void TCP_that_helped_does_not_wait_for_UDP()
    {
        var network = Network.Named("symmetric") with { Nat = NatBehavior.Symmetric with { Tcp = NatBehavior.PortRestricted } };
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            var known = new Memory();
            var elapsed = new List<TimeSpan>();
            for (var meeting = 0; meeting < 2; meeting++)
            {
                SimulationRun.Check(seed, internet =>
                {
                    using var scenario = Meet(internet, network, network, known, hasAlternate: true);
                    Assert.True(scenario.RunUntilConnected(Patience), "The peers did not connect.");
                    elapsed.Add(scenario.Elapsed);
                    known.Take(scenario);
                    Assert.All((bool[])[true, false], first => Assert.Equal(WayKind.Tcp, Assert.Single(known.Of(first)).Kind));
                });
            }
            Assert.True(elapsed[0] >= TcpPunchPlan.HeadStartOfUdp, $"It took {elapsed[0]}.");
            Assert.True(elapsed[1] <= TimeSpan.FromMilliseconds(200), $"It took {elapsed[0]}, and then {elapsed[1]}.");
        }
    }

    [Fact]
    public void The_plain_punch_goes_beside_and_what_it_does_is_remembered_no_more()
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            var known = new Memory();
            SimulationRun.Check(seed, internet =>
            {
                using var scenario = Meet(internet, Network.Named("symmetric"), Network.Named("port-restricted"), known, hasAlternate: true);
                Assert.True(scenario.RunUntilConnected(Patience), "The peers did not connect.");
                known.Take(scenario);
            });
            Assert.Single(known.Of(first: true));
            SimulationRun.Check(seed, internet =>
            {
                // The same addresses, and other routers.
                using var scenario = Meet(internet, Network.Named("port-restricted"), Network.Named("port-restricted"), known, hasAlternate: true);
                Assert.True(scenario.RunUntilConnected(Patience), "The peers did not connect.");
                Assert.True(scenario.Elapsed <= TimeSpan.FromMilliseconds(100), $"It took {scenario.Elapsed}.");
                known.Take(scenario);
            });
            Assert.Empty(known.Of(first: true));
        }
    }

    [Fact]
    public void What_fails_is_remembered_no_more()
    {
        var known = new Memory();
        SimulationRun.Check(1, internet =>
        {
            using var scenario = Meet(internet, Network.Named("symmetric"), Network.Named("port-restricted"), known, hasAlternate: true);
            Assert.True(scenario.RunUntilConnected(Patience), "The peers did not connect.");
            known.Take(scenario);
        });
        Assert.Single(known.Of(first: true));
        SimulationRun.Check(1, internet =>
        {
            using var scenario = Meet(internet, Network.Named("symmetric"), Network.Named("symmetric"), known, hasAlternate: true);
            Assert.False(scenario.RunUntilConnected(TimeSpan.FromSeconds(1)));
            Assert.Equal(PunchFailure.SymmetricBoth, scenario.First.EventsOf<NodeEvent.Failed>().Single().Failure.Cause);
            known.Take(scenario);
        });
        Assert.Empty(known.Of(first: true));
    }

    private static MeetingScenario Meet(VirtualInternet internet, Network first, Network second, Memory known, bool hasAlternate, TimeSpan lag = default, ushort tcpPort = SimulatedPeer.Port)
    {
        var scenario = MeetingScenario.Between(internet, first, second, new MeetingConditions(20, 0).Link, tcpPort, hasAlternate);
        known.Give(scenario);
        scenario.First.Lag = lag;
        scenario.JoinBoth();
        return scenario;
    }

    private sealed class Memory
    {
        private KnownWay[] _first = [];
        private KnownWay[] _second = [];

        public bool IsEmpty => _first.Length + _second.Length == 0;

        public KnownWay[] Of(bool first) => first ? _first : _second;

        public void Give(MeetingScenario scenario)
        {
            scenario.First.Node.RememberWays(_first);
            scenario.Second.Node.RememberWays(_second);
        }

        public void Take(MeetingScenario scenario)
        {
            if (scenario.First.Node.TryTakeKnownWays(out var ofFirst)) _first = [.. ofFirst];
            if (scenario.Second.Node.TryTakeKnownWays(out var ofSecond)) _second = [.. ofSecond];
        }
    }
}
