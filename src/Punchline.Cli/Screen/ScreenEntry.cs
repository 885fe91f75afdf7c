namespace Punchline.Cli.Screen;

/// <summary>What a screen's log has of a room: messages, and what happened between them.</summary>
internal enum ScreenEntryKind
{
    /// <summary>A member's message.</summary>
    Received,

    /// <summary>Ours.</summary>
    Sent,

    /// <summary>Something that this program tells its user.</summary>
    Notice,

    /// <summary>A member or the server came, went or changed.</summary>
    Happening,

    /// <summary>A line across: a new day, or where the unread begins.</summary>
    Divider,
}

/// <summary>An entry of a screen's log.</summary>
/// <param name="Number">From 1, without gaps.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Time">Of the reader's own zone.</param>
/// <param name="Text">Line feeds and tabs are its only control characters.</param>
/// <param name="Author">Who says it; empty where nobody does.</param>
/// <param name="Peer">The author's; null: this peer's, or nobody's.</param>
/// <param name="Recipients">Of a message of ours.</param>
/// <param name="Delivered">How many of them have it.</param>
internal sealed record ScreenEntry(
    long Number, ScreenEntryKind Kind, DateTimeOffset Time, string Text, string Author = "", PeerId? Peer = null, int Recipients = 0, int Delivered = 0);
