using System.Net;
using Microsoft.Extensions.Logging;

namespace Punchline.Server.Stun;

/// <summary>What the STUN server says; event ids 2000 to 2099. Clients' addresses are not in it.</summary>
internal static partial class StunServerLog
{
    [LoggerMessage(2000, LogLevel.Information, "STUN answers on {Endpoint}")]
    public static partial void Listening(ILogger logger, IPEndPoint endpoint);

    [LoggerMessage(2001, LogLevel.Information, "STUN left {Endpoint}: the address is gone")]
    public static partial void Left(ILogger logger, IPEndPoint endpoint);

    [LoggerMessage(2002, LogLevel.Warning, "STUN cannot answer on {Endpoint}: {Reason}")]
    public static partial void CannotBind(ILogger logger, IPEndPoint endpoint, string reason);

    [LoggerMessage(2003, LogLevel.Warning, "STUN has no second port above {Port}: clients cannot tell whether mappings depend on the port")]
    public static partial void NoSecondPort(ILogger logger, int port);

    [LoggerMessage(2004, LogLevel.Warning, "STUN answers on {Limit} of this machine's {Count} addresses; name one with --listen to choose it")]
    public static partial void TooManyAddresses(ILogger logger, int limit, int count);

    [LoggerMessage(2005, LogLevel.Warning, "STUN cannot list this machine's addresses and keeps those that it has: {Reason}")]
    public static partial void CannotListAddresses(ILogger logger, string reason);

    [LoggerMessage(2006, LogLevel.Warning, "STUN fails to receive on {Endpoint}, {Failures} times in a row: {Reason}. It goes on trying")]
    public static partial void ReceiveFails(ILogger logger, IPEndPoint endpoint, int failures, string reason);

    [LoggerMessage(2007, LogLevel.Debug, "STUN could not send an answer from {Endpoint}: {Reason}")]
    public static partial void SendFailed(ILogger logger, IPEndPoint endpoint, string reason);
}
