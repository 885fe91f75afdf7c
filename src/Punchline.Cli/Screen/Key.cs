namespace Punchline.Cli.Screen;

/// <summary>What a key means to the editor; several keys may mean the same.</summary>
internal enum KeyMeaning
{
    /// <summary>Characters, as they are.</summary>
    Text,

    /// <summary>Characters that were pasted; they may have line feeds.</summary>
    Paste,

    Submit,
    LineFeed,
    Complete,
    DeleteBefore,
    DeleteAfter,
    DeleteOrEnd,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    KillToEnd,
    KillToStart,
    KillWordBefore,
    KillWordAfter,
    Yank,
    Transpose,
    Redraw,

    /// <summary>The terminal is what its user looks at (xterm's focus reports).</summary>
    FocusIn,
    FocusOut,
}

/// <summary>A key that was pressed.</summary>
/// <param name="Meaning">What it is for.</param>
/// <param name="Text">Of <see cref="KeyMeaning.Text"/> and <see cref="KeyMeaning.Paste"/>.</param>
internal readonly record struct Key(KeyMeaning Meaning, string Text = "");
