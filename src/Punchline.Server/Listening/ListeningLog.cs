using System.Net;
using Microsoft.Extensions.Logging;

namespace Punchline.Server.Listening;

/// <summary>Events 1100 to 1199.</summary>
internal static partial class ListeningLog
{
    [LoggerMessage(1100, LogLevel.Debug, "A connection from {Address} said nothing in time, or nothing that is spoken here ({Speech}), and is closed")]
    public static partial void NothingToSay(ILogger logger, IPEndPoint? address, Speech speech);

    [LoggerMessage(1101, LogLevel.Warning, "{Refused} connections were closed unheard, for too many are half open, from one address or in all; the last from {Address}")]
    public static partial void TooManyHalfOpen(ILogger logger, int refused, IPAddress address);

    [LoggerMessage(1102, LogLevel.Debug, "A request from {Address} was refused: {Reason}")]
    public static partial void NotAdmitted(ILogger logger, IPAddress address, string reason);
}
