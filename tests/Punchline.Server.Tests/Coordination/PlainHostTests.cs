using System.Net;
using System.Net.Sockets;
using Punchline.Engine;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Server.Tests.Coordination;

/// <summary>Without TLS, behind a proxy.</summary>
public sealed class PlainHostTests
{
    private static readonly byte[] Tag = [.. Enumerable.Repeat((byte)3, 32)];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_peer_joins_through_a_proxy_that_ends_TLS_and_is_seen_where_it_is()
    {
        await using var host = await StartAsync();
        await using var proxy = new TlsProxy(host.Port, "203.0.113.9");
        await using var alice = await TestPeer.ConnectAsync(proxy.Address, Tag);
        // The address that the proxy reached is no STUN server to the world.
        Assert.Empty((await alice.NextAsync<CoordinationClientEvent.Challenged>()).StunServers);
        await alice.ProvideBlobAsync(1, "sealed"u8.ToArray());
        Assert.Equal(IPAddress.Parse("203.0.113.9"), (await alice.NextAsync<CoordinationClientEvent.Welcomed>()).OwnAddress.ToIPAddress());
    }

    [Fact]
    public async Task Public_addresses_are_where_STUN_is()
    {
        await using var host = await StartAsync(new CoordinationServerOptions { Port = 0, Plain = true, PublicAddresses = [IPAddress.Parse("203.0.113.5")] });
        await using var proxy = new TlsProxy(host.Port, "203.0.113.9");
        await using var alice = await TestPeer.ConnectAsync(proxy.Address, Tag);
        Assert.Equal(
            [Endpoint.Parse($"203.0.113.5:{host.Port}"), Endpoint.Parse($"203.0.113.5:{host.Port + 1}")],
            (await alice.NextAsync<CoordinationClientEvent.Challenged>()).StunServers);
    }

    [Fact]
    public async Task Limits_are_for_whom_the_proxy_carries()
    {
        await using var host = await StartAsync(new CoordinationServerOptions { Port = 0, Plain = true, MaxConnectionsPerAddress = 1 });
        await using var proxy = new TlsProxy(host.Port, "203.0.113.9");
        await using var other = new TlsProxy(host.Port, "203.0.113.10");
        await using var alice = await TestPeer.ConnectAsync(proxy.Address, Tag);
        await alice.NextAsync<CoordinationClientEvent.Challenged>();
        var exception = await Assert.ThrowsAsync<CoordinationConnectException>(() => TestPeer.ConnectAsync(proxy.Address, Tag));
        Assert.Equal(CoordinationConnectFailure.Busy, exception.Failure);
        await using var bob = await TestPeer.ConnectAsync(other.Address, Tag);
        await bob.NextAsync<CoordinationClientEvent.Challenged>();
    }

    [Theory]
    [InlineData("127.0.0.1", "203.0.113.9", "203.0.113.9")]
    [InlineData("127.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9")] // the first is what the client itself said
    [InlineData("127.0.0.1", "203.0.113.9, 127.0.0.1", "203.0.113.9")] // two proxies
    [InlineData("127.0.0.1", "2001:db8::9", "2001:db8::9")]
    [InlineData("127.0.0.1", "nonsense", "127.0.0.1")]
    [InlineData("192.0.2.1", "203.0.113.9", "127.0.0.1")] // not trusted
    public async Task Only_trusted_proxies_say_who_calls(string trusted, string forwardedFor, string expected)
    {
        await using var host = await StartAsync(new CoordinationServerOptions { Port = 0, Plain = true, TrustedProxies = [IPAddress.Parse(trusted)] });
        Assert.Equal($$"""{"address":"{{expected}}"}""", await GetAddressAsync(host.Port, "http", forwardedFor));
    }

    [Fact]
    public async Task With_TLS_nobody_is_believed()
    {
        await using var host = await StartAsync(new CoordinationServerOptions { Port = 0 });
        Assert.Equal("""{"address":"127.0.0.1"}""", await GetAddressAsync(host.Port, "https", "203.0.113.9"));
    }

    [Fact]
    public async Task There_is_no_pin_and_TLS_is_closed()
    {
        await using var host = await StartAsync();
        Assert.Null(host.Pin);
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, host.Port, Cancellation);
        await client.GetStream().WriteAsync(new byte[] { 22 }, Cancellation);
        Assert.Equal(0, await client.GetStream().ReadAsync(new byte[1], Cancellation));
    }

    private static Task<CoordinationHost> StartAsync(CoordinationServerOptions? options = null) =>
        CoordinationHost.StartAsync(options ?? new CoordinationServerOptions { Port = 0, Plain = true }, cancellationToken: Cancellation);

    private static async Task<string> GetAddressAsync(int port, string scheme, string forwardedFor)
    {
        using var client = Browser.Create(port, scheme);
        client.DefaultRequestHeaders.Add("X-Forwarded-For", forwardedFor);
        return await client.GetStringAsync(new Uri("/v1/address", UriKind.Relative), Cancellation);
    }
}
