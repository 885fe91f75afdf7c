using System.Text.Json.Serialization;

namespace Punchline.Cli.Web;

// What a page sends. Each is an object with all of these and nothing else.

/// <param name="Token">From the link.</param>
internal sealed record OpenRequest(string Token);

/// <param name="Server"><c>HOST[:PORT][#PIN]</c>.</param>
/// <param name="Name">What others see.</param>
/// <param name="Room">Its name.</param>
/// <param name="Secret">Empty: the room is open.</param>
internal sealed record JoinRequest(string Server, string Name, string Room, string Secret);

/// <param name="Server"><c>HOST[:PORT][#PIN]</c>.</param>
/// <param name="Name">What the other sees.</param>
/// <param name="Peer">An id, an alias, or the beginning of a known id.</param>
internal sealed record CallRequest(string Server, string Name, string Peer);

/// <param name="Server"><c>HOST[:PORT][#PIN]</c>.</param>
/// <param name="Name">What callers see.</param>
internal sealed record WaitRequest(string Server, string Name);

/// <param name="Text">To all in the room.</param>
internal sealed record SendRequest(string Text);

/// <summary>Strict: what is missing, null, twice there or unknown is no request.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 4, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(OpenRequest))]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(CallRequest))]
[JsonSerializable(typeof(WaitRequest))]
[JsonSerializable(typeof(SendRequest))]
internal sealed partial class WebRequestJson : JsonSerializerContext;
