using System.Globalization;
using System.Text;
using Punchline.Simulation.Peers;

namespace Punchline.Benchmarks;

/// <summary>Writes the matrix of networks, as the simulation measures it, as a page of tables.</summary>
internal static class MatrixReport
{
    private const int DefaultSeeds = 50;
    private const string DefaultFile = "docs/MATRIX.md";

    public static int Run(ReadOnlySpan<string> arguments)
    {
        var seeds = DefaultSeeds;
        if (arguments.Length > 2 || (arguments.Length > 0 && !(int.TryParse(arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out seeds) && seeds > 0)))
        {
            Console.Error.WriteLine($"Usage: matrix [SEEDS [FILE]], by default {DefaultSeeds} {DefaultFile}.");
            return 2;
        }
        var file = Path.GetFullPath(arguments.Length > 1 ? arguments[1] : DefaultFile);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, Write(seeds));
        Console.WriteLine(file);
        return 0;
    }

    private static string Write(int seeds)
    {
        var text = new StringBuilder(
            $"""
            # Which networks meet

            Measured in simulation by `dotnet run -c Release --project bench/Punchline.Benchmarks -- matrix {seeds}`, which wrote this page: {seeds} runs
            a cell, with seeds 1 to {seeds}, so another run writes the same page. Rows are the peer that is in the room already, columns the
            newcomer. A cell is the share of runs in which both were connected within 20 s, or 30 s where ports have to be searched, and the median of the time from hearing of each
            other until both were, in milliseconds. The server only introduces them.

            – stands where nothing helps: both routers choose ports that the other side would have to guess at once.
            There both sides are told so. What the networks do is defined in `tests/Punchline.Simulation/Peers/Network.cs`, in the terms of RFC 4787.


            """.ReplaceLineEndings("\n"));
        foreach (var conditions in MeetingMatrix.Conditions) WriteTable(text, conditions, seeds);
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void WriteTable(StringBuilder text, MeetingConditions conditions, int seeds)
    {
        Console.Error.WriteLine(conditions);
        var pairs = MeetingMatrix.Pairs.ToArray();
        var cells = new string[pairs.Length];
        Parallel.For(0, pairs.Length, i => cells[i] = Cell(pairs[i].First, pairs[i].Second, conditions, seeds));

        text.Append(CultureInfo.InvariantCulture, $"## {conditions}\n\n| |");
        foreach (var network in Network.All) text.Append(CultureInfo.InvariantCulture, $" {network} |");
        text.Append("\n|---|").Insert(text.Length, "---|", Network.All.Count).Append('\n');
        for (var row = 0; row < Network.All.Count; row++)
            text.Append(CultureInfo.InvariantCulture, $"| {Network.All[row]} | ").AppendJoin(" | ", cells.Skip(row * Network.All.Count).Take(Network.All.Count)).Append(" |\n");
        text.Append('\n');
    }

    private static string Cell(Network first, Network second, MeetingConditions conditions, int seeds)
    {
        if (Network.WhyImpossible(first, second) is not null) return "–";
        var result = MeetingMatrix.Measure(first, second, conditions, Enumerable.Range(1, seeds).Select(seed => (ulong)seed));
        return string.Create(CultureInfo.InvariantCulture, $"{100.0 * result.Met / result.Runs:0.#} % {result.Median.TotalMilliseconds:0}");
    }
}
