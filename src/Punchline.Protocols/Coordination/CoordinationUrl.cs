using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

/// <summary>What a tag stands for at the server.</summary>
internal enum PlaceKind
{
    /// <summary>All are introduced to all.</summary>
    Room,

    /// <summary>One peer's, who is introduced to callers, and callers to it alone.</summary>
    Inbox,
}

/// <summary>
/// How rooms and inboxes stand in URLs: <c>/v1/rooms/TAG</c> and <c>/v1/inboxes/TAG</c>, the tag in base32. They are
/// independent of each other, so a load balancer may choose the server by hashing the path.
/// </summary>
internal static class CoordinationUrl
{
    /// <summary>The WebSocket subprotocol (RFC 6455 §1.9): who does not answer with it is no coordination server of ours.</summary>
    public const string SubProtocol = "punchline.v1";

    private const string RoomPrefix = "/v1/rooms/";
    private const string InboxPrefix = "/v1/inboxes/";

    public static string PathOf(ReadOnlySpan<byte> tag, PlaceKind kind = PlaceKind.Room) =>
        (kind == PlaceKind.Room ? RoomPrefix : InboxPrefix) + Base32.Encode(tag);

    public static bool TryRead(string? path, out PlaceKind kind, [NotNullWhen(true)] out byte[]? tag)
    {
        (kind, tag) = (PlaceKind.Room, null);
        if (path is null) return false;
        if (path.StartsWith(InboxPrefix, StringComparison.Ordinal)) kind = PlaceKind.Inbox;
        else if (!path.StartsWith(RoomPrefix, StringComparison.Ordinal)) return false;
        var prefix = kind == PlaceKind.Room ? RoomPrefix : InboxPrefix;
        return Base32.TryDecode(path.AsSpan(prefix.Length), out tag)
            && tag.Length is >= CoordinationLimits.MinTagBytes and <= CoordinationLimits.MaxTagBytes;
    }
}
