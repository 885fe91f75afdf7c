using System.Text.Json;

namespace Punchline.Lab.Tests.Harness;

/// <summary>One line of <c>--json</c>.</summary>
internal sealed record ToolEvent(JsonElement Json)
{
    public string Name => this["event"];

    /// <summary>A property as text, or one inside another: <c>connected["path.kind"]</c>.</summary>
    public string this[string path]
    {
        get
        {
            var value = Json;
            foreach (var name in path.Split('.'))
                value = value.TryGetProperty(name, out var inner) ? inner : throw new KeyNotFoundException($"There is no {path} in {Json}");
            return value.ToString();
        }
    }

    /// <returns>Null if the line is no event: then it is text for people.</returns>
    public static ToolEvent? Parse(string line)
    {
        if (!line.StartsWith('{'))
            return null;
        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement.TryGetProperty("event", out _) ? new ToolEvent(document.RootElement.Clone()) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
