using System.Diagnostics;
using System.Globalization;

namespace Punchline.Cli.Demo;

/// <summary>Tells the demo's story line by line, with the time since its beginning, within 80 columns.</summary>
internal sealed class DemoNarrator(TextWriter output, bool hasColours)
{
    private const string Bold = "1";
    private const string Dim = "2";
    private const string Green = "32";
    private const string Red = "31";
    private const string Cyan = "36";

    // "    0.3 s  ✓ ": details stand under the words.
    private const int Indent = 13;

    private readonly long _start = Stopwatch.GetTimestamp();

    public void Begin(IEnumerable<string> scenery)
    {
        output.WriteLine();
        output.WriteLine(Paint(Bold, "  Punchline: two machines talk to each other, and nobody is in between."));
        output.WriteLine();
        foreach (var line in scenery) output.WriteLine($"  {line}".TrimEnd());
        output.WriteLine();
    }

    /// <summary>Something worked.</summary>
    public void Step(string text) => WriteTimed(Paint(Green, "✓"), text);

    /// <summary>Something is gone, on purpose.</summary>
    public void Loss(string text) => WriteTimed(Paint(Red, "✗"), text);

    public void Detail(string text) => output.WriteLine($"{new string(' ', Indent)}{Paint(Dim, text)}");

    public void Speech(string from, string to, string text, TimeSpan took) =>
        WriteTimed(" ", $"{Paint(Cyan, $"{from,5} → {to,-5}")}  {text,-42} {Paint(Dim, $"{Milliseconds(took),5} ms")}");

    public void End(string text)
    {
        output.WriteLine();
        output.WriteLine(Paint(Bold, $"  {text}"));
        output.WriteLine($"  It took {Seconds} s. Now between two machines of yours: `punchline serve` on one");
        output.WriteLine("  that both can reach, then on each the line that it prints.");
        output.WriteLine();
    }

    private string Seconds => Stopwatch.GetElapsedTime(_start).TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture);

    private void WriteTimed(string mark, string text) => output.WriteLine($"  {Paint(Dim, $"{Seconds,5} s")}  {mark} {text}");

    private static string Milliseconds(TimeSpan time) => time.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture);

    private string Paint(string colour, string text) => hasColours ? $"\e[{colour}m{text}\e[0m" : text;
}
