namespace Punchline.Cli.Screen;

/// <summary>What a screen can have done for the person at it, besides talking in its rooms.</summary>
internal interface IScreenDesk
{
    /// <summary>Notes that a member's id was compared, and says in the session that it was.</summary>
    /// <returns>Why it cannot be noted; null: it is.</returns>
    string? Verify(PeerId peer);

    /// <summary>Blocks a member, or does so no more.</summary>
    /// <returns>Why it cannot be done; null: it is.</returns>
    string? Block(PeerId peer, bool isBlocked);

    /// <summary>Calls a peer, in a room of its own that the session opens.</summary>
    /// <param name="peer">As it was typed.</param>
    /// <returns>Why it cannot be called; null: it rings, or will.</returns>
    string? Call(string peer);
}
