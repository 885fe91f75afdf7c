using System.Reflection;
using System.Runtime.CompilerServices;
using Punchline.Simulation.Tracing;

namespace Punchline.Simulation;

/// <summary>Runs a scenario so that its failure can be replayed.</summary>
internal static class SimulationRun
{
    /// <summary>
    /// Runs a scenario on an internet of the given seed, and returns the trace's hash. If it throws, the trace is left in
    /// <c>traces/</c> beside the test's assembly, as text and as packets for Wireshark, and the exception says where, with the seed and the command that replays it.
    /// The label tells apart the traces of one test's cases, such as <c>full-cone open 5 %</c>.
    /// </summary>
    /// <exception cref="SimulationFailedException">The scenario threw; the cause is inside.</exception>
    public static string Check(ulong seed, Action<VirtualInternet> scenario, string label = "", [CallerMemberName] string test = "")
    {
        using var internet = new VirtualInternet(seed);
        try
        {
            scenario(internet);
            return internet.Trace.Hash;
        }
        catch (Exception cause)
        {
            var path = WriteTrace(internet, test, label);
            var packets = WritePackets(internet, path);
            throw new SimulationFailedException(
                $"""
                {cause.Message}
                seed {seed}{(label.Length == 0 ? "" : $", {label}")}, at {internet.Now}; trace: {path}
                packets: {packets}
                replay: {ReplayCommand(seed, test)}
                """,
                cause);
        }
    }

    internal static string ReplayCommand(ulong seed, string test)
    {
        var project = Assembly.GetEntryAssembly()?.GetName().Name ?? "Punchline.Simulation.Tests";
        return $"{SimulationSeeds.Variable}={seed} dotnet test --project tests/{project} --filter-method \"*.{test}\"";
    }

    private static string WriteTrace(VirtualInternet internet, string test, string label)
    {
        var name = string.Concat($"{test} {label}".Trim().Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '-'));
        var directory = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "traces"));
        var path = Path.Combine(directory.FullName, $"{name}.seed-{internet.Seed}.txt");
        File.WriteAllText(path, internet.Trace.ToText());
        return path;
    }

    private static string WritePackets(VirtualInternet internet, string tracePath)
    {
        var path = Path.ChangeExtension(tracePath, PcapngWriter.FileExtension);
        using var file = File.Create(path);
        PcapngWriter.Write(internet.Trace, $"seed {internet.Seed}", file);
        return path;
    }
}

/// <summary>A scenario failed; the message says how to replay it.</summary>
internal sealed class SimulationFailedException(string message, Exception cause) : Exception(message, cause);
