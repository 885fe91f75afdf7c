using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Punchline.Protocols.Stun;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Server.Tests.Listening;

/// <summary>TLS, plain HTTP and STUN at one real port.</summary>
public sealed class OnePortTests : IAsyncLifetime
{
    private CoordinationHost _host = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() =>
        _host = await CoordinationHost.StartAsync(new CoordinationServerOptions { Port = 0 }, cancellationToken: Cancellation);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("/")]
    [InlineData("/v1/health")]
    [InlineData("/v1/rooms/aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task Plain_HTTP_is_told_about_https(string path)
    {
        using var client = Browser.Create(_host.Port, "http");
        using var response = await client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.True(response.Headers.ConnectionClose);
        Assert.Equal(
            $"This is a Punchline coordination server, and it speaks https: https://127.0.0.1:{_host.Port}/\n",
            await response.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task TLS_that_comes_byte_by_byte_is_TLS()
    {
        using var connection = await ConnectAsync();
        await using var tls = new SslStream(new TricklingStream(connection.GetStream()), leaveInnerStreamOpen: false, (_, _, _, errors) => errors != SslPolicyErrors.RemoteCertificateNotAvailable);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "127.0.0.1" }, Cancellation);
        await tls.WriteAsync("GET /v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray(), Cancellation);
        using var reader = new StreamReader(tls, Encoding.ASCII);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await reader.ReadToEndAsync(Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task STUN_is_answered_and_counted()
    {
        using var connection = await ConnectAsync();
        var stream = connection.GetStream();
        var request = new StunWriter(new byte[20], StunClass.Request, StunMethod.Binding, new StunTransactionId(1, 2)).Written.ToArray();
        var response = new byte[32];
        for (var i = 0; i < 3; i++)
        {
            await stream.WriteAsync(request, Cancellation);
            await stream.ReadExactlyAsync(response, Cancellation);
            AssertReflected(response, (IPEndPoint)connection.Client.LocalEndPoint!);
        }
        using var client = Browser.Create(_host.Port);
        Assert.Contains("\"stunRequests\":3", await client.GetStringAsync(new Uri("/v1/stats", UriKind.Relative), Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_does_not_wait_for_STUN_clients()
    {
        using var connection = await ConnectAsync();
        await connection.GetStream().WriteAsync(new byte[1], Cancellation);
        await _host.StopAsync(Cancellation);
        Assert.True(await IsClosedAsync(connection));
    }

    // In good order, or by a reset where the server had not read the byte yet.
    private static async Task<bool> IsClosedAsync(TcpClient connection)
    {
        try
        {
            return await connection.GetStream().ReadAsync(new byte[1], Cancellation) == 0;
        }
        catch (IOException exception) when (exception.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            return true;
        }
    }

    private static void AssertReflected(byte[] response, IPEndPoint local)
    {
        Assert.True(StunMessage.TryRead(response, out var message));
        Assert.True(message.TryFind(StunAttributeType.XorMappedAddress, out var value));
        Assert.True(StunAddress.TryReadXor(value, message.TransactionId, out var mapped));
        Assert.Equal(local, mapped.ToIPEndPoint());
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var connection = new TcpClient(AddressFamily.InterNetwork) { NoDelay = true };
        await connection.ConnectAsync(IPAddress.Loopback, _host.Port, Cancellation);
        return connection;
    }

    /// <summary>Writes each byte by itself.</summary>
    private sealed class TricklingStream(Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            for (var i = 0; i < buffer.Length; i++) await inner.WriteAsync(buffer.Slice(i, 1), cancellationToken);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
