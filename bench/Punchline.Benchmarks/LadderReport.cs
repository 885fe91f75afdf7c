using System.Globalization;
using System.Text;
using Punchline.Simulation.Transfers;

namespace Punchline.Benchmarks;

/// <summary>Writes what a transfer takes on each rung of the ladder, as a page with a table.</summary>
internal static class LadderReport
{
    private const int DefaultSeeds = 1_000;
    private const string DefaultFile = "docs/LADDER.md";

    public static int Run(ReadOnlySpan<string> arguments)
    {
        var seeds = DefaultSeeds;
        if (arguments.Length > 2 || (arguments.Length > 0 && !(int.TryParse(arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out seeds) && seeds > 0)))
        {
            Console.Error.WriteLine($"Usage: ladder [SEEDS [FILE]], by default {DefaultSeeds} {DefaultFile}.");
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
            # The ladder of links

            Measured in simulation by `dotnet run -c Release --project bench/Punchline.Benchmarks -- ladder {seeds}`, which wrote this page: {seeds} runs
            a rung, with seeds 1 to {seeds}, so another run writes the same page. A run is 1 MB on one stream, from the end of the handshake until its
            last byte was read. Rate and loss are each direction's, the time is both directions'; beside them 1 % of the packets are reordered by an eighth
            of a round trip, 0.5 % arrive twice and 0.1 % damaged. The queue holds a round trip's worth, and 100 ms at least.

            *Intact* counts runs in which every byte arrived as it was sent. *Of the rate* is what the median run delivered, against the link's rate.
            *Overhead* is what was sent beyond the delivered bytes: headers, acknowledged or not, and what was sent again. *Lost* is packets that the
            sender took for lost, the median run's.

            | link | intact | median | 95 % within | slowest | of the rate | overhead | lost |
            |---|---|---|---|---|---|---|---|

            """.ReplaceLineEndings("\n"));
        foreach (var rung in Ladder.Rungs) text.Append(Row(rung, seeds));
        return text.ToString();
    }

    private static string Row(LadderRung rung, int seeds)
    {
        var runs = new LadderRun[seeds];
        Parallel.For(0, seeds, i => runs[i] = Ladder.Run(rung, (ulong)i + 1));
        foreach (var (index, run) in runs.Index().Where(run => run.Item.Failure is not null).Take(3)) Console.Error.WriteLine($"{rung}: seed {index + 1}: {run.Failure}");
        var done = runs.Where(run => run.Elapsed is not null).OrderBy(run => run.Elapsed).ToArray();
        if (done.Length == 0) return $"| {rung} | 0 |\n";
        var median = done[done.Length / 2];
        var share = 8 * Ladder.Bytes / median.Elapsed!.Value.TotalSeconds / rung.Link.BitsPerSecond;
        var overhead = done.Select(run => run.Overhead).Order().ElementAt(done.Length / 2);
        var lost = done.Select(run => run.PacketsLost).Order().ElementAt(done.Length / 2);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {rung} | {done.Length} of {seeds} | {Seconds(median)} | {Seconds(done[(int)(0.95 * (done.Length - 1))])} | {Seconds(done[^1])} | {share:P0} | {overhead:P1} | {lost} |\n");
    }

    private static string Seconds(LadderRun run) => string.Create(CultureInfo.InvariantCulture, $"{run.Elapsed!.Value.TotalSeconds:0.00} s");
}
