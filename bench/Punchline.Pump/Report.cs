using System.Diagnostics;
using System.Text.Json;

namespace Punchline.Pump;

/// <summary>JSON lines on standard output, each with the seconds since the program's start.</summary>
internal sealed class Report
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Lock _gate = new();

    public void Write(string name, params ReadOnlySpan<(string Name, object? Value)> fields)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line))
        {
            json.WriteStartObject();
            json.WriteString("event", name);
            json.WriteNumber("at", Math.Round(Stopwatch.GetElapsedTime(_start).TotalSeconds, 3));
            foreach (var (key, value) in fields)
            {
                json.WritePropertyName(key);
                JsonSerializer.Serialize(json, value);
            }
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        lock (_gate)
        {
            using var output = Console.OpenStandardOutput();
            line.WriteTo(output);
        }
    }
}
