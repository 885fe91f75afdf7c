using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using Punchline.Engine;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Server.Tests.Coordination;

/// <summary>The server process's inside on loopback: real Kestrel, real TLS, real WebSockets.</summary>
public sealed class CoordinationHostTests : IAsyncLifetime
{
    private static readonly byte[] Tag = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    private CoordinationHost _host = null!;

    private string Server => $"127.0.0.1:{_host.Port}#{_host.Pin}";

    public async ValueTask InitializeAsync() =>
        _host = await CoordinationHost.StartAsync(new CoordinationServerOptions { Port = 0 }, cancellationToken: TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Two_peers_are_introduced_and_one_leaves()
    {
        await using var alice = await TestPeer.ConnectAsync(Server, Tag);
        var challenged = await alice.NextAsync<CoordinationClientEvent.Challenged>();
        Assert.Equal([Endpoint.Parse($"127.0.0.1:{_host.Port}"), Endpoint.Parse($"127.0.0.1:{_host.Port + 1}")], challenged.StunServers);
        await alice.ProvideBlobAsync(1, "of alice"u8.ToArray());
        var welcomed = await alice.NextAsync<CoordinationClientEvent.Welcomed>();
        Assert.Empty(welcomed.Members);
        Assert.Equal(IPAddress.Loopback, welcomed.OwnAddress.ToIPAddress());

        await using var bob = await TestPeer.JoinAsync(Server, Tag);
        var member = Assert.Single((await bob.NextAsync<CoordinationClientEvent.Welcomed>()).Members);
        Assert.Equal(alice.Id, member.Id);
        Assert.Equal("of alice"u8, member.Blob);
        Assert.Equal(IPAddress.Loopback, member.Address.ToIPAddress());
        Assert.Equal(bob.Id, (await alice.NextAsync<CoordinationClientEvent.MemberJoined>()).Member.Id);

        await bob.ProvideBlobAsync(2, "better"u8.ToArray());
        var updated = await alice.NextAsync<CoordinationClientEvent.MemberUpdated>();
        Assert.Equal("better"u8, updated.Member.Blob);

        await bob.LeaveAsync();
        Assert.Equal(new CoordinationClientEvent.MemberLeft(bob.Id, MemberLeftReason.Left), await alice.NextAsync<CoordinationClientEvent.MemberLeft>());
        Assert.Null(await bob.Channel.ReceiveAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task IPv6_and_names_work_too()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6, "This machine has no IPv6.");
        await using var alice = await TestPeer.JoinAsync($"[::1]:{_host.Port}#{_host.Pin}", Tag);
        Assert.Equal(IPAddress.IPv6Loopback, (await alice.NextAsync<CoordinationClientEvent.Welcomed>()).OwnAddress.ToIPAddress());
        await using var bob = await TestPeer.JoinAsync($"LocalHost:{_host.Port}#{_host.Pin}", Tag);
        Assert.Equal(alice.Id, Assert.Single((await bob.NextAsync<CoordinationClientEvent.Welcomed>()).Members).Id);
    }

    [Fact]
    public async Task A_wrong_pin_is_refused_with_the_reason()
    {
        var wrong = Base32.Encode(new byte[32]);
        var exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync($"127.0.0.1:{_host.Port}#{wrong}", Tag));
        Assert.Equal(CoordinationConnectFailure.CertificateRefused, exception.Failure);
        Assert.Contains(_host.Pin!, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_is_taken_at_first_use_of_an_address_and_then_held_to()
    {
        var directory = Directory.CreateTempSubdirectory("punchline-");
        try
        {
            var known = new KnownServers(directory.FullName);
            var server = $"127.0.0.1:{_host.Port}";
            await using (await TestPeer.ConnectAsync(server, Tag, known))
            {
            }
            Assert.Equal(new KnownServer(server, _host.Pin!, TrustOrigin.Pin), known.Find(server));

            known.Remember(new KnownServer(server, Base32.Encode(new byte[32]), TrustOrigin.Pin));
            var exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync(server, Tag, known));
            Assert.Equal(CoordinationConnectFailure.CertificateRefused, exception.Failure);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Nobody_listening_is_told_from_another_server()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var answer = AnswerInPlainTextAsync(other);
        var exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync($"127.0.0.1:{port}", Tag));
        Assert.Equal(CoordinationConnectFailure.NotAPunchlineServer, exception.Failure);
        await answer;
        other.Stop();
        exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync($"127.0.0.1:{port}", Tag));
        Assert.Equal(CoordinationConnectFailure.Refused, exception.Failure);
    }

    [Theory]
    [InlineData("oversized", WebSocketCloseStatus.MessageTooBig)]
    [InlineData("fragmented", WebSocketCloseStatus.MessageTooBig)]
    [InlineData("binary", WebSocketCloseStatus.InvalidMessageType)]
    [InlineData("nonsense", WebSocketCloseStatus.NormalClosure)]
    public async Task A_message_that_is_none_closes_that_connection_only(string what, WebSocketCloseStatus expected)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await using var alice = await TestPeer.JoinAsync(Server, Tag);
        await alice.NextAsync<CoordinationClientEvent.Welcomed>();

        using var socket = await OpenAsync(CoordinationUrl.SubProtocol);
        var buffer = new byte[16 * 1024];
        Assert.Equal(WebSocketMessageType.Text, (await socket.ReceiveAsync(buffer, cancellation)).MessageType);
        switch (what)
        {
            case "oversized": await socket.SendAsync(new byte[CoordinationLimits.MaxClientMessageBytes + 1], WebSocketMessageType.Text, true, cancellation); break;
            case "binary": await socket.SendAsync(new byte[1], WebSocketMessageType.Binary, true, cancellation); break;
            case "nonsense": await socket.SendAsync("nonsense"u8.ToArray(), WebSocketMessageType.Text, true, cancellation); break;
            default:
                for (var i = 0; i < 9; i++) await socket.SendAsync(new byte[1000], WebSocketMessageType.Text, false, cancellation);
                break;
        }
        WebSocketReceiveResult result;
        do result = await socket.ReceiveAsync(buffer, cancellation);
        while (result.MessageType != WebSocketMessageType.Close);
        Assert.Equal(expected, result.CloseStatus);

        await using var bob = await TestPeer.JoinAsync(Server, Tag);
        Assert.Equal(bob.Id, (await alice.NextAsync<CoordinationClientEvent.MemberJoined>()).Member.Id);
    }

    [Fact]
    public async Task Who_does_not_join_in_10_seconds_is_refused_and_closed()
    {
        var time = new ManualTime();
        await using var host = await CoordinationHost.StartAsync(
            new CoordinationServerOptions { Port = 0, TimeProvider = time }, cancellationToken: TestContext.Current.CancellationToken);
        await using var peer = await TestPeer.ConnectAsync($"127.0.0.1:{host.Port}#{host.Pin}", Tag);
        await peer.NextAsync<CoordinationClientEvent.Challenged>();
        // The timer comes a millisecond behind the core's deadline.
        time.Advance(CoordinationLimits.JoinTimeout + TimeSpan.FromMilliseconds(1));
        Assert.Equal(CoordinationErrorCode.JoinTimeout, (await peer.NextAsync<CoordinationClientEvent.Refused>()).Code);
        Assert.Null(await peer.Channel.ReceiveAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("/", HttpStatusCode.NotFound)]
    [InlineData("/v1/rooms/", HttpStatusCode.NotFound)]
    [InlineData("/v1/rooms/not-base32", HttpStatusCode.NotFound)]
    [InlineData("/v1/rooms/aaaaaaaaaaaaaaaaaaaaaaaaaa", HttpStatusCode.UpgradeRequired)]
    [InlineData("/v1/rooms/aaaaaaaaaaaaaaaaaaaaaaaaaa/more", HttpStatusCode.NotFound)]
    public async Task Other_requests_are_answered_in_text(string path, HttpStatusCode expected)
    {
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, errors) => errors != SslPolicyErrors.RemoteCertificateNotAvailable;
        using var client = new HttpClient(handler);
        using var response = await client.GetAsync(new Uri($"https://127.0.0.1:{_host.Port}{path}"), TestContext.Current.CancellationToken);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal("text/plain", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains("unchline", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_WebSocket_without_our_subprotocol_is_not_let_in()
    {
        var exception = await Assert.ThrowsAsync<WebSocketException>(() => OpenAsync("chat"));
        Assert.Contains("426", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopping_says_goodbye_and_frees_the_port()
    {
        await using var alice = await TestPeer.JoinAsync(Server, Tag);
        await alice.NextAsync<CoordinationClientEvent.Welcomed>();
        var port = _host.Port;
        var stopping = _host.StopAsync(TestContext.Current.CancellationToken);
        Assert.Null(await alice.Channel.ReceiveAsync(TestContext.Current.CancellationToken));
        await alice.DisposeAsync();
        await stopping;
        await using var next = await CoordinationHost.StartAsync(new CoordinationServerOptions { Port = port }, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(port, next.Port);
    }

    [Fact]
    public async Task Stopping_closes_with_1001_and_says_of_nobody_that_it_left()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var time = new ManualTime();
        await using var host = await CoordinationHost.StartAsync(new CoordinationServerOptions { Port = 0, TimeProvider = time }, cancellationToken: cancellation);
        var server = $"127.0.0.1:{host.Port}#{host.Pin}";
        await using var alice = await TestPeer.JoinAsync(server, Tag);
        await alice.NextAsync<CoordinationClientEvent.Welcomed>();
        await using var bob = await TestPeer.JoinAsync(server, Tag);
        await alice.NextAsync<CoordinationClientEvent.MemberJoined>();

        // Bob's silence is up within the 2 s that each connection has to close.
        var rest = TimeSpan.FromSeconds(1);
        time.Advance(CoordinationLimits.SilenceLimit - rest);
        var stopping = host.StopAsync(cancellation);
        time.Advance(rest + TimeSpan.FromMilliseconds(1));
        Assert.Null(await alice.Channel.ReceiveAsync(cancellation));
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, alice.Channel.CloseStatus);
        await alice.DisposeAsync();
        await bob.DisposeAsync();
        await stopping;
    }

    [Fact]
    public async Task A_taken_port_is_an_error_that_names_it()
    {
        var exception = await Assert.ThrowsAsync<IOException>(() =>
            CoordinationHost.StartAsync(new CoordinationServerOptions { Port = _host.Port }, cancellationToken: TestContext.Current.CancellationToken));
        Assert.Contains($"{_host.Port}", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_options_choose_what_STUN_is_advertised()
    {
        var options = new CoordinationServerOptions { Port = 0, StunServers = reached => [new IPEndPoint(reached.Address, 3478)] };
        await using var host = await CoordinationHost.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken);
        await using var peer = await TestPeer.ConnectAsync($"127.0.0.1:{host.Port}#{host.Pin}", Tag);
        Assert.Equal([Endpoint.Parse("127.0.0.1:3478")], (await peer.NextAsync<CoordinationClientEvent.Challenged>()).StunServers);

        options = new CoordinationServerOptions { Port = 0, PublicAddresses = [IPAddress.Parse("203.0.113.5")] };
        await using var mapped = await CoordinationHost.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken);
        await using var other = await TestPeer.ConnectAsync($"127.0.0.1:{mapped.Port}#{mapped.Pin}", Tag);
        Assert.Equal(
            [Endpoint.Parse($"203.0.113.5:{mapped.Port}"), Endpoint.Parse($"203.0.113.5:{mapped.Port + 1}")],
            (await other.NextAsync<CoordinationClientEvent.Challenged>()).StunServers);
    }

    private async Task<ClientWebSocket> OpenAsync(string subProtocol)
    {
        var socket = new ClientWebSocket();
        try
        {
            socket.Options.AddSubProtocol(subProtocol);
            socket.Options.RemoteCertificateValidationCallback = (_, _, _, errors) => errors != SslPolicyErrors.RemoteCertificateNotAvailable;
            await socket.ConnectAsync(new Uri($"wss://127.0.0.1:{_host.Port}{CoordinationUrl.PathOf(Tag)}"), TestContext.Current.CancellationToken);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task AnswerInPlainTextAsync(TcpListener listener)
    {
        using var connection = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), TestContext.Current.CancellationToken);
    }
}
