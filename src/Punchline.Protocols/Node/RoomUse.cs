namespace Punchline.Protocols.Node;

/// <summary>What a room's connections carry on this side.</summary>
/// <param name="HasChat">Messages to all. Without them this side opens no stream for chat, and takes none.</param>
/// <param name="Protocols">Names of the application's protocols whose streams are taken; those of others are refused.</param>
internal sealed record RoomUse(bool HasChat, IReadOnlySet<string> Protocols)
{
    public static RoomUse Chat { get; } = new(HasChat: true, new HashSet<string>(StringComparer.Ordinal));
}
