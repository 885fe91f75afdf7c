using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Chat;

/// <summary>
/// For people: members' messages on standard output, and what else happens, marked with an asterisk, on standard error,
/// so that a pipe gets the messages alone.
/// </summary>
/// <param name="output">For messages.</param>
/// <param name="error">For all else.</param>
/// <param name="prompt">What asks for the next line, and has both of these; null: nothing does.</param>
internal sealed class PlainOutput(TextWriter output, TextWriter error, PromptLine? prompt = null) : IChatOutput
{
    // Of an id's 52 characters; a stranger would try 2^40 keys to have them too.
    private const int ShortIdLength = 8;

    private readonly RoomNarrator _narrator = new();

    public static string ShortId(PeerId peer) => peer.ToString()[..ShortIdLength];

    public void ShowReady(PeerId self, string name, string room) => Notice($"In the room {room} as {name} ({ShortId(self)}…).");

    public void Notice(string text) => error.WriteLine($"* {text}");

    public void AwaitLine() => prompt?.Ask();

    public void Show(RoomEvent roomEvent)
    {
        if (roomEvent is RoomEvent.Message message)
        {
            // Further lines are set in, so that nobody writes a line that looks like another's.
            output.WriteLine($"{PeerText.Clean(message.Name)}: {PeerText.Clean(message.Text, multiline: true).Replace("\n", "\n    ", StringComparison.Ordinal)}");
        }
        else if (_narrator.Tell(roomEvent) is { } sentence)
        {
            Notice(sentence);
        }
    }
}
