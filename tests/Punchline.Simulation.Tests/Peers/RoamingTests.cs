using System.Globalization;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Peers;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Networks that change under a connection: PROTOCOL §7. Each side sends a message every 50 ms all the while, and none is lost or comes twice.</summary>
public sealed class RoamingTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    // Between two sites: two links each way.
    private static readonly TimeSpan RoundTrip = 4 * Link.Delay;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    // Silence is noticed 500 ms after the first packet that is not answered, and that is at most a message's pause and an answer's way later.
    private static readonly TimeSpan Noticed = TimeSpan.FromMilliseconds(500) + Tick + RoundTrip;

    /// <summary>The first one's router reboots, to another address; who of the two has something to say, and whether there is a server.</summary>
    public static IEnumerable<TheoryDataRow<string, string, bool, string>> Reboots() =>
        from first in (string[])["full cone", "port-restricted", "accepting"]
        from second in (string[])["open", "full cone", "port-restricted", "accepting"]
        from isServed in (bool[])[true, false]
        from speaker in (string[])["first", "second", "both"]
        select new TheoryDataRow<string, string, bool, string>(first, second, isServed, speaker);

    // Until a fresh socket is opened and offered: 2 s and some round trips.
    private static readonly TimeSpan Spoiled = TimeSpan.FromSeconds(5);

    [Theory]
    [MemberData(nameof(Reboots))]
    public void A_router_that_reboots_is_crossed_again_where_its_new_address_can_be_heard_of(string first, string second, bool isServed, string speaker)
    {
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = Connected(internet, first, second);
                if (!isServed) KillServer(internet, room);
                var flow = new Flow(internet, room, firstSpeaks: speaker != "second", secondSpeaks: speaker != "first");
                internet.RunFor(TimeSpan.FromSeconds(1));
                internet.Rebind(room.Sites[0]);
                var hearsStrangers = second is "open" or "full cone";
                if (!isServed && !hearsStrangers)
                {
                    // The second one's filter lets nothing in from an address that it never heard of, and nobody tells it.
                    Assert.Null(flow.RunUntilThrough(TimeSpan.FromSeconds(20)));
                    Assert.All(room.Peers, peer => Assert.Single(peer.EventsOf<NodeEvent.MemberLeft>()));
                    return;
                }
                // The first packet from the new address takes the second one's port where its router accepts it; then a fresh socket has to help.
                var isSpoiled = second == "accepting" && first != "full cone";
                var limit = hearsStrangers ? 4 * RoundTrip : isSpoiled ? Noticed + Spoiled : Noticed + (2 * RoundTrip);
                Assert.InRange(flow.RunUntilThrough(TimeSpan.FromSeconds(40))!.Value, TimeSpan.Zero, limit);
                flow.AssertNothingLost();
            }, $"{first}|{second}|{isServed}|{speaker}");
        }
    }

    [Fact]
    public void After_three_seconds_without_a_link_messages_flow_within_a_second_and_two_round_trips()
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = Connected(internet, "port-restricted", "port-restricted");
                var flow = new Flow(internet, room);
                internet.RunFor(TimeSpan.FromSeconds(1));
                room.Sites[0].Uplink.Set(isUp: false);
                internet.RunFor(TimeSpan.FromSeconds(3));
                room.Sites[0].Uplink.Set(isUp: true);
                Assert.InRange(flow.RunUntilThrough(TimeSpan.FromSeconds(5))!.Value, TimeSpan.Zero, TimeSpan.FromSeconds(1) + (2 * RoundTrip));
                flow.AssertNothingLost();
                Assert.All(room.Peers, peer => Assert.Empty(peer.EventsOf<NodeEvent.PathChanged>()));
            });
        }
    }

    [Theory]
    [InlineData("port-restricted", "port-restricted")]
    [InlineData("full cone", "port-restricted")]
    [InlineData("accepting", "open")]
    public void A_machine_that_goes_to_another_network_takes_its_connections_along(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = Connected(internet, first, second);
                var cafe = internet.AddSite("cafe", Network.Named(first).Nat, new SiteOptions { Link = Link });
                var flow = new Flow(internet, room);
                internet.RunFor(TimeSpan.FromSeconds(1));
                room.Peers[0].Roam(cafe);
                Assert.InRange(flow.RunUntilThrough(TimeSpan.FromSeconds(10))!.Value, TimeSpan.Zero, Noticed + (4 * RoundTrip));
                flow.AssertNothingLost();
            });
        }
    }

    [Fact]
    public void Both_move_at_once_and_the_server_introduces_them_anew()
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var room = Connected(internet, "port-restricted", "port-restricted");
                Site[] elsewhere = [.. Enumerable.Range(0, 2).Select(i => internet.AddSite($"cafe-{i}", Network.Named("port-restricted").Nat, new SiteOptions { Link = Link }))];
                var flow = new Flow(internet, room);
                internet.RunFor(TimeSpan.FromSeconds(1));
                for (var i = 0; i < 2; i++) room.Peers[i].Roam(elsewhere[i]);
                Assert.InRange(flow.RunUntilThrough(TimeSpan.FromSeconds(10))!.Value, TimeSpan.Zero, Noticed + (4 * RoundTrip));
                flow.AssertNothingLost();
            });
        }
    }

    [Fact]
    public void Neighbours_that_met_through_their_router_go_over_to_their_own_network_when_they_learn_of_it()
    {
        foreach (var seed in SimulationSeeds.Take(5))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.OnOneLan(internet, Network.Named("port-restricted").Nat with { Hairpin = true }, Link);
                foreach (var peer in (SimulatedPeer[])[meeting.First, meeting.Second]) peer.Node.SetHostAddresses([], internet.Now);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(TimeSpan.FromSeconds(5)));
                internet.RunFor(TimeSpan.FromSeconds(2));
                Assert.All((SimulatedPeer[])[meeting.First, meeting.Second], peer => Assert.False(AddressScope.IsPrivate(peer.EventsOf<NodeEvent.Connected>().Single().Path.Remote)));

                // Without the server: in-band.
                meeting.First.CutServer();
                meeting.Second.CutServer();
                meeting.First.ShowHostAddress();
                meeting.Second.ShowHostAddress();
                Assert.True(internet.RunUntil(() => IsNear(meeting.First) && IsNear(meeting.Second), TimeSpan.FromMilliseconds(100)));
                internet.RunFor(TimeSpan.FromSeconds(5));
                Assert.Single(meeting.First.EventsOf<NodeEvent.PathChanged>());
                Assert.Single(meeting.Second.EventsOf<NodeEvent.PathChanged>());
                Assert.True(meeting.First.Send("over the fence"));
                Assert.True(internet.RunUntil(() => meeting.Second.TextsFrom(meeting.First).Any(), TimeSpan.FromMilliseconds(10)));
            });
        }

        static bool IsNear(SimulatedPeer peer) => peer.EventsOf<NodeEvent.PathChanged>().LastOrDefault() is { } changed && AddressScope.IsPrivate(changed.Path.Remote);
    }

    [Fact]
    public void A_member_that_names_ever_other_addresses_in_band_makes_no_weapon_of_another()
    {
        SimulationRun.Check(1, internet =>
        {
            using var room = Connected(internet, "open", "open");
            var (peer, hostile) = (room.Peers[0], room.Peers[1]);
            KillServer(internet, room);
            for (var i = 0; i < 400; i++)
            {
                hostile.Node.SetHostAddresses([.. Enumerable.Range(0, Candidate.MaxPerPeer).Select(k => new HostAddress(Victim((i * 7) + k), 32))], internet.Now);
                internet.RunFor(Tick);
            }
            var sent = internet.Trace.Recent().Where(e => e.Place == peer.Name && e.Verdict == Verdict.Sent && IsVictim(e.Destination)).ToList();
            Assert.InRange(sent.Select(e => e.Destination).Distinct().Count(), 1, PunchAttempt.MaxTargets);
            Assert.All(sent.GroupBy(e => e.Destination), to =>
            {
                Assert.InRange(to.Count(), 1, ProbeBudget.MaxPacketsPerEndpoint);
                Assert.InRange(to.Sum(e => e.Payload.Length), 1, ProbeBudget.MaxBytesPerEndpoint);
            });
            Assert.True(peer.IsConnectedTo(hostile));
        });

        static Endpoint Victim(int i) => Endpoint.FromIPv4(0x2d00_0000 + (uint)i, 5_000);
        static bool IsVictim(Endpoint endpoint) => endpoint.IPv4 >> 24 == 0x2d;
    }

    private static RoomScenario Connected(VirtualInternet internet, string first, string second)
    {
        var room = new RoomScenario(internet, Link, Network.Named(first).Nat, Network.Named(second).Nat);
        Assert.True(room.JoinAllAndConnect(TimeSpan.FromSeconds(5)));
        internet.RunFor(TimeSpan.FromSeconds(2));
        return room;
    }

    private static void KillServer(VirtualInternet internet, RoomScenario room)
    {
        room.Server.Kill();
        internet.RunFor(TimeSpan.FromSeconds(2));
        Assert.All(room.Peers, peer => Assert.False(peer.Node.IsServed(1)));
    }

    /// <summary>Messages of the peers to each other, and whether they arrive.</summary>
    private sealed class Flow
    {
        private readonly VirtualInternet _internet;
        private readonly RoomScenario _room;
        private readonly int[] _sent = new int[2];
        private readonly bool[] _speaks;

        public Flow(VirtualInternet internet, RoomScenario room, bool firstSpeaks = true, bool secondSpeaks = true)
        {
            (_internet, _room) = (internet, room);
            _speaks = [firstSpeaks, secondSpeaks];
            SendAndComeAgain();
        }

        /// <summary>Until what is said from now on has arrived in each direction; how long that took.</summary>
        public TimeSpan? RunUntilThrough(TimeSpan within)
        {
            var start = _internet.Now;
            var wanted = _sent.ToArray();
            return _internet.RunUntil(() => Enumerable.Range(0, 2).All(i => !_speaks[i] || Received(1 - i) > wanted[i]), within) ? _internet.Now - start : null;
        }

        public void AssertNothingLost()
        {
            _speaks.AsSpan().Clear();
            _internet.RunFor(TimeSpan.FromSeconds(5));
            for (var i = 0; i < 2; i++)
            {
                Assert.Equal(Enumerable.Range(1, _sent[i]).Select(n => n.ToString(CultureInfo.InvariantCulture)), _room.Peers[1 - i].TextsFrom(_room.Peers[i]));
                Assert.Single(_room.Peers[i].EventsOf<NodeEvent.Connected>());
                Assert.Empty(_room.Peers[i].EventsOf<NodeEvent.Disconnected>());
            }
        }

        public string Describe() => string.Join(" | ", _room.Peers.Select(peer =>
            $"{peer.EventsOf<NodeEvent.Connected>().Count()} connected {peer.EventsOf<NodeEvent.PathChanged>().Count()} changed {peer.EventsOf<NodeEvent.MemberLeft>().Count()} left"));

        private int Received(int i) => _room.Peers[i].TextsFrom(_room.Peers[1 - i]).Count();

        private void SendAndComeAgain()
        {
            for (var i = 0; i < 2; i++)
            {
                if (_speaks[i] && _room.Peers[i].Send((_sent[i] + 1).ToString(CultureInfo.InvariantCulture))) _sent[i]++;
            }
            _internet.Schedule(_internet.Now + Tick, SendAndComeAgain);
        }
    }
}
