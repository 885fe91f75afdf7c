namespace Punchline.Cli.Chat;

/// <summary>How what happens in a room is told.</summary>
internal interface IChatOutput
{
    /// <summary>We are in the room.</summary>
    void ShowReady(PeerId self, string name, string room);

    void Show(RoomEvent roomEvent);

    /// <summary>Something for people alone.</summary>
    void Notice(string text);

    /// <summary>The next line may be typed.</summary>
    void AwaitLine()
    {
    }
}
