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

    /// <summary>The node, the room or the inbox is closed.</summary>
    Closed,

    /// <summary>The called peer is not at the server: it has no inbox open there.</summary>
    PeerOffline,

    /// <summary>The called peer takes no call just now.</summary>
    PeerBusy,

    /// <summary>The called peer did not take the call.</summary>
    PeerRefused,

    /// <summary>Nobody at the called peer answered for 60 s.</summary>
    PeerNotAnswering,

    /// <summary>An incoming call cannot be taken any more: the caller gave up, or it had rung for 60 s.</summary>
    CallWithdrawn,
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
