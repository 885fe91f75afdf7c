using System.Net;
using System.Net.Sockets;

namespace Punchline.Sockets;

/// <summary>Whether TCP gets to a place at all: a refusal is an answer, silence may be a firewall.</summary>
internal static class TcpReach
{
    /// <summary>A SYN and one more, and a way there and back.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(1_500);

    // Where browsers go.
    private static readonly int[] WebPorts = [443, 80];

    /// <summary>True: only the ports that browsers use lead to there. False: others do, too. Null: nothing does, or the port is one of those.</summary>
    public static async Task<bool?> IsWebOnlyAsync(IPEndPoint server, CancellationToken cancellationToken)
    {
        if (WebPorts.Contains(server.Port)) return null;
        var web = Task.WhenAll(WebPorts.Select(port => AnswersAsync(new IPEndPoint(server.Address, port), cancellationToken)));
        var answers = await AnswersAsync(server, cancellationToken).ConfigureAwait(false);
        var webAnswers = await web.ConfigureAwait(false);
        return answers ? false : webAnswers.Contains(true) ? true : null;
    }

    private static async Task<bool> AnswersAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, patience.Token).ConfigureAwait(false);
            return true;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode == SocketError.ConnectionRefused;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
