using Punchline.Simulation.Transfers;

namespace Punchline.Simulation.Tests.Transfers;

/// <summary>1 MB arrives intact on every rung. Ten seeds each; PUNCHLINE_SEEDS=1000 is the nightly size, and docs/LADDER.md its table.</summary>
public sealed class LadderTests
{
    private const int Seeds = 10;

    public static TheoryData<string> Rungs => [.. Ladder.Rungs.Select(rung => rung.Name)];

    [Theory]
    [MemberData(nameof(Rungs))]
    public void A_megabyte_arrives_intact(string name)
    {
        var rung = Ladder.Rungs.Single(rung => rung.Name == name);
        foreach (var seed in SimulationSeeds.Take(Seeds))
        {
            var run = Ladder.Run(rung, seed);
            Assert.True(
                run.Failure is null,
                $"{run.Failure} Replay: {SimulationRun.ReplayCommand(seed, nameof(A_megabyte_arrives_intact))}");
            Assert.Equal(Ladder.Bytes, run.Delivered);
        }
    }

    [Fact]
    public void The_same_seed_is_the_same_run() => Assert.Equal(Ladder.Run(Ladder.Rungs[2], 7), Ladder.Run(Ladder.Rungs[2], 7));
}
