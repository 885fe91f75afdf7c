using Punchline.Protocols.Node;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Nat;
using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>The matrix of networks in which two peers meet: each cell a named test, over many seeds.</summary>
public sealed class MeetingTests
{
    private const int Seeds = 20;

    private static readonly TimeSpan OneWay = TimeSpan.FromMilliseconds(20);

    private static readonly Dictionary<string, NatBehavior> Networks = new(StringComparer.Ordinal)
    {
        ["open"] = NatBehavior.Open,
        ["full cone"] = NatBehavior.FullCone,
        ["port-restricted"] = NatBehavior.PortRestricted,
        ["port-restricted, accepting unsolicited packets"] = NatBehavior.PortRestrictedAccepting,
    };

    public static TheoryData<string, string, int> Cells()
    {
        var cells = new TheoryData<string, string, int>();
        foreach (var first in Networks.Keys)
        {
            foreach (var second in Networks.Keys)
            {
                cells.Add(first, second, 0);
                cells.Add(first, second, 5);
            }
        }
        return cells;
    }

    [Theory]
    [MemberData(nameof(Cells))]
    public void Two_peers_meet_and_talk_on_after_the_servers_death(string first, string second, int lossPercent)
    {
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            SimulationRun.Check(seed, internet =>
            {
                using var meeting = new MeetingScenario(
                    internet, Networks[first], Networks[second], LinkConditions.Of(OneWay.TotalMilliseconds, lossPercent / 100.0));
                meeting.JoinBoth();
                Assert.True(meeting.RunUntilConnected(within: TimeSpan.FromSeconds(20)), "The peers did not connect.");
                if (lossPercent == 0) AssertPrompt(meeting);

                meeting.Server.Kill();
                Assert.True(meeting.First.Send("hello from the first"));
                Assert.True(meeting.Second.Send("hello from the second"));
                Assert.True(
                    internet.RunUntil(() => meeting.First.Undelivered + meeting.Second.Undelivered == 0, TimeSpan.FromSeconds(10)),
                    "A message was not acknowledged.");
                Assert.Equal(["hello from the first"], meeting.Second.TextsFrom(meeting.First));
                Assert.Equal(["hello from the second"], meeting.First.TextsFrom(meeting.Second));
            }, $"{first} - {second} {lossPercent} percent");
        }
    }

    // Without loss nothing has to be tried twice: an opener's lead, then a round trip and a half.
    private static void AssertPrompt(MeetingScenario meeting)
    {
        var longest = (6 * OneWay) + PunchPlan.OpenerLead + TimeSpan.FromMilliseconds(2);
        foreach (var peer in new[] { meeting.First, meeting.Second })
        {
            var connected = Assert.Single(peer.EventsOf<NodeEvent.Connected>());
            Assert.True(connected.Elapsed <= longest, $"{peer.Name} needed {connected.Elapsed.TotalMilliseconds} ms, more than {longest.TotalMilliseconds} ms.");
        }
    }
}
