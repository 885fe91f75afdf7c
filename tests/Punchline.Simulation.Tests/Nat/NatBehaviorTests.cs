using Punchline.Protocols.Primitives;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Tracing;
using static Punchline.Simulation.Tests.Nat.NatFixture;

namespace Punchline.Simulation.Tests.Nat;

/// <summary>Each preset is what its name says, seen as a STUN client sees it (RFC 5780 §4.3, §4.4).</summary>
public sealed class NatBehaviorTests
{
    private const string Independent = nameof(Dependence.EndpointIndependent);
    private const string OnAddress = nameof(Dependence.AddressDependent);
    private const string OnPort = nameof(Dependence.AddressAndPortDependent);

    internal static NatBehavior Preset(string name) => (NatBehavior)typeof(NatBehavior).GetProperty(name)!.GetValue(null)!;

    [Theory] // what mapping and filtering depend on as measured, and whether the port is preserved
    [InlineData(nameof(NatBehavior.Open), Independent, Independent, true)]
    [InlineData(nameof(NatBehavior.Firewall), Independent, OnPort, true)]
    [InlineData(nameof(NatBehavior.FullCone), Independent, Independent, true)]
    [InlineData(nameof(NatBehavior.AddressRestricted), Independent, OnAddress, true)]
    [InlineData(nameof(NatBehavior.PortRestricted), Independent, OnPort, true)]
    [InlineData(nameof(NatBehavior.PortRestrictedAccepting), Independent, OnPort, true)]
    [InlineData(nameof(NatBehavior.PortRestrictedRejecting), Independent, OnPort, true)]
    [InlineData(nameof(NatBehavior.PortRestrictedEndpointIndependent), Independent, OnPort, true)]
    [InlineData(nameof(NatBehavior.ConeRandomPort), Independent, OnPort, false)]
    [InlineData(nameof(NatBehavior.Symmetric), OnPort, OnPort, false)]
    [InlineData(nameof(NatBehavior.SymmetricSequential), OnPort, OnPort, false)]
    [InlineData(nameof(NatBehavior.SymmetricAddressDependent), OnAddress, OnPort, false)]
    [InlineData(nameof(NatBehavior.SymmetricBlock), OnPort, OnPort, false)]
    public void A_preset_measures_as_its_name_says(string preset, string mapping, string filtering, bool preserves)
    {
        var measured = new NatFixture(Preset(preset));
        var first = measured.SendOut(measured.Inside, A);
        var otherPort = measured.SendOut(measured.Inside, AOtherPort);
        var otherAddress = measured.SendOut(measured.Inside, B);
        Assert.Equal(mapping, first != otherPort ? OnPort : first != otherAddress ? OnAddress : Independent);
        Assert.Equal(preserves, first.Port == measured.Inside.Port);

        // Filtering is measured by who may answer the mapping towards A alone.
        var filtered = new NatFixture(Preset(preset));
        var external = filtered.SendOut(filtered.Inside, A);
        Assert.Equal(Verdict.Forwarded, filtered.In(A, external).Verdict);
        var anyone = filtered.In(B, external).Verdict == Verdict.Forwarded;
        var sameAddress = filtered.In(AOtherPort, external).Verdict == Verdict.Forwarded;
        Assert.Equal(filtering, anyone ? Independent : sameAddress ? OnAddress : OnPort);
    }

    [Fact]
    public void An_answer_is_translated_back_to_the_internal_endpoint()
    {
        var nat = new NatFixture(NatBehavior.Symmetric);
        var external = nat.SendOut(nat.Inside, A);
        Assert.Equal(Public.Address, external.Address);
        Assert.Equal(new FlowTuple(A, nat.Inside), nat.In(A, external).Tuple);
    }

    [Fact]
    public void An_answer_to_whom_the_filtering_let_in_leaves_by_the_same_external_port()
    {
        var nat = new NatFixture(NatBehavior.FullCone);
        var external = nat.SendOut(nat.Inside, A);
        Assert.Equal(new FlowTuple(B, nat.Inside), nat.In(B, external).Tuple);
        Assert.Equal(external, nat.SendOut(nat.Inside, B));
    }

    [Theory]
    [InlineData(nameof(NatBehavior.PortRestricted), nameof(Verdict.NoMapping))]
    [InlineData(nameof(NatBehavior.PortRestrictedRejecting), nameof(Verdict.Rejected))]
    [InlineData(nameof(NatBehavior.PortRestrictedAccepting), nameof(Verdict.AcceptedByRouter))]
    [InlineData(nameof(NatBehavior.FullCone), nameof(Verdict.NoMapping))]
    [InlineData(nameof(NatBehavior.Firewall), nameof(Verdict.NoMapping))]
    [InlineData(nameof(NatBehavior.Open), nameof(Verdict.Forwarded))]
    public void An_unsolicited_packet_gets_what_the_router_has_for_it(string preset, string verdict)
    {
        var nat = new NatFixture(Preset(preset));
        var to = Preset(preset).Translates ? Public.WithPort(5000) : nat.Inside;
        Assert.Equal(Enum.Parse<Verdict>(verdict), nat.In(A, to).Verdict);
    }

    [Theory] // only the router that kept an entry moves its own host's flow, and only towards that peer
    [InlineData(nameof(NatBehavior.PortRestricted), false)]
    [InlineData(nameof(NatBehavior.PortRestrictedRejecting), false)]
    [InlineData(nameof(NatBehavior.PortRestrictedAccepting), true)]
    public void An_early_probe_moves_the_port_where_the_router_accepted_it(string preset, bool moves)
    {
        var nat = new NatFixture(Preset(preset));
        Assert.Equal(5000, nat.SendOut(nat.Inside, B).Port);
        nat.In(A, Public.WithPort(5000));

        var towardsA = nat.Out(nat.Inside, A);
        Assert.Equal(moves, towardsA.Moved);
        Assert.Equal(moves, towardsA.Tuple.Source.Port != 5000);
        Assert.Equal(5000, nat.SendOut(nat.Inside, B).Port);
    }

    [Fact]
    public void The_early_probes_entry_holds_the_port_for_as_long_as_probes_follow_within_its_lifetime()
    {
        var nat = new NatFixture(NatBehavior.PortRestrictedAccepting);
        nat.In(A, Public.WithPort(5000));
        nat.Wait(TimeSpan.FromSeconds(29));
        nat.In(A, Public.WithPort(5000));
        nat.Wait(TimeSpan.FromSeconds(29));
        Assert.True(nat.Out(nat.Inside, A).Moved);

        var quiet = new NatFixture(NatBehavior.PortRestrictedAccepting);
        quiet.In(A, Public.WithPort(5000));
        quiet.Wait(TimeSpan.FromSeconds(30));
        Assert.False(quiet.Out(quiet.Inside, A).Moved);
    }

    [Fact]
    public void A_packet_whose_time_to_live_ends_at_the_router_reaches_the_router_but_opens_nothing_inside()
    {
        var accepting = new NatFixture(NatBehavior.PortRestrictedAccepting);
        Assert.Equal(Verdict.AcceptedByRouter, accepting.In(A, Public.WithPort(5000), canForward: false).Verdict);
        Assert.True(accepting.Out(accepting.Inside, A).Moved);

        var cone = new NatFixture(NatBehavior.FullCone);
        var external = cone.SendOut(cone.Inside, A);
        Assert.Equal(Verdict.TimeToLiveExceeded, cone.In(B, external, canForward: false).Verdict);
    }

    [Fact] // as seen in Linux 6.18: conntrack comes before the forwarding that discards the packet
    public void An_answer_whose_time_to_live_ends_at_the_router_still_counts_as_one()
    {
        var nat = new NatFixture(NatBehavior.PortRestricted);
        var external = nat.SendOut(nat.Inside, A);
        Assert.Equal(Verdict.TimeToLiveExceeded, nat.In(A, external, canForward: false).Verdict);
        nat.Wait(TimeSpan.FromSeconds(119));
        Assert.Equal(Verdict.Forwarded, nat.In(A, external).Verdict);
    }

    [Theory]
    [InlineData(true, false)] // answered: 120 s
    [InlineData(false, true)] // not answered: 30 s
    public void A_flow_lives_as_long_as_conntrack_keeps_it(bool answered, bool goneAfterThirtySeconds)
    {
        var nat = new NatFixture(NatBehavior.PortRestricted);
        var external = nat.SendOut(nat.Inside, A);
        if (answered) Assert.Equal(Verdict.Forwarded, nat.In(A, external).Verdict);
        nat.Wait(TimeSpan.FromSeconds(30));
        Assert.Equal(goneAfterThirtySeconds, nat.In(A, external).Verdict != Verdict.Forwarded);
    }

    [Fact]
    public void An_idle_mapping_ends_with_its_lifetime_to_the_tick()
    {
        var nat = new NatFixture(NatBehavior.Symmetric with { MappingLifetime = TimeSpan.FromSeconds(40) });
        var external = nat.SendOut(nat.Inside, A);
        nat.In(A, external);
        nat.Wait(TimeSpan.FromSeconds(40) - TimeSpan.FromTicks(1));
        Assert.Equal(Verdict.Forwarded, nat.In(A, external).Verdict);
        nat.Wait(TimeSpan.FromSeconds(40));
        Assert.Equal(Verdict.NoMapping, nat.In(A, external).Verdict);
        Assert.NotEqual(external, nat.SendOut(nat.Inside, A));
    }

    [Theory] // RFC 4787 §4.3: the inbound refresh behaviour
    [InlineData(true)]
    [InlineData(false)]
    public void Packets_from_outside_prolong_a_flow_only_with_inbound_refresh(bool refresh)
    {
        var nat = new NatFixture(NatBehavior.PortRestricted with { InboundRefresh = refresh });
        var external = nat.SendOut(nat.Inside, A);
        nat.In(A, external);
        nat.SendOut(nat.Inside, A); // answered: 120 s from here
        nat.Wait(TimeSpan.FromSeconds(100));
        Assert.Equal(Verdict.Forwarded, nat.In(A, external).Verdict);
        nat.Wait(TimeSpan.FromSeconds(100));
        Assert.Equal(refresh ? Verdict.Forwarded : Verdict.NoMapping, nat.In(A, external).Verdict);
    }

    [Fact]
    public void A_rebound_router_has_forgotten_everything()
    {
        var nat = new NatFixture(NatBehavior.FullCone);
        var external = nat.SendOut(nat.Inside, A);
        var newAddress = Endpoint.Parse("198.51.100.99:0");
        nat.Nat.Rebind(newAddress.Address);
        Assert.Equal(Verdict.NoMapping, nat.In(A, newAddress.WithPort(external.Port)).Verdict);
        Assert.Equal(newAddress.WithPort(5000), nat.SendOut(nat.Inside, A));
    }
}
