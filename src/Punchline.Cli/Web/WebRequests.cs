using System.Text.Json.Serialization;

namespace Punchline.Cli.Web;

// What a page sends. Each is an object with all of these and nothing else.

/// <param name="Token">From the link.</param>
internal sealed record OpenRequest(string Token);

/// <param name="Place">Where the members meet: <see cref="WebPlace"/>.</param>
/// <param name="Server"><c>HOST[:PORT][#PIN]</c>, where the place is one.</param>
/// <param name="Name">What others see.</param>
/// <param name="Room">Its name.</param>
/// <param name="Secret">Empty: the room is open.</param>
internal sealed record JoinRequest(string Place, string Server, string Name, string Room, string Secret);

/// <param name="Place">Where the two meet: <see cref="WebPlace"/>.</param>
/// <param name="Server"><c>HOST[:PORT][#PIN]</c>, where the place is one.</param>
/// <param name="Name">What the other sees.</param>
/// <param name="Peer">An id, an alias, or the beginning of a known id.</param>
internal sealed record CallRequest(string Place, string Server, string Name, string Peer);

/// <param name="Place">Where callers meet us: <see cref="WebPlace"/>.</param>
/// <param name="Server"><c>HOST[:PORT][#PIN]</c>, where the place is one.</param>
/// <param name="Name">What callers see.</param>
/// <param name="Reachable">In the DHT: whoever knows the id may find the public address.</param>
internal sealed record WaitRequest(string Place, string Server, string Name, bool Reachable);

/// <param name="Text">To all in the room.</param>
internal sealed record SendRequest(string Text);

/// <param name="Text">To be a QR code.</param>
internal sealed record CodeRequest(string Text);

/// <param name="Server"><c>HOST[:PORT][#PIN]</c>, to look at the network from; empty: none.</param>
internal sealed record ExamineRequest(string Server);

/// <summary>Strict: what is missing, null, twice there or unknown is no request.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, MaxDepth = 4, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(OpenRequest))]
[JsonSerializable(typeof(JoinRequest))]
[JsonSerializable(typeof(CallRequest))]
[JsonSerializable(typeof(WaitRequest))]
[JsonSerializable(typeof(SendRequest))]
[JsonSerializable(typeof(CodeRequest))]
[JsonSerializable(typeof(ExamineRequest))]
internal sealed partial class WebRequestJson : JsonSerializerContext;
