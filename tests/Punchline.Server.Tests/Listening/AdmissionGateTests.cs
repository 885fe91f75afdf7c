using System.Net;
using System.Net.Sockets;
using Punchline.Engine;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Stun;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Server.Tests.Listening;

/// <summary>What a client meets at each of the port's limits.</summary>
public sealed class AdmissionGateTests
{
    private static readonly byte[] Tag = [.. Enumerable.Repeat((byte)9, 32)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_half_open_connection_too_many_is_closed_unheard()
    {
        await using var host = await StartAsync(new AdmissionLimits { MaxHalfOpenPerAddress = 2 });
        using var first = await ConnectAsync(host);
        using var second = await ConnectAsync(host);
        using var third = await ConnectAsync(host);
        // Which of them it is, is the thread pool's choice.
        var clients = new List<TcpClient> { first, second, third };
        var reads = clients.Select(client => client.GetStream().ReadAsync(new byte[32], Cancellation).AsTask()).ToList();
        var closed = await Task.WhenAny(reads);
        Assert.Equal(0, await closed);
        var index = reads.IndexOf(closed);
        clients.RemoveAt(index);
        reads.RemoveAt(index);

        // Who speaks is half open no longer: there is room for another.
        await clients[0].GetStream().WriteAsync(Request(), Cancellation);
        Assert.Equal(32, await reads[0]);
        using var fourth = await ConnectAsync(host);
        await fourth.GetStream().WriteAsync(Request(), Cancellation);
        Assert.Equal(32, await fourth.GetStream().ReadAsync(new byte[32], Cancellation));
        Assert.False(reads[1].IsCompleted);
    }

    [Fact]
    public async Task A_connection_too_many_from_an_address_is_told_so_and_a_client_says_it()
    {
        await using var host = await StartAsync(new AdmissionLimits(), connections: 1);
        await using var alice = await TestPeer.JoinAsync(ServerOf(host), Tag);
        await alice.NextAsync<CoordinationClientEvent.Welcomed>();

        using var client = Browser.Create(host.Port);
        using var response = await client.GetAsync(new Uri("/v1/health", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal("More than 1 connections from your address.\n", await response.Content.ReadAsStringAsync(Cancellation));
        Assert.True(response.Headers.ConnectionClose);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter?.Delta);

        var exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync(ServerOf(host), Tag));
        Assert.Equal(CoordinationConnectFailure.Busy, exception.Failure);

        using var stun = await ConnectAsync(host);
        await stun.GetStream().WriteAsync(new byte[1], Cancellation);
        Assert.Equal(0, await stun.GetStream().ReadAsync(new byte[1], Cancellation));
    }

    [Fact]
    public async Task A_full_server_says_so()
    {
        await using var host = await StartAsync(new AdmissionLimits { MaxConnections = 1 });
        await using var alice = await TestPeer.JoinAsync(ServerOf(host), Tag);
        var exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync(ServerOf(host), Tag));
        Assert.Equal(CoordinationConnectFailure.Busy, exception.Failure);
        Assert.Contains("is full", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Joins_faster_than_the_limit_are_put_off_for_exactly_as_long()
    {
        var time = new ManualTime();
        await using var host = await StartAsync(new AdmissionLimits { JoinBurst = 2 }, time: time);
        await using var alice = await TestPeer.JoinAsync(ServerOf(host), Tag);
        await using var bob = await TestPeer.JoinAsync(ServerOf(host), Tag);
        var exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync(ServerOf(host), Tag));
        Assert.Equal(CoordinationConnectFailure.Busy, exception.Failure);
        // 20 a second.
        time.Advance(TimeSpan.FromMilliseconds(50));
        await using var carol = await TestPeer.JoinAsync(ServerOf(host), Tag);
        await carol.NextAsync<CoordinationClientEvent.Welcomed>();
    }

    [Fact]
    public async Task Connections_that_ended_make_room()
    {
        await using var host = await StartAsync(new AdmissionLimits(), connections: 1);
        for (var i = 0; i < 5; i++)
        {
            var peer = await ConnectPatientlyAsync(host);
            await peer.NextAsync<CoordinationClientEvent.Challenged>();
            await peer.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(1_100, 0, HttpStatusCode.RequestUriTooLong)]
    [InlineData(0, 8_200, HttpStatusCode.RequestHeaderFieldsTooLarge)]
    public async Task A_request_too_large_is_told_so(int pathLength, int headerLength, HttpStatusCode expected)
    {
        await using var host = await StartAsync(new AdmissionLimits());
        using var client = Browser.Create(host.Port);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/" + new string('a', pathLength), UriKind.Relative));
        request.Headers.Add("X-Long", new string('a', headerLength + 1));
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(expected, response.StatusCode);
    }

    private static Task<CoordinationHost> StartAsync(AdmissionLimits limits, int? connections = null, TimeProvider? time = null) => CoordinationHost.StartAsync(
        new CoordinationServerOptions
        {
            Port = 0,
            Admission = limits,
            MaxConnectionsPerAddress = connections ?? limits.MaxConnectionsPerAddress,
            TimeProvider = time ?? TimeProvider.System,
        },
        cancellationToken: Cancellation);

    private static string ServerOf(CoordinationHost host) => $"127.0.0.1:{host.Port}#{host.Pin}";

    private static async Task<TcpClient> ConnectAsync(CoordinationHost host)
    {
        var connection = new TcpClient(AddressFamily.InterNetwork);
        await connection.ConnectAsync(IPAddress.Loopback, host.Port, Cancellation);
        return connection;
    }

    // The server notices the end of the last connection a moment after its client does.
    private static async Task<TestPeer> ConnectPatientlyAsync(CoordinationHost host)
    {
        while (true)
        {
            try
            {
                return await TestPeer.ConnectAsync(ServerOf(host), Tag);
            }
            catch (CoordinationConnectException exception) when (exception.Failure == CoordinationConnectFailure.Busy)
            {
                await Task.Delay(10, Cancellation);
            }
        }
    }

    private static byte[] Request() => new StunWriter(new byte[20], StunClass.Request, StunMethod.Binding, default).Written.ToArray();
}
