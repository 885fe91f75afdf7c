using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Punchline.Server.Tests.Coordination;

/// <summary>The least reverse proxy: ends TLS, says for whom a connection's one request comes, and passes all else on.</summary>
internal sealed class TlsProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ServerCertificate _certificate = ServerCertificate.Obtain(new CoordinationServerOptions());
    private readonly CancellationTokenSource _stop = new();
    private readonly int _upstream;
    private readonly string _forwardedFor;
    private readonly Task _running;

    public TlsProxy(int upstream, string forwardedFor)
    {
        _upstream = upstream;
        _forwardedFor = forwardedFor;
        _listener.Start();
        _running = AcceptAsync();
    }

    public string Address => $"{_listener.LocalEndpoint}#{_certificate.Pin}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _running;
        _certificate.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var carrying = new List<Task>();
        try
        {
            while (true) carrying.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(carrying);
        }
    }

    private async Task CarryAsync(TcpClient client)
    {
        try
        {
            using var server = new TcpClient();
            await using var outside = new SslStream(client.GetStream());
            await outside.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate.Certificate }, _stop.Token);
            await server.ConnectAsync(IPAddress.Loopback, _upstream, _stop.Token);
            await using var inside = server.GetStream();

            var head = new List<byte>();
            var one = new byte[1];
            while (head.Count < 4 || !head[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
            {
                await outside.ReadExactlyAsync(one, _stop.Token);
                head.Add(one[0]);
            }
            head.InsertRange(head.Count - 2, Encoding.ASCII.GetBytes($"X-Forwarded-For: {_forwardedFor}\r\n"));
            await inside.WriteAsync(head.ToArray(), _stop.Token);
            await Task.WhenAny(outside.CopyToAsync(inside, _stop.Token), inside.CopyToAsync(outside, _stop.Token));
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException)
        {
            // Either side went.
        }
        finally
        {
            client.Dispose();
        }
    }
}
