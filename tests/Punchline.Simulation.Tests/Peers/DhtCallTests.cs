using Punchline.Protocols.Node;
using Punchline.Protocols.Rooms;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Calls by id through the DHT, with no server anywhere.</summary>
public sealed class DhtCallTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(20);

    // The callee looks every 15 seconds, and a search takes some.
    private static readonly TimeSpan MaxFindTime = InboxInDht.MaxPollInterval + TimeSpan.FromSeconds(10);

    [Theory]
    [InlineData("open", "open")]
    [InlineData("port-restricted", "port-restricted")]
    [InlineData("port-restricted", "full cone")]
    [InlineData("full cone", "address-restricted")]
    [InlineData("moved port", "port-restricted")]
    [InlineData("rejecting", "port-restricted")]
    [InlineData("symmetric", "full cone")]
    public void A_call_rings_and_connects_once_it_is_taken(string caller, string callee)
    {
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var dht = new DhtRoomScenario(internet, Link);
                var (alice, bob, inbox) = Start(dht, caller, callee);
                var call = alice.CallInDht(bob.Id);
                Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallRang>().Any(), MaxFindTime), "It did not ring.");
                Assert.Equal((alice.Id, "alice"), (bob.EventsOf<NodeEvent.CallRang>().Single().Peer, bob.EventsOf<NodeEvent.CallRang>().Single().Name));
                // A person takes its time; routers forget what is not kept.
                internet.RunFor(TimeSpan.FromSeconds(40));
                Assert.Empty(bob.EventsOf<NodeEvent.CallWithdrawn>());
                var room = bob.Accept(inbox);
                Assert.True(internet.RunUntil(() => alice.IsConnected(call) && bob.IsConnected(room), TimeSpan.FromSeconds(5)), "It did not connect.");
                Assert.True(alice.Send(call, "hello"));
                internet.RunFor(TimeSpan.FromMinutes(5));
                Assert.Equal(["hello"], bob.TextsIn(room));
                Assert.True(alice.IsConnected(call) && bob.IsConnected(room));
                Assert.Single(alice.EventsOf<NodeEvent.CallTaken>());
                Assert.Single(bob.EventsOf<NodeEvent.CallRang>());
            }, $"{caller} {callee}");
        }
    }

    [Theory]
    [InlineData("port-restricted", "port-restricted")]
    [InlineData("symmetric", "full cone")]
    public void A_call_rings_and_connects_although_every_tenth_packet_is_lost_on_each_link(string caller, string callee)
    {
        foreach (var seed in SimulationSeeds.Take(30))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var dht = new DhtRoomScenario(internet, Link with { Loss = 0.1 });
                var (alice, bob, inbox) = Start(dht, caller, callee);
                var call = alice.CallInDht(bob.Id);
                Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallRang>().Any(), CallerInDht.MaxSearchTime), "It did not ring.");
                var room = bob.Accept(inbox);
                Assert.True(internet.RunUntil(() => alice.IsConnected(call) && bob.IsConnected(room), InboxInDht.SilenceLimit), "It did not connect.");
            }, $"{caller} {callee}");
        }
    }

    [Theory]
    [InlineData(CallRefusalCode.Refused, CallEnding.Refused)]
    [InlineData(CallRefusalCode.Busy, CallEnding.Busy)]
    internal void Who_is_refused_hears_it_and_no_address_but_the_one_in_the_DHT(CallRefusalCode refusal, CallEnding ending)
    {
        SimulationRun.Check(1, internet =>
        {
            using var dht = new DhtRoomScenario(internet, Link);
            var (alice, bob, inbox) = Start(dht, "port-restricted", "port-restricted");
            var call = alice.CallInDht(bob.Id);
            Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallRang>().Any(), MaxFindTime));
            bob.Refuse(inbox, refusal);
            Assert.True(internet.RunUntil(() => alice.EventsOf<NodeEvent.CallEnded>().Any(), TimeSpan.FromSeconds(1)));
            Assert.Equal((call, ending), (alice.EventsOf<NodeEvent.CallEnded>().Single().Room, alice.EventsOf<NodeEvent.CallEnded>().Single().Ending));
            internet.RunFor(TimeSpan.FromSeconds(30));
            Assert.Empty(bob.EventsOf<NodeEvent.Connected>());
            // Introductions alone are of any length; the callee's have no candidate, and so one length.
            Assert.Single(bob.Sent.Where(packet => packet.Bytes[0] == (byte)ContactKind.Introduction).Select(packet => packet.Bytes.Length).Distinct());
            var signal = Assert.Single(bob.Sent, packet => packet.Bytes[0] == CallPacket.SignalType);
            Assert.InRange(signal.Bytes.Length, 1, 60);
        }, $"{refusal}");
    }

    [Fact]
    public void Whose_peer_is_not_there_hears_so_within_seconds_and_whose_was_there_a_minute_ago_within_a_minute()
    {
        SimulationRun.Check(1, internet =>
        {
            using var dht = new DhtRoomScenario(internet, Link);
            var (alice, bob, _) = Start(dht, "port-restricted", "port-restricted");
            var stranger = dht.AddPhone("stranger", NatBehavior.PortRestricted);
            alice.CallInDht(stranger.Id);
            Assert.True(internet.RunUntil(() => alice.EventsOf<NodeEvent.CallEnded>().Any(), TimeSpan.FromSeconds(20)));
            bob.Kill();
            internet.RunFor(TimeSpan.FromMinutes(1));
            alice.CallInDht(bob.Id);
            Assert.True(internet.RunUntil(() => alice.EventsOf<NodeEvent.CallEnded>().Count() == 2, CallerInDht.MaxSearchTime + TimeSpan.FromSeconds(1)));
            Assert.All(alice.EventsOf<NodeEvent.CallEnded>(), ended => Assert.Equal(CallEnding.Offline, ended.Ending));
        });
    }

    [Fact]
    public void A_caller_that_dies_rings_no_more_and_one_that_gives_up_neither()
    {
        SimulationRun.Check(1, internet =>
        {
            using var dht = new DhtRoomScenario(internet, Link);
            var (alice, bob, _) = Start(dht, "port-restricted", "full cone");
            var call = alice.CallInDht(bob.Id);
            Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallRang>().Any(), MaxFindTime));
            alice.Leave(call);
            Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallWithdrawn>().Any(), TimeSpan.FromSeconds(1)));
            var carol = dht.AddPhone("carol", NatBehavior.PortRestricted);
            carol.CallInDht(bob.Id);
            Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallRang>().Count() == 2, MaxFindTime));
            carol.Kill();
            Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallWithdrawn>().Count() == 2, InboxInDht.SilenceLimit + TimeSpan.FromSeconds(1)));
        });
    }

    [Fact]
    public void A_flood_of_rings_from_one_network_leaves_room_for_a_caller_from_another_and_costs_the_callee_little()
    {
        SimulationRun.Check(1, internet =>
        {
            using var dht = new DhtRoomScenario(internet, Link);
            var (alice, bob, inbox) = Start(dht, "port-restricted", "full cone");
            var site = internet.AddSite("flood", NatBehavior.FullCone, new SiteOptions { Link = Link });
            var flood = Enumerable.Range(0, 40).Select(i => dht.AddPhone(internet.AddMachine($"flood-{i}", site))).ToList();
            foreach (var phone in flood) phone.CallInDht(bob.Id);
            internet.RunFor(TimeSpan.FromSeconds(20));
            Assert.Equal(HolderInDht.MaxCallersOfSite, bob.Node.CountCallers(inbox));
            var sent = bob.Sent.Count;
            var call = alice.CallInDht(bob.Id);
            Assert.True(internet.RunUntil(() => bob.EventsOf<NodeEvent.CallRang>().Any(rang => rang.Peer == alice.Id), MaxFindTime));
            var room = bob.Accept(inbox, bob.EventsOf<NodeEvent.CallRang>().Single(rang => rang.Peer == alice.Id).Call);
            Assert.True(internet.RunUntil(() => alice.IsConnected(call) && bob.IsConnected(room), TimeSpan.FromSeconds(5)));
            Assert.InRange(bob.Sent.Count - sent, 1, 1_000);
        });
    }

    private static (SimulatedPhone Alice, SimulatedPhone Bob, int Inbox) Start(DhtRoomScenario dht, string caller, string callee)
    {
        var bob = dht.AddPhone("bob", Network.Named(callee).Nat);
        var inbox = bob.OpenInboxInDht();
        // It waits for long already, and seldom looks.
        dht.Internet.RunFor(TimeSpan.FromMinutes(3));
        Assert.Single(bob.EventsOf<NodeEvent.ServerJoined>());
        return (dht.AddPhone("alice", Network.Named(caller).Nat), bob, inbox);
    }
}
