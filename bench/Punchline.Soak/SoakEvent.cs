using System.Globalization;
using System.Text.Json;

namespace Punchline.Soak;

/// <summary>A line that the tool printed with <c>--json</c>, as far as the checks need it.</summary>
/// <param name="Name">What happened.</param>
/// <param name="Peer">Of whom; empty where it is about nobody.</param>
/// <param name="Stay">What the peer calls itself there, which is its stay; empty where that is not said.</param>
/// <param name="Id">A message's number.</param>
/// <param name="Text">A message's text, or the state or reason.</param>
internal sealed record SoakEvent(string Name, string Peer, string Stay, long Id, string Text)
{
    public static SoakEvent Parse(string line)
    {
        using var document = JsonDocument.Parse(line);
        var json = document.RootElement;
        return new SoakEvent(
            Find(json, "event"),
            Find(json, "peer"),
            Find(json, "name"),
            json.TryGetProperty("id", out var id) ? id.GetInt64() : 0,
            string.Concat(Find(json, "text"), Find(json, "state"), Find(json, "reason"), Find(json, "cause")));
    }

    /// <summary>Of a message as <see cref="SoakStay"/> writes them: STAY NUMBER, and perhaps more.</summary>
    public bool TryReadMessage(out string stay, out int number)
    {
        var words = Text.Split(' ', 3);
        stay = words[0];
        number = 0;
        return words.Length > 1 && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private static string Find(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
