using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>A port that somebody chose: where the router forwards it, peers get in by it, and where it does not, that is known.</summary>
public sealed class ForwardTests
{
    private const int Seeds = 5;

    [Theory] // of the first's and the second's network
    [InlineData("symmetric", "symmetric")]
    [InlineData("symmetric", "port-restricted")]
    [InlineData("symmetric by address", "symmetric in sequence")]
    public void Who_has_a_port_forwarded_is_met_by_it(string first, string second)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = MeetingScenario.Between(internet, Network.Named(first), Network.Named(second), LinkConditions.Of(20));
                var alice = meeting.First;
                Forward(meeting, SimulatedPeer.Port);
                alice.Node.SetForwardedPorts(SimulatedPeer.Port, 0);
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(TimeSpan.FromSeconds(2)), "They did not meet.");
                Assert.All([alice, meeting.Second], peer => Assert.True(peer.EventsOf<NodeEvent.Connected>().Single().IsMapped));
                Assert.Equal(0, alice.SideSockets.Count);
            }, first, second);
        }
    }

    [Theory]
    [InlineData((int)SimulatedPeer.Port, true)]
    [InlineData(SimulatedPeer.Port + 1, false)]
    public void A_server_shows_whether_a_chosen_port_is_forwarded(int forwarded, bool isForwarded) => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("symmetric"), Network.Named("open"), LinkConditions.Of(20));
        Forward(meeting, (ushort)forwarded);
        var report = Examine(internet, meeting);
        Assert.Equal((isForwarded, SimulatedPeer.Port), (report.IsForwarded, report.ChosenPort));
        Assert.Equal(isForwarded ? new Endpoint(meeting.FirstSite.Nat.ExternalAddress, SimulatedPeer.Port) : null, report.Mapped);
    });

    [Fact] // the port that STUN sees is the very one, and nothing tells a forward from the mapping
    public void Where_the_router_keeps_the_port_nothing_is_claimed() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("port-restricted"), Network.Named("open"), LinkConditions.Of(20));
        Forward(meeting, SimulatedPeer.Port);
        Assert.Null(Examine(internet, meeting).IsForwarded);
    });

    [Fact]
    public void A_port_that_is_not_forwarded_hides_no_cause() => SimulationRun.Check(1, internet =>
    {
        using var meeting = MeetingScenario.Between(internet, Network.Named("symmetric"), Network.Named("symmetric"), LinkConditions.Of(20));
        meeting.First.Node.SetForwardedPorts(SimulatedPeer.Port, 0);
        meeting.JoinBoth();
        Assert.True(internet.RunUntil(() => meeting.First.EventsOf<NodeEvent.Failed>().Any(), TimeSpan.FromSeconds(5)), "Nothing was told.");
        Assert.Equal(PunchFailure.SymmetricBoth, meeting.First.EventsOf<NodeEvent.Failed>().Single().Failure.Cause);
    });

    private static void Forward(MeetingScenario meeting, ushort port) =>
        meeting.FirstSite.Nat.PortMappings = (external, _) => external == port ? meeting.First.Machine.At(port) : null;

    private static NetworkReport Examine(VirtualInternet internet, MeetingScenario meeting)
    {
        var node = meeting.First.Node;
        node.SetForwardedPorts(SimulatedPeer.Port, 0);
        NetworkReport? last = null;
        Endpoint[] servers = [.. meeting.Server.StunEndpoints];
        internet.Schedule(internet.Now, () => node.Examine(servers, expectsRouters: false, internet.Now));
        Assert.True(internet.RunUntil(() =>
        {
            while (node.TryDequeueReport(out var report)) last = report;
            return last is { IsComplete: true };
        }, TimeSpan.FromSeconds(3)), "The examination did not end.");
        return last!;
    }
}
