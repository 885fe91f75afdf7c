using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Dht;

namespace Punchline.Simulation.Tests.Dht;

/// <summary>Lookups in networks of our own nodes, that come and go, and that lie.</summary>
public sealed class DhtSwarmTests
{
    private const int Bootstraps = 3;

    [Fact]
    public void Two_thousand_nodes_that_come_and_go_find_what_was_announced_within_five_rounds()
    {
        var seed = SimulationSeeds.Take(1).First();
        var swarm = new DhtSwarm(seed, loss: 0.01);
        var nodes = Grow(swarm, 2_000);
        Assert.All(nodes, node => Assert.True(SecureNodeId.IsValid(node.Node.Id, node.Address), $"{node.Address} has {node.Node.Id}"));
        var (hits, rounds) = (0, new List<int>());
        const int Topics = 200;
        for (var i = 0; i < Topics; i++)
        {
            var topic = NodeId.Generate(swarm.Random);
            var announcer = Pick(swarm, nodes);
            Assert.InRange(Search(swarm, announcer, node => node.Announce(topic, 1, swarm.Now)).Outcome.Stored, Lookup.Width / 2, Lookup.Width);
            // A tenth of the nodes goes and as many come while 200 topics are searched.
            Churn(swarm, nodes, announcer);
            var seeker = Pick(swarm, nodes);
            var found = Search(swarm, seeker, node => node.FindPeers(topic, swarm.Now));
            rounds.Add(found.Outcome.Rounds);
            hits += found.Peers.Contains(announcer.Address) ? 1 : 0;
        }
        Assert.True(hits >= Topics * 0.99, $"seed {seed}: {hits} of {Topics} found");
        Assert.InRange(rounds.Order().ElementAt(Topics / 2), 2, 5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_tenth_of_lying_nodes_hides_nothing(ulong seed)
    {
        var swarm = new DhtSwarm(seed);
        var nodes = Grow(swarm, 300);
        for (var i = 0; i < 30; i++)
        {
            var member = swarm.Add(address => new LyingNode(address, swarm.NewRandom()));
            foreach (var node in nodes) ((LyingNode)member.Host).Call(node.Address);
            swarm.Drain(member);
            swarm.RunFor(TimeSpan.FromSeconds(2));
        }
        swarm.RunFor(TimeSpan.FromMinutes(2));
        Assert.All(nodes, node => Assert.Equal(node.Address, node.Node.External?.Mapped));
        const int Topics = 40;
        var hits = 0;
        for (var i = 0; i < Topics; i++)
        {
            var topic = NodeId.Generate(swarm.Random);
            var announcer = Pick(swarm, nodes);
            Search(swarm, announcer, node => node.Announce(topic, 1, swarm.Now));
            var found = Search(swarm, Pick(swarm, nodes), node => node.FindPeers(topic, swarm.Now));
            hits += found.Peers.Contains(announcer.Address) ? 1 : 0;
            Assert.InRange(found.Peers.Count, 1, DhtSearch.MaxPeers);
        }
        Assert.Equal(Topics, hits);
    }

    [Fact]
    public void A_table_of_nodes_that_are_gone_costs_time_and_nothing_else()
    {
        var swarm = new DhtSwarm(seed: 5);
        var nodes = Grow(swarm, 200);
        var topic = NodeId.Generate(swarm.Random);
        Search(swarm, nodes[10], node => node.Announce(topic, 1, swarm.Now));
        // What a node of another network would have kept.
        var poisoned = Grow(new DhtSwarm(seed: 6, firstAddress: 0x4000_0000), 200)[50].Node.Save();
        var seeker = swarm.AddNode(isReadOnly: true);
        Assert.True(seeker.Node.Load(poisoned, swarm.Now));
        seeker.Node.AddBootstrap(nodes[0].Address, swarm.Now);
        swarm.Drain(seeker);
        swarm.RunFor(TimeSpan.FromMinutes(1));
        Assert.Contains(nodes[10].Address, Search(swarm, seeker, node => node.FindPeers(topic, swarm.Now)).Peers);
    }

    [Fact]
    public void A_saved_table_replaces_the_bootstrap_hosts()
    {
        var swarm = new DhtSwarm(seed: 7);
        var nodes = Grow(swarm, 200);
        var topic = NodeId.Generate(swarm.Random);
        Search(swarm, nodes[10], node => node.Announce(topic, 1, swarm.Now));
        var seeker = swarm.AddNode(isReadOnly: true);
        Assert.True(seeker.Node.Load(nodes[77].Node.Save(), swarm.Now));
        var found = Search(swarm, seeker, node => node.FindPeers(topic, swarm.Now));
        Assert.Contains(nodes[10].Address, found.Peers);
        Assert.InRange(found.Outcome.Elapsed, TimeSpan.FromMilliseconds(40), TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void Behind_a_NAT_a_node_writes_to_64_addresses_in_two_minutes_at_most()
    {
        var swarm = new DhtSwarm(seed: 8);
        var nodes = Grow(swarm, 500);
        var natted = swarm.AddNode(isReadOnly: true);
        for (var i = 0; i < Bootstraps; i++) natted.Node.AddBootstrap(nodes[i].Address, swarm.Now);
        swarm.Drain(natted);
        for (var i = 0; i < 30; i++)
        {
            natted.Node.Announce(NodeId.Generate(swarm.Random), 1, swarm.Now);
            swarm.Drain(natted);
            swarm.RunFor(TimeSpan.FromSeconds(20));
        }
        Assert.InRange(natted.MostDestinations, 32, QueryBudget.MaxEndpointsReadOnly);
        // Nobody names it to others.
        var compact = new byte[CompactAddress.IPv4Length];
        CompactAddress.Write(natted.Address, compact);
        Assert.All(nodes, node => Assert.Equal(-1, node.Node.Save().AsSpan().IndexOf(compact)));
    }

    // Each node begins with the first three.
    private static List<SwarmMember> Grow(DhtSwarm swarm, int count)
    {
        var nodes = new List<SwarmMember>();
        for (var i = 0; i < count; i++)
        {
            nodes.Add(Join(swarm, nodes));
            swarm.RunFor(TimeSpan.FromMilliseconds(100));
        }
        swarm.RunFor(TimeSpan.FromMinutes(3));
        return nodes;
    }

    private static SwarmMember Join(DhtSwarm swarm, List<SwarmMember> nodes)
    {
        var node = swarm.AddNode();
        foreach (var bootstrap in nodes.Take(Bootstraps)) node.Node.AddBootstrap(bootstrap.Address, swarm.Now);
        swarm.Drain(node);
        return node;
    }

    private static void Churn(DhtSwarm swarm, List<SwarmMember> nodes, SwarmMember spared)
    {
        var index = Bootstraps + swarm.Random.NextInt32(nodes.Count - Bootstraps);
        if (nodes[index] == spared) return;
        swarm.Remove(nodes[index]);
        nodes[index] = Join(swarm, nodes);
        swarm.RunFor(TimeSpan.FromSeconds(2));
    }

    private static SwarmMember Pick(DhtSwarm swarm, List<SwarmMember> nodes) => nodes[swarm.Random.NextInt32(nodes.Count)];

    private static (DhtSearchOutcome Outcome, List<Endpoint> Peers) Search(DhtSwarm swarm, SwarmMember member, Func<DhtNode, int?> start)
    {
        var search = start(member.Node);
        Assert.NotNull(search);
        swarm.Drain(member);
        var peers = new List<Endpoint>();
        DhtSearchOutcome? outcome = null;
        Assert.True(swarm.RunUntil(HasEnded, TimeSpan.FromMinutes(1)));
        return (outcome!.Value, peers);

        bool HasEnded()
        {
            while (member.Node.TryDequeueEvent(out var dhtEvent))
            {
                if (dhtEvent is DhtEvent.PeerFound found && found.Search == search) peers.Add(found.Peer);
                if (dhtEvent is DhtEvent.SearchEnded ended && ended.Search == search) outcome = ended.Outcome;
            }
            return outcome is not null;
        }
    }
}
