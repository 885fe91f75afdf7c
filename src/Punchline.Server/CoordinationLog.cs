using Microsoft.Extensions.Logging;

namespace Punchline.Server;

/// <summary>Events 1000 to 1099.</summary>
internal static partial class CoordinationLog
{
    [LoggerMessage(1000, LogLevel.Information, "Coordination server listens on port {Port}, pin {Pin}")]
    public static partial void Listening(ILogger logger, int port, string pin);

    [LoggerMessage(1001, LogLevel.Information, "Coordination server stops with {Connections} connections")]
    public static partial void Stopping(ILogger logger, int connections);

    [LoggerMessage(1010, LogLevel.Debug, "Connection {Connection} from {Address} opened")]
    public static partial void ConnectionOpened(ILogger logger, long connection, object address);

    [LoggerMessage(1011, LogLevel.Debug, "Connection {Connection} ended")]
    public static partial void ConnectionEnded(ILogger logger, long connection);

    [LoggerMessage(1012, LogLevel.Warning, "Connection {Connection} does not read what it is sent, and is closed")]
    public static partial void SlowReader(ILogger logger, long connection);

    [LoggerMessage(1013, LogLevel.Warning, "Connection {Connection} sent a message that we do not take, and is closed: {Status}")]
    public static partial void UnacceptableMessage(ILogger logger, long connection, object status);

    [LoggerMessage(1020, LogLevel.Information, "{Peer} joined from {Address} on connection {Connection}")]
    public static partial void Joined(ILogger logger, PeerId peer, object address, long connection);

    [LoggerMessage(1021, LogLevel.Debug, "{Peer} joined again from {Address} on connection {Connection}")]
    public static partial void Rejoined(ILogger logger, PeerId peer, object address, long connection);

    [LoggerMessage(1022, LogLevel.Information, "{Peer} is replaced by another instance of itself")]
    public static partial void Replaced(ILogger logger, PeerId peer);

    [LoggerMessage(1023, LogLevel.Information, "{Peer} is gone: {Reason}")]
    public static partial void Left(ILogger logger, PeerId peer, object reason);

    [LoggerMessage(1024, LogLevel.Warning, "Connection {Connection} from {Address} is refused: {Code}")]
    public static partial void Refused(ILogger logger, long connection, object address, string code);
}
