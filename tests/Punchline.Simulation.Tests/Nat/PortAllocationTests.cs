using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tracing;
using static Punchline.Simulation.Tests.Nat.NatFixture;

namespace Punchline.Simulation.Tests.Nat;

public sealed class PortAllocationTests
{
    [Fact]
    public void Linux_shares_a_port_between_neighbours_that_talk_to_different_peers()
    {
        var nat = new NatFixture(NatBehavior.PortRestricted);
        Assert.Equal(Public.WithPort(5000), nat.SendOut(nat.Inside, A));
        Assert.Equal(Public.WithPort(5000), nat.SendOut(nat.Neighbour, B));

        // Towards A the port is the neighbour's already, and what was moved keeps its new port for the next peer.
        var moved = nat.Out(nat.Neighbour, A);
        Assert.True(moved.Moved);
        Assert.Equal(moved.Tuple.Source, nat.SendOut(nat.Neighbour, AOtherPort));
        Assert.Equal(Public.WithPort(5000), nat.SendOut(nat.Inside, AOtherPort));
    }

    [Fact]
    public void An_endpoint_independent_mapping_owns_its_port()
    {
        var nat = new NatFixture(NatBehavior.FullCone);
        Assert.Equal(5000, nat.SendOut(nat.Inside, A).Port);
        var neighbours = nat.SendOut(nat.Neighbour, B);
        Assert.NotEqual(5000, neighbours.Port);
        Assert.Equal(neighbours, nat.SendOut(nat.Neighbour, A));
    }

    [Fact]
    public void A_sequential_router_counts_up_and_begins_again()
    {
        var nat = new NatFixture(NatBehavior.SymmetricSequential with { Ports = new PortRange(20_000, 20_003) });
        int[] ports = [.. Enumerable.Range(1, 6).Select(port => (int)nat.SendOut(nat.Inside, A.WithPort((ushort)port)).Port)];
        Assert.Equal([20_000, 20_001, 20_002, 20_003, 20_000, 20_001], ports);
    }

    [Fact]
    public void A_block_belongs_to_one_internal_address()
    {
        var nat = new NatFixture(NatBehavior.SymmetricBlock with { Ports = new PortRange(30_000, 30_015), BlockSize = 8 });
        for (ushort port = 1; port <= 100; port++)
        {
            Assert.InRange(nat.SendOut(nat.Inside, A.WithPort(port)).Port, 30_000, 30_007);
            Assert.InRange(nat.SendOut(nat.Neighbour, A.WithPort(port)).Port, 30_008, 30_015);
        }
        Assert.Equal(Verdict.NoPort, nat.Out(Endpoint.Parse("192.168.1.12:5000"), A).Verdict);
    }

    [Fact]
    public void A_full_block_towards_one_peer_has_no_port_left()
    {
        var nat = new NatFixture(NatBehavior.SymmetricBlock with { BlockSize = 8 });
        var used = Enumerable.Range(1, 8).Select(port => nat.SendOut(nat.Inside.WithPort((ushort)port), A).Port);
        Assert.Equal(Enumerable.Range(30_000, 8), used.Select(port => (int)port).Order());
        Assert.Equal(Verdict.NoPort, nat.Out(nat.Inside.WithPort(9), A).Verdict);
        Assert.Equal(Verdict.Forwarded, nat.Out(nat.Inside.WithPort(9), B).Verdict);
    }

    [Fact]
    public void Random_ports_come_from_the_seed()
    {
        static ushort[] Ports(ulong seed)
        {
            var nat = new NatFixture(NatBehavior.Symmetric, seed);
            return [.. Enumerable.Range(1, 20).Select(port => nat.SendOut(nat.Inside, A.WithPort((ushort)port)).Port)];
        }

        Assert.Equal(Ports(1), Ports(1));
        Assert.NotEqual(Ports(1), Ports(2));
        Assert.All(Ports(3), port => Assert.InRange(port, 1024, 65_535));
    }

    [Fact]
    public void A_full_table_refuses_new_flows_until_old_ones_expire()
    {
        var nat = new NatFixture(NatBehavior.Symmetric with { MaxSessions = 3 });
        for (ushort port = 1; port <= 3; port++) nat.SendOut(nat.Inside, A.WithPort(port));
        Assert.Equal(Verdict.SessionLimit, nat.Out(nat.Inside, A.WithPort(4)).Verdict);
        Assert.Equal(Verdict.Forwarded, nat.Out(nat.Inside, A.WithPort(3)).Verdict);
        nat.Wait(TimeSpan.FromSeconds(30));
        Assert.Equal(Verdict.Forwarded, nat.Out(nat.Inside, A.WithPort(4)).Verdict);
    }
}
