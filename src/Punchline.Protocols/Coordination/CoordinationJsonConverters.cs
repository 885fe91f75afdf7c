using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

// JsonException is how a converter says no; CoordinationJson turns it into a result.

/// <summary>Bytes as base64url without padding (RFC 4648 §5).</summary>
internal sealed class Base64UrlConverter : JsonConverter<byte[]>
{
    public override byte[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Decode(ref reader);

    public override void Write(Utf8JsonWriter writer, byte[] value, JsonSerializerOptions options) => writer.WriteStringValue(Base64Url.EncodeToString(value));

    public static byte[] Decode(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String) throw new JsonException();
        try
        {
            return Base64Url.DecodeFromChars(reader.GetString());
        }
        catch (Exception exception) when (exception is FormatException or InvalidOperationException)
        {
            // InvalidOperationException: the string is no valid UTF-8.
            throw new JsonException(null, exception);
        }
    }
}

internal sealed class InstanceIdConverter : JsonConverter<InstanceId>
{
    public override InstanceId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Base64UrlConverter.Decode(ref reader) is { Length: InstanceId.ByteLength } bytes ? InstanceId.FromBytes(bytes) : throw new JsonException();

    public override void Write(Utf8JsonWriter writer, InstanceId value, JsonSerializerOptions options)
    {
        Span<byte> bytes = stackalloc byte[InstanceId.ByteLength];
        value.CopyTo(bytes);
        writer.WriteStringValue(Base64Url.EncodeToString(bytes));
    }
}

/// <summary>A value whose text is a JSON string.</summary>
internal abstract class TextConverter<T> : JsonConverter<T>
{
    public sealed override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.String) throw new JsonException();
        try
        {
            return TryParse(reader.GetString()!, out var value) ? value : throw new JsonException();
        }
        catch (InvalidOperationException exception)
        {
            // The string is no valid UTF-8.
            throw new JsonException(null, exception);
        }
    }

    public sealed override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(Format(value));

    protected abstract bool TryParse(string text, [MaybeNullWhen(false)] out T value);

    protected abstract string Format(T value);
}

internal sealed class PeerIdConverter : TextConverter<PeerId>
{
    protected override bool TryParse(string text, out PeerId value) => PeerId.TryParse(text, out value);

    protected override string Format(PeerId value) => value.ToString();
}

/// <summary><c>"192.0.2.1:443"</c> or <c>"[2001:db8::1]:443"</c>.</summary>
internal sealed class EndpointConverter : TextConverter<Endpoint>
{
    protected override bool TryParse(string text, out Endpoint value) => Endpoint.TryParse(text, out value);

    protected override string Format(Endpoint value) => value.ToString();
}

/// <summary>An address alone, <c>"192.0.2.1"</c> or <c>"2001:db8::1"</c>: an <see cref="Endpoint"/> of port 0.</summary>
internal sealed class AddressConverter : TextConverter<Endpoint>
{
    protected override bool TryParse(string text, out Endpoint value)
    {
        value = default;
        if (!IPAddress.TryParse(text, out var address)) return false;
        value = Endpoint.From(address, 0);
        return true;
    }

    protected override string Format(Endpoint value) => value.ToIPAddress().ToString();
}

/// <summary>A list of <see cref="Endpoint"/>s; <see cref="CoordinationLimits.MaxStunServers"/> at most.</summary>
internal sealed class EndpointListConverter : JsonConverter<Endpoint[]>
{
    private static readonly EndpointConverter Element = new();

    public override Endpoint[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw new JsonException();
        var endpoints = new List<Endpoint>(CoordinationLimits.MaxStunServers);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (endpoints.Count == CoordinationLimits.MaxStunServers) throw new JsonException();
            endpoints.Add(Element.Read(ref reader, typeof(Endpoint), options));
        }
        return [.. endpoints];
    }

    public override void Write(Utf8JsonWriter writer, Endpoint[] value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        foreach (var endpoint in value) Element.Write(writer, endpoint, options);
        writer.WriteEndArray();
    }
}
