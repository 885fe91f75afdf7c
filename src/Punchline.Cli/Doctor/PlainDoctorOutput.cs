using System.Globalization;
using Punchline.Engine;
using Punchline.Protocols.Traversal;

namespace Punchline.Cli.Doctor;

/// <summary>For people, in lines of at most 80 characters.</summary>
/// <param name="output">The diagnosis.</param>
/// <param name="error">What is being done meanwhile.</param>
/// <param name="canErase">A line there can be written anew.</param>
internal sealed class PlainDoctorOutput(TextWriter output, TextWriter error, bool canErase) : IDoctorOutput
{
    private const int Width = 80;
    private const int LabelWidth = 11;
    private const int NameWidth = 46;
    private const string EraseLine = "\r\e[K";

    public void ShowProgress(NetworkReport soFar)
    {
        var text = $"  {(soFar.ServersAsked == 0 ? "Asking the router…" : soFar.Udp is null ? "Asking the servers…" : soFar.IPv4 is { } seen ? $"Seen as {seen}; asking further…" : "Asking further…")}";
        if (canErase) error.Write(EraseLine + text);
    }

    public void Show(Diagnosis diagnosis)
    {
        if (canErase) error.Write(EraseLine);
        output.WriteLine();
        ShowWay(diagnosis.Way);
        output.WriteLine();
        Wrap(diagnosis.Kind.Text, "  ");
        output.WriteLine();
        foreach (var finding in diagnosis.Findings) Wrap(finding.Text ?? "not known", $"  {finding.Label.PadRight(LabelWidth)}");
        if (diagnosis.Prospects.Count > 0)
        {
            output.WriteLine("\n  With a peer behind");
            foreach (var other in diagnosis.Prospects) output.WriteLine($"  {SignOf(other.Prospect)} {other.Network.Name.PadRight(NameWidth)} {WordsOf(other.Prospect)}");
        }
        ShowList("What would help", diagnosis.Advice);
        ShowList("What is not known", diagnosis.Unknown);
        output.WriteLine();
    }

    public void ShowDhtProgress()
    {
        if (canErase) error.Write($"{EraseLine}  Asking the DHT…");
    }

    public void ShowDht(DhtReport report)
    {
        if (canErase) error.Write(EraseLine);
        output.WriteLine("  In the BitTorrent DHT");
        foreach (var finding in DhtFindings.Of(report)) Wrap(finding.Text ?? "not known", $"  {finding.Label.PadRight(LabelWidth)}");
        output.WriteLine("\n  Who can see what there");
        foreach (var text in DhtFindings.Observers) Wrap(text, "  - ");
        output.WriteLine();
    }

    public static string WordsOf(Prospect prospect) => prospect.Kind switch
    {
        ProspectKind.Punch => "directly",
        ProspectKind.Mapping => "directly, by a mapped port",
        ProspectKind.IPv6 => "directly, by IPv6",
        ProspectKind.Tcp => "over TCP",
        ProspectKind.Search => string.Create(
            CultureInfo.InvariantCulture, $"{Math.Floor(prospect.Chance * 1000) / 10:0.#} % in {Math.Ceiling(prospect.Within.TotalSeconds):0} s, by a search"),
        ProspectKind.None => "no way",
        _ => "not known",
    };

    private static string SignOf(Prospect prospect) => prospect.Kind switch
    {
        ProspectKind.None => "✗",
        ProspectKind.Unknown => "?",
        ProspectKind.Search or ProspectKind.Tcp => "~",
        _ => "✓",
    };

    private void ShowWay(IReadOnlyList<WayStation> way)
    {
        var widths = way.Select(station => Math.Max(station.Name.Length, station.Detail.Length)).ToArray();
        output.WriteLine("  " + string.Concat(way.Select((station, i) => i == way.Count - 1 ? station.Name : $"{station.Name} ──{new string('─', widths[i] - station.Name.Length)} ")));
        output.WriteLine(("  " + string.Join("    ", way.Select((station, i) => station.Detail.PadRight(widths[i])))).TrimEnd());
    }

    private void ShowList(string title, IReadOnlyList<Advice> items)
    {
        if (items.Count == 0) return;
        output.WriteLine($"\n  {title}");
        foreach (var item in items) Wrap(item.Text, "  - ");
    }

    private void Wrap(string text, string first)
    {
        var line = first;
        var isEmpty = true;
        foreach (var word in text.Split(' '))
        {
            if (!isEmpty && line.Length + 1 + word.Length > Width)
            {
                output.WriteLine(line);
                line = new string(' ', first.Length);
                isEmpty = true;
            }
            line += isEmpty ? word : " " + word;
            isEmpty = false;
        }
        output.WriteLine(line);
    }
}
