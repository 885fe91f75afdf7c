using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>Routers that many share: each port one mapping's alone, a limit on ports and on flows of a subscriber (RFC 6888).</summary>
public sealed class SharedRouterTests
{
    private static readonly LinkConditions Link = LinkConditions.Of(10);

    private static readonly Network BehindCarrier = new("behind a carrier", NatBehavior.PortRestricted, Carrier: NatBehavior.CarrierGrade);

    [Theory]
    [InlineData("open")]
    [InlineData("full cone")]
    [InlineData("port-restricted")]
    [InlineData("accepting")]
    public void Behind_a_carriers_router_one_meets_everybody(string other)
    {
        foreach (var seed in SimulationSeeds.Take(5)) SimulationRun.Check(seed, internet => AssertMet(internet, BehindCarrier, Network.Named(other)), other);
        foreach (var seed in SimulationSeeds.Take(5)) SimulationRun.Check(seed, internet => AssertMet(internet, BehindCarrier, BehindCarrier), other);
    }

    [Theory] // what is left of a subscriber's ports and flows when ours is all that it does not use otherwise
    [InlineData(8, 24)]
    [InlineData(4, 12)]
    public void A_meeting_takes_few_ports_and_flows(int mappings, int sessions)
    {
        var narrow = BehindCarrier with { Carrier = NatBehavior.CarrierGrade with { MaxMappingsPerSubscriber = mappings, MaxSessionsPerSubscriber = sessions } };
        foreach (var seed in SimulationSeeds.Take(5)) SimulationRun.Check(seed, internet => AssertMet(internet, narrow, Network.Named("port-restricted")), $"{mappings}|{sessions}");
    }

    [Fact] // 256 sockets, of which the router gives the last some no port
    public void A_search_within_a_subscribers_ports_still_meets()
    {
        var carriers = new Network("a carrier that draws", NatBehavior.Symmetric with { HasExclusivePorts = true, MaxMappingsPerSubscriber = 200, MaxSessionsPerSubscriber = 400 });
        foreach (var seed in SimulationSeeds.Take(3))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, carriers, Network.Named("port-restricted"), Link, hasAlternate: true);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(TimeSpan.FromSeconds(30)));
            });
        }
    }

    private static void AssertMet(VirtualInternet internet, Network first, Network second)
    {
        using var meeting = MeetingScenario.Between(internet, first, second, Link);
        meeting.JoinBoth();
        Assert.True(meeting.RunUntilConnected(TimeSpan.FromSeconds(2)));
    }
}
