using Punchline.Simulation.Nat;

namespace Punchline.Simulation.Tests;

public sealed class SimulationRunTests
{
    [Fact]
    public void A_failure_says_seed_trace_and_replay_command()
    {
        var failure = Assert.Throws<SimulationFailedException>(() => SimulationRun.Check(17, internet =>
        {
            var host = new ScriptedHost();
            internet.AddMachine("a1", internet.AddSite("a", NatBehavior.PortRestricted)).Bind(5000, host);
            host.Send(internet.AddServer("s1").At(3478), [1]);
            internet.RunFor(TimeSpan.FromSeconds(1));
            throw new InvalidOperationException("no path");
        }, "cone / 5 %"));

        Assert.StartsWith("no path", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "replay: PUNCHLINE_SEED=17 dotnet test --project tests/Punchline.Simulation.Tests --filter-method " +
            $"\"*.{nameof(A_failure_says_seed_trace_and_replay_command)}\"",
            failure.Message,
            StringComparison.Ordinal);
        Assert.IsType<InvalidOperationException>(failure.InnerException);

        var path = Path.Combine(AppContext.BaseDirectory, "traces", $"{nameof(A_failure_says_seed_trace_and_replay_command)}-cone---5--.seed-17.txt");
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        var lines = File.ReadAllLines(path);
        Assert.Equal(5, lines.Length); // sent, mapping created, forwarded, no listener, the hash
        Assert.Contains($"packets: {Path.ChangeExtension(path, ".pcapng")}{Environment.NewLine}", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0x0a0d0d0au, BitConverter.ToUInt32(File.ReadAllBytes(Path.ChangeExtension(path, ".pcapng"))));
        Assert.Contains("a-gw         MappingCreated     192.168.1.10:5000     > 198.51.100.11:5000", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Seeds_are_one_to_n_or_the_one_that_is_replayed()
    {
        Assert.Equal([1, 2, 3], SimulationSeeds.Take(3, only: null));
        Assert.Equal([17], SimulationSeeds.Take(3, only: "17"));
        Assert.Throws<FormatException>(() => SimulationSeeds.Take(3, only: "seventeen"));
    }

    [Fact] // SHA-256 of seed and counter, each as 8 little-endian bytes
    public void The_random_source_is_the_same_everywhere()
    {
        var bytes = new byte[32];
        new SeededRandom(1).Fill(bytes);
        var expected = System.Security.Cryptography.SHA256.HashData([1, .. new byte[15]]);
        Assert.Equal(expected, bytes);
    }
}
