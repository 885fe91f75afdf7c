using System.Net;
using Microsoft.Extensions.Logging;

namespace Punchline.Server.Listening;

/// <summary>Events 1100 to 1199.</summary>
internal static partial class ListeningLog
{
    [LoggerMessage(1100, LogLevel.Debug, "A connection from {Address} said nothing in time, or nothing that is spoken here ({Speech}), and is closed")]
    public static partial void NothingToSay(ILogger logger, IPEndPoint? address, Speech speech);
}
