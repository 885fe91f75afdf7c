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

    /// <summary>No way to the peer was found; <see cref="PunchlineException.FailureCause"/> says why.</summary>
    PeerUnreachable,

    /// <summary>The peer closed the connection, or one side found that the other breaks the protocol.</summary>
    ConnectionAborted,

    /// <summary>Nothing came from the peer for the idle time-out of 30 s.</summary>
    ConnectionTimeout,

    /// <summary>The peer started anew, or came back after it had lost the connection: there is, or will be, another one.</summary>
    ConnectionReplaced,

    /// <summary>The peer abandoned this side of the stream.</summary>
    StreamAborted,

    /// <summary>The peer takes no streams of this protocol.</summary>
    ProtocolRefused,

    /// <summary>This side abandoned or disposed of what it waited for.</summary>
    OperationAborted,

    /// <summary>A synchronous read or write took longer than the stream's time-out.</summary>
    TimedOut,

    /// <summary>No node of the DHT answers.</summary>
    DhtUnreachable,
}

/// <summary>Something did not work; the message says what happened, why, and what to do.</summary>
/// <param name="error">Why, for programs.</param>
/// <param name="message">Why, for people.</param>
/// <param name="innerException">What was underneath.</param>
public sealed class PunchlineException(PunchlineError error, string message, Exception? innerException = null) : IOException(message, innerException)
{
    /// <summary>Why, for programs.</summary>
    public PunchlineError Error { get; } = error;

    /// <summary>The code with which the peer's program closed the connection or abandoned the stream; null where it was not the program.</summary>
    public long? ApplicationErrorCode { get; init; }

    /// <summary>Why no way to a peer was found: a code of the list in PROTOCOL.md, such as <c>no-answer</c>; null for every other error.</summary>
    public string? FailureCause { get; init; }
}
