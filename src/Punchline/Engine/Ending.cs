using System.Globalization;
using Punchline.Protocols.Node;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;

namespace Punchline.Engine;

/// <summary>Why a connection, or a side of a stream, is over; each who is told gets an exception of its own.</summary>
internal sealed record Ending(PunchlineError Error, string Message, long? ApplicationErrorCode = null)
{
    /// <summary>The application's codes are below this: what is left of a wire's integer behind the registry of PROTOCOL §11.</summary>
    public const long EndOfApplicationCodes = (1L << 62) - (long)CloseCodes.FirstOfApplication;

    public static Ending Disposed { get; } = new(PunchlineError.OperationAborted, "The stream was disposed of.");

    public static Ending NodeClosed { get; } = new(PunchlineError.Closed, "The node is closed.");

    public PunchlineException ToException() => new(Error, Message) { ApplicationErrorCode = ApplicationErrorCode };

    /// <summary>Of a connection.</summary>
    public static Ending Of(CloseReason reason) => reason switch
    {
        { Origin: CloseOrigin.IdleTimeout } => new(PunchlineError.ConnectionTimeout, "Nothing came from the peer for the idle time-out."),
        { Origin: CloseOrigin.StatelessReset } => new(PunchlineError.ConnectionReplaced, "The peer has lost the connection, as by a restart."),
        { IsApplication: true, Code: CloseCodes.Superseded } => new(PunchlineError.ConnectionReplaced, "A newer connection with the same peer has taken this one's place."),
        { Origin: CloseOrigin.Local, IsApplication: true, Code: CloseCodes.Left } => new(PunchlineError.Closed, "The room was left."),
        { Origin: CloseOrigin.Local, IsApplication: true, Code: >= CloseCodes.FirstOfApplication } => new(PunchlineError.Closed, "The connection was closed on this side."),
        { IsApplication: true, Code: CloseCodes.Left } => new(PunchlineError.ConnectionAborted, "The peer has left."),
        { IsApplication: true, Code: >= CloseCodes.FirstOfApplication } =>
            new(PunchlineError.ConnectionAborted, $"The peer closed the connection with code {reason.Code - CloseCodes.FirstOfApplication}{Quote(reason.Text)}.", (long)(reason.Code - CloseCodes.FirstOfApplication)),
        _ => new(PunchlineError.ConnectionAborted, string.Create(
            CultureInfo.InvariantCulture, $"{(reason.Origin == CloseOrigin.Local ? "This side" : "The peer")} closed the connection with the {(reason.IsApplication ? "" : "transport's ")}code 0x{reason.Code:x2}{Quote(reason.Text)}.")),
    };

    /// <summary>Of a side of a stream that the peer abandoned.</summary>
    public static Ending OfStream(ulong code, string protocol) => code switch
    {
        StreamErrorCodes.UnknownProtocol => new(PunchlineError.ProtocolRefused, $"The peer takes no streams of the protocol {protocol}."),
        >= StreamErrorCodes.FirstOfApplication => new(
            PunchlineError.StreamAborted, $"The peer aborted the stream with code {code - StreamErrorCodes.FirstOfApplication}.", (long)(code - StreamErrorCodes.FirstOfApplication)),
        _ => new(PunchlineError.StreamAborted, string.Create(CultureInfo.InvariantCulture, $"The peer aborted the stream with the code 0x{code:x2} of the protocol.")),
    };

    /// <summary>A code of the application's, as it goes over the wire.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative, or not below <see cref="EndOfApplicationCodes"/>.</exception>
    public static ulong ToWire(long code, string parameter)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(code, parameter);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(code, EndOfApplicationCodes, parameter);
        return (ulong)code;
    }

    // The peer's words, to which the sentence's own full stop comes.
    private static string Quote(string text) => text.Length == 0 ? "" : $": {PeerText.Clean(text).TrimEnd('.')}";
}
