using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Punchline.Protocols.Coordination;

/// <summary>Messages from and to their UTF-8 text. What is read is whole and valid; anything else answers false.</summary>
internal static class CoordinationJson
{
    public static byte[] Write(ClientMessage message) => JsonSerializer.SerializeToUtf8Bytes(message, CoordinationJsonContext.Default.ClientMessage);

    public static byte[] Write(ServerMessage message) => JsonSerializer.SerializeToUtf8Bytes(message, CoordinationJsonContext.Default.ServerMessage);

    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ClientMessage? message) =>
        TryRead(utf8, CoordinationLimits.MaxClientMessageBytes, CoordinationJsonContext.Default.ClientMessage, out message) && message.IsWellFormed();

    public static bool TryRead(ReadOnlySpan<byte> utf8, [NotNullWhen(true)] out ServerMessage? message) =>
        TryRead(utf8, CoordinationLimits.MaxServerMessageBytes, CoordinationJsonContext.Default.ServerMessage, out message) && message.IsWellFormed();

    private static bool TryRead<T>(ReadOnlySpan<byte> utf8, int maxBytes, JsonTypeInfo<T> type, [NotNullWhen(true)] out T? message)
        where T : class
    {
        message = null;
        if (utf8.Length > maxBytes) return false;
        try
        {
            message = JsonSerializer.Deserialize(utf8, type);
        }
        catch (JsonException)
        {
            // Malformed, or refused by a converter: to us a message that is none.
        }
        return message is not null;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    GenerationMode = JsonSourceGenerationMode.Metadata,
    // Two readings of one message are how a proxy and a server come to disagree about it.
    AllowDuplicateProperties = false,
    AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    // Ours nest three deep; the rest is for unknown fields.
    MaxDepth = 8,
    Converters = [typeof(Base64UrlConverter)])]
[JsonSerializable(typeof(ClientMessage))]
[JsonSerializable(typeof(ServerMessage))]
internal sealed partial class CoordinationJsonContext : JsonSerializerContext;
