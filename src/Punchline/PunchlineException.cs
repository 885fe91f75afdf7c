namespace Punchline;

/// <summary>Why something did not work, for programs.</summary>
public enum PunchlineError
{
    /// <summary>The coordination server cannot be reached, or is none. The message says what happened.</summary>
    ServerUnreachable,

    /// <summary>The server showed a key that is not trusted.</summary>
    ServerNotTrusted,

    /// <summary>The server refused to let this peer in.</summary>
    ServerRefused,

    /// <summary>What was given is not valid: an address, a name, a message that is too long.</summary>
    InvalidInput,

    /// <summary>A member has too much unacknowledged; try again when it caught up.</summary>
    Congested,

    /// <summary>The node or the room is closed.</summary>
    Closed,
}

/// <summary>Something did not work; the message says what happened, why, and what to do.</summary>
/// <param name="error">Why, for programs.</param>
/// <param name="message">Why, for people.</param>
/// <param name="innerException">What was underneath.</param>
public sealed class PunchlineException(PunchlineError error, string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>Why, for programs.</summary>
    public PunchlineError Error { get; } = error;
}
