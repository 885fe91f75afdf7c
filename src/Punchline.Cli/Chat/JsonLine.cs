using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Punchline.Cli.Chat;

/// <summary>One JSON object a line, each of which begins with what it is.</summary>
internal sealed class JsonLine(TextWriter output)
{
    // Nothing here ends up in HTML, and people read it too.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ArrayBufferWriter<byte> _line = new();

    public void Write(string name, Action<Utf8JsonWriter> writeRest)
    {
        using (var json = new Utf8JsonWriter(_line, Options))
        {
            json.WriteStartObject();
            json.WriteString("event", name);
            writeRest(json);
            json.WriteEndObject();
        }
        output.WriteLine(Encoding.UTF8.GetString(_line.WrittenSpan));
        _line.ResetWrittenCount();
    }
}
