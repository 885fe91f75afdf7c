using System.Globalization;

namespace Punchline.Simulation;

/// <summary>Which seeds a test runs: 1 to N, or the single one that <see cref="Variable"/> names.</summary>
internal static class SimulationSeeds
{
    public const string Variable = "PUNCHLINE_SEED";

    public static IEnumerable<ulong> Take(int count) => Take(count, Environment.GetEnvironmentVariable(Variable));

    /// <exception cref="FormatException">The override is not a number.</exception>
    internal static IEnumerable<ulong> Take(int count, string? only) => string.IsNullOrEmpty(only)
        ? Enumerable.Range(1, count).Select(seed => (ulong)seed)
        : [ulong.Parse(only, CultureInfo.InvariantCulture)];
}
