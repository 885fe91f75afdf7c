using System.Globalization;

namespace Punchline.Simulation;

/// <summary>
/// Which seeds a test runs: 1 to N, or the single one that <see cref="Variable"/> names. <see cref="CountVariable"/> asks for another N.
/// </summary>
internal static class SimulationSeeds
{
    public const string Variable = "PUNCHLINE_SEED";
    public const string CountVariable = "PUNCHLINE_SEEDS";

    /// <exception cref="FormatException">An override is not a number.</exception>
    public static IEnumerable<ulong> Take(int count) =>
        Take(Environment.GetEnvironmentVariable(CountVariable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : count, Environment.GetEnvironmentVariable(Variable));

    /// <exception cref="FormatException">The override is not a number.</exception>
    internal static IEnumerable<ulong> Take(int count, string? only) => string.IsNullOrEmpty(only)
        ? Enumerable.Range(1, count).Select(seed => (ulong)seed)
        : [ulong.Parse(only, CultureInfo.InvariantCulture)];
}
