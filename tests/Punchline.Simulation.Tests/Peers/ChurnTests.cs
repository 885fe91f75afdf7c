using Punchline.Simulation.Peers;

namespace Punchline.Simulation.Tests.Peers;

/// <summary>
/// The promises of a room in all faults at once: comings and goings in one order a member, every message between those who
/// stay at least sent once, shown once, and in its sender's order.
/// </summary>
public sealed class ChurnTests
{
    [Fact]
    public void Whatever_happens_a_room_keeps_its_promises()
    {
        foreach (var seed in SimulationSeeds.Take(20))
        {
            SimulationRun.Check(seed, internet =>
            {
                // Every fourth run without loss: what breaks there is easier to understand.
                using var churn = new RoomChurn(internet, LinkConditions.Of(20, loss: seed % 4 * 0.01));
                try
                {
                    churn.Run(TimeSpan.FromSeconds(180));
                    churn.Settle();
                    churn.Check();
                }
                catch (InvalidOperationException broken)
                {
                    throw new InvalidOperationException($"{broken.Message}\n{string.Join('\n', churn.Log)}", broken);
                }
            });
        }
    }
}
