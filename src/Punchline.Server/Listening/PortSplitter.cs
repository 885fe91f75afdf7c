using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Punchline.Server.Stun;

namespace Punchline.Server.Listening;

/// <summary>
/// Stands before TLS on the server's TCP port: waits for a connection's first byte, leaves it where it is, and hands the
/// connection to TLS, to HTTP without TLS (which is told about https), or to STUN.
/// </summary>
internal sealed class PortSplitter(StunOverTcp stun, TimeProvider time, ILogger logger)
{
    /// <summary>
    /// From the connection to its first byte; TLS and HTTP have time-outs of their own behind it. A lost packet is sent
    /// again after 1 and 3 s (RFC 6298 §2.1).
    /// </summary>
    public static readonly TimeSpan FirstByteTimeout = TimeSpan.FromSeconds(5);

    /// <summary>What TLS is handed to; where the server speaks plain HTTP, null.</summary>
    public ConnectionDelegate? Tls { get; set; }

    /// <summary>What HTTP is handed to.</summary>
    public ConnectionDelegate? Http { get; set; }

    public async Task HandleAsync(ConnectionContext connection)
    {
        switch (await PeekAsync(connection))
        {
            case Speech.Tls when Tls is not null:
                await Tls(connection);
                break;
            case Speech.Http when Http is not null:
                await Http(connection);
                break;
            // Half open no more; and where there is no place for it, STUN over TCP has no word to say so.
            case Speech.Stun when connection.Features.Get<ConnectionLease>()?.Establish() is null:
                await stun.ServeAsync(connection);
                break;
            case var speech:
                ListeningLog.NothingToSay(logger, (IPEndPoint?)connection.RemoteEndPoint, speech);
                break;
        }
    }

    private async ValueTask<Speech> PeekAsync(ConnectionContext connection)
    {
        using var limit = Deadline.Start(FirstByteTimeout, time, connection);
        try
        {
            var input = connection.Transport.Input;
            var read = await input.ReadAsync(limit.Token);
            var speech = read.Buffer.IsEmpty ? Speech.Unknown : FirstByte.Classify(read.Buffer.FirstSpan[0]);
            // Neither taken nor looked at: whoever reads next finds it at once.
            input.AdvanceTo(read.Buffer.Start);
            return speech;
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException)
        {
            return Speech.Unknown;
        }
    }
}
