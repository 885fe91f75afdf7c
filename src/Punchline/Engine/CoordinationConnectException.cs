namespace Punchline.Engine;

/// <summary>Why there is no connection to a coordination server.</summary>
internal enum CoordinationConnectFailure
{
    NameNotFound,
    Refused,
    Unreachable,
    TimedOut,
    CertificateRefused,
    NotAPunchlineServer,

    /// <summary>The server has no room at this moment, or this address asks for too much: later it may.</summary>
    Busy,
}

/// <summary>No connection to a coordination server; the message is a sentence for people.</summary>
internal sealed class CoordinationConnectException(CoordinationConnectFailure failure, string message, Exception? inner = null)
    : IOException(message, inner)
{
    public CoordinationConnectFailure Failure { get; } = failure;

    /// <summary>For the library's callers.</summary>
    public PunchlineException ToPunchlineException() =>
        new(Failure == CoordinationConnectFailure.CertificateRefused ? PunchlineError.ServerNotTrusted : PunchlineError.ServerUnreachable, Message, this);
}
