namespace Punchline.Cli.Screen;

/// <summary>A terminal's size, in cells.</summary>
internal readonly record struct ScreenSize(int Columns, int Rows)
{
    // What is drawn is bounded by it, and nobody reads more.
    private const int Max = 1000;

    /// <summary>One that can be drawn on; a terminal that says 0 × 0 does not know, and is taken for the usual one.</summary>
    public static ScreenSize Of(int columns, int rows) => columns <= 0 || rows <= 0 ? new ScreenSize(80, 24) : new ScreenSize(Math.Clamp(columns, 2, Max), Math.Clamp(rows, 2, Max));
}

/// <summary>All that a frame shows.</summary>
/// <param name="Room">Log and members, of the room that is in view.</param>
/// <param name="Editor">What is being written.</param>
/// <param name="Hint">A word about what was typed, in the bar; empty: none.</param>
internal sealed record ScreenState(RoomView Room, LineEditor Editor, string Hint)
{
    /// <summary>The rooms that are not in view.</summary>
    public IReadOnlyList<RoomView> Others { get; init; } = [];
}
