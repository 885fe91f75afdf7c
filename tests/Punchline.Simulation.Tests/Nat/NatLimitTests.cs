using Punchline.Simulation.Nat;
using Punchline.Simulation.Tracing;
using static Punchline.Simulation.Tests.Nat.NatFixture;

namespace Punchline.Simulation.Tests.Nat;

/// <summary>What routers that many share have besides (RFC 6888), and lifetimes that no refresh prolongs.</summary>
public sealed class NatLimitTests
{
    [Theory] // whether two inside hosts may have one external port towards two destinations
    [InlineData(false)]
    [InlineData(true)]
    public void A_port_is_given_to_two_mappings_only_where_ports_are_not_exclusive(bool exclusive)
    {
        var nat = new NatFixture(NatBehavior.PortRestricted with { HasExclusivePorts = exclusive });
        var mine = nat.SendOut(nat.Inside, A);
        Assert.Equal(!exclusive, nat.SendOut(nat.Neighbour, B) == mine);
        // Its own host keeps it towards everybody.
        Assert.Equal(mine, nat.SendOut(nat.Inside, AOtherPort));
    }

    [Fact]
    public void A_symmetric_router_with_exclusive_ports_runs_out_of_them_whatever_the_destination()
    {
        var nat = new NatFixture(NatBehavior.Symmetric with { HasExclusivePorts = true, Ports = new PortRange(2_000, 2_003) });
        var seen = new[] { A, AOtherPort, B, B.WithPort(7) }.Select(to => nat.SendOut(nat.Inside, to).Port).Order();
        Assert.Equal([2_000, 2_001, 2_002, 2_003], seen.Select(port => (int)port));
        Assert.Equal(Verdict.NoPort, nat.Out(nat.Inside, B.WithPort(8)).Verdict);
        nat.Wait(TimeSpan.FromSeconds(30));
        Assert.Equal(Verdict.Forwarded, nat.Out(nat.Inside, B.WithPort(8)).Verdict);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_mapping_more_than_a_subscriber_may_have_is_refused_or_takes_the_oldest_ones_place(bool evicts)
    {
        var nat = new NatFixture(NatBehavior.CarrierGrade with { MaxMappingsPerSubscriber = 3, EvictsMappings = evicts });
        var externals = Enumerable.Range(5000, 3).Select(port => nat.SendOut(nat.Inside.WithPort((ushort)port), A)).ToList();
        Assert.Equal(3, externals.Distinct().Count());
        // A mapping that there is takes another destination all the same, and another subscriber has ports of its own.
        Assert.Equal(externals[1], nat.SendOut(nat.Inside.WithPort(5001), B));
        nat.SendOut(nat.Neighbour, A);

        var fourth = nat.Out(nat.Inside.WithPort(5003), A);
        Assert.Equal(evicts ? Verdict.Forwarded : Verdict.NoPort, fourth.Verdict);
        Assert.Equal(evicts ? Verdict.NoMapping : Verdict.Forwarded, nat.In(A, externals[0]).Verdict);
        Assert.Equal(Verdict.Forwarded, nat.In(A, externals[1]).Verdict);

        nat.Wait(TimeSpan.FromSeconds(120));
        Assert.Equal(Verdict.Forwarded, nat.Out(nat.Inside.WithPort(5004), A).Verdict);
    }

    [Fact]
    public void Flows_of_a_subscriber_are_limited_apart_from_its_ports()
    {
        var nat = new NatFixture(NatBehavior.CarrierGrade with { MaxSessionsPerSubscriber = 3, UnrepliedLifetime = TimeSpan.FromSeconds(30) });
        for (ushort port = 1; port <= 3; port++) nat.SendOut(nat.Inside, A.WithPort(port));
        Assert.Equal(Verdict.SessionLimit, nat.Out(nat.Inside, A.WithPort(4)).Verdict);
        Assert.Equal(Verdict.Forwarded, nat.Out(nat.Neighbour, A.WithPort(4)).Verdict);
        nat.Wait(TimeSpan.FromSeconds(30));
        Assert.Equal(Verdict.Forwarded, nat.Out(nat.Inside, A.WithPort(4)).Verdict);
    }

    [Fact]
    public void A_mapping_dies_at_its_age_however_often_it_is_refreshed()
    {
        var nat = new NatFixture(NatBehavior.ConeRandomPort with { MaxMappingAge = TimeSpan.FromSeconds(600) });
        var external = nat.SendOut(nat.Inside, A);
        for (var second = 0; second < 590; second += 10)
        {
            nat.Wait(TimeSpan.FromSeconds(10));
            Assert.Equal(external, nat.SendOut(nat.Inside, A));
            Assert.Equal(Verdict.Forwarded, nat.In(A, external).Verdict);
        }
        // A flow that began late is of the same mapping, and ends with it.
        Assert.Equal(external, nat.SendOut(nat.Inside, B));
        nat.Wait(TimeSpan.FromSeconds(10));
        Assert.Equal(Verdict.NoMapping, nat.In(A, external).Verdict);
        Assert.Equal(Verdict.NoMapping, nat.In(B, external).Verdict);
        Assert.NotEqual(external, nat.SendOut(nat.Inside, A));
    }

    [Fact]
    public void A_carriers_mapping_is_not_kept_from_outside()
    {
        var nat = new NatFixture(NatBehavior.CarrierGrade);
        var external = nat.SendOut(nat.Inside, A);
        nat.In(A, external);
        nat.SendOut(nat.Inside, A);
        nat.Wait(TimeSpan.FromSeconds(60));
        Assert.Equal(Verdict.Forwarded, nat.In(A, external).Verdict);
        nat.Wait(TimeSpan.FromSeconds(60));
        Assert.Equal(Verdict.NoMapping, nat.In(A, external).Verdict);
    }
}
