using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests;

/// <summary>
/// The trap that the laboratory found in real kernels, and its cure: two routers that accept unsolicited packets, two hosts
/// that know each other's external endpoints and send from them, without any protocol. Sites are 10 ms apart, one way.
/// </summary>
public sealed class PunchingTrapTests
{
    private const ushort Port = 5000;
    private const byte DiesInTheCore = 2;
    private const byte EndsAtThePeersRouter = 3;

    private static readonly byte[] ProbeBytes = "probe"u8.ToArray();

    [Theory]
    [InlineData(nameof(NatBehavior.PortRestricted), 0, true)]
    [InlineData(nameof(NatBehavior.PortRestricted), 200, true)]
    [InlineData(nameof(NatBehavior.PortRestrictedRejecting), 200, true)]
    [InlineData(nameof(NatBehavior.PortRestrictedAccepting), 9, true)] // both had sent when the first probe arrived
    [InlineData(nameof(NatBehavior.PortRestrictedAccepting), 11, false)]
    [InlineData(nameof(NatBehavior.PortRestrictedAccepting), 200, false)]
    public void Naive_punching_meets_unless_an_accepting_router_sees_a_probe_first(string preset, int laterMilliseconds, bool meet)
    {
        foreach (var seed in SimulationSeeds.Take(20))
        {
            SimulationRun.Check(seed, internet =>
            {
                var pair = new Pair(internet, Nat.NatBehaviorTests.Preset(preset));
                pair.Probe(pair.First, at: 0, timeToLive: 0);
                pair.Probe(pair.Second, at: laterMilliseconds, timeToLive: 0);
                Assert.Equal(meet, pair.Meet());
                Assert.Equal(meet ? 0 : 1, internet.Trace.Count(Verdict.MappingMoved));
            }, $"{preset} {laterMilliseconds} ms");
        }
    }

    [Theory]
    [InlineData(DiesInTheCore, true)]
    [InlineData(EndsAtThePeersRouter, false)] // too large: it is the early probe that it should prevent
    public void Openers_that_die_before_the_peers_router_cure_it(byte openerTimeToLive, bool meet)
    {
        foreach (var seed in SimulationSeeds.Take(20))
        {
            SimulationRun.Check(seed, internet =>
            {
                var pair = new Pair(internet, NatBehavior.PortRestrictedAccepting);
                pair.Probe(pair.First, at: 0, openerTimeToLive);
                pair.Probe(pair.Second, at: 200, openerTimeToLive);
                pair.Probe(pair.First, at: 400, timeToLive: 0);
                pair.Probe(pair.Second, at: 600, timeToLive: 0);
                Assert.Equal(meet, pair.Meet());
            }, $"opener of TTL {openerTimeToLive}");
        }
    }

    [Theory] // the opener must have left before the peer's full probe arrives: 5 ms of lead and 10 ms of way
    [InlineData(14, true)]
    [InlineData(16, false)]
    public void An_opener_five_milliseconds_ahead_buys_five_milliseconds(int laterMilliseconds, bool meet)
    {
        SimulationRun.Check(1, internet =>
        {
            var pair = new Pair(internet, NatBehavior.PortRestrictedAccepting);
            foreach (var (peer, start) in new[] { (pair.First, 0), (pair.Second, laterMilliseconds) })
            {
                pair.Probe(peer, start, DiesInTheCore);
                pair.Probe(peer, start + 5, timeToLive: 0);
            }
            Assert.Equal(meet, pair.Meet());
        });
    }

    [Fact]
    public void One_accepting_router_is_enough_if_its_host_is_late()
    {
        SimulationRun.Check(1, internet =>
        {
            var late = new Pair(internet, NatBehavior.PortRestricted, NatBehavior.PortRestrictedAccepting);
            late.Probe(late.First, at: 0, timeToLive: 0);
            late.Probe(late.Second, at: 200, timeToLive: 0);
            Assert.False(late.Meet());
        });
        SimulationRun.Check(1, internet =>
        {
            var early = new Pair(internet, NatBehavior.PortRestricted, NatBehavior.PortRestrictedAccepting);
            early.Probe(early.Second, at: 0, timeToLive: 0);
            early.Probe(early.First, at: 200, timeToLive: 0);
            Assert.True(early.Meet());
        });
    }

    [Fact]
    public void A_full_cone_that_answers_the_observed_source_heals_the_moved_port()
    {
        SimulationRun.Check(1, internet =>
        {
            var pair = new Pair(internet, NatBehavior.FullCone, NatBehavior.PortRestrictedAccepting);
            pair.Probe(pair.First, at: 0, timeToLive: 0);
            pair.Probe(pair.Second, at: 200, timeToLive: 0);
            Assert.True(pair.Meet());
            Assert.Equal(1, internet.Trace.Count(Verdict.MappingMoved));
        });
    }

    /// <summary>Two peers that probe each other every second for ten, and answer each probe where it came from.</summary>
    private sealed class Pair
    {
        private readonly VirtualInternet _internet;
        private bool _answered;

        public Pair(VirtualInternet internet, NatBehavior first, NatBehavior? second = null)
        {
            _internet = internet;
            First = new Peer(internet, "a", first);
            Second = new Peer(internet, "b", second ?? first);
            First.Target = Second.Site.ExternalAt(Port);
            Second.Target = First.Site.ExternalAt(Port);
            foreach (var peer in new[] { First, Second })
            {
                peer.Host.OnDatagram = (source, datagram) =>
                {
                    if (datagram.Length > ProbeBytes.Length) _answered = true;
                    else peer.Host.Send(source, [.. ProbeBytes, 1]);
                };
            }
        }

        public Peer First { get; }

        public Peer Second { get; }

        public void Probe(Peer peer, int at, byte timeToLive)
        {
            var repeats = timeToLive == 0 ? 10 : 1;
            for (var second = 0; second < repeats; second++)
            {
                _internet.Schedule(Timestamp.FromMilliseconds(at + second * 1000), () => peer.Host.Send(peer.Target, ProbeBytes, timeToLive));
            }
        }

        public bool Meet() => _internet.RunUntil(() => _answered, TimeSpan.FromSeconds(20));
    }

    private sealed class Peer
    {
        public Peer(VirtualInternet internet, string name, NatBehavior behavior)
        {
            Site = internet.AddSite(name, behavior);
            internet.AddMachine(name + "1", Site).Bind(Port, Host);
        }

        public Site Site { get; }

        public ScriptedHost Host { get; } = new();

        public Endpoint Target { get; set; }
    }
}
