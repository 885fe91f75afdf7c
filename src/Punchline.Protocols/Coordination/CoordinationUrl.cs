using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

/// <summary>
/// How rooms stand in URLs: <c>/v1/rooms/TAG</c>, the tag in base32. Rooms are independent of each other, so a load
/// balancer may choose the server by hashing the path.
/// </summary>
internal static class CoordinationUrl
{
    /// <summary>The WebSocket subprotocol (RFC 6455 §1.9): who does not answer with it is no coordination server of ours.</summary>
    public const string SubProtocol = "punchline.v1";

    private const string Prefix = "/v1/rooms/";

    public static string PathOf(ReadOnlySpan<byte> tag) => Prefix + Base32.Encode(tag);

    public static bool TryReadRoom(string? path, [NotNullWhen(true)] out byte[]? tag)
    {
        tag = null;
        return path is not null && path.StartsWith(Prefix, StringComparison.Ordinal)
            && Base32.TryDecode(path.AsSpan(Prefix.Length), out tag)
            && tag.Length is >= CoordinationLimits.MinTagBytes and <= CoordinationLimits.MaxTagBytes;
    }
}
