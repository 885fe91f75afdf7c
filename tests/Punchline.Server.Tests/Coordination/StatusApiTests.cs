using System.Net;
using System.Net.Security;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Protocols.Coordination;
using Punchline.Server.Stun;
using Punchline.Server.Tests.Stun;

namespace Punchline.Server.Tests.Coordination;

/// <summary>The four documents, byte for byte.</summary>
public sealed class StatusApiTests : IAsyncLifetime
{
    private static readonly byte[] Tag = [.. Enumerable.Repeat((byte)7, 32)];
    private readonly ManualTime _time = new();
    private CoordinationHost _host = null!;
    private HttpClient _client = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _host = await CoordinationHost.StartAsync(new CoordinationServerOptions { Port = 0, TimeProvider = _time }, cancellationToken: Cancellation);
        _client = Browser.Create(_host.Port);
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _host.DisposeAsync();
    }

    [Fact]
    public async Task Health_is_ok() => Assert.Equal("""{"status":"ok"}""", await GetAsync("/v1/health"));

    [Fact]
    public async Task Version_is_the_assemblys_and_names_the_protocol()
    {
        var version = typeof(CoordinationHost).Assembly.GetName().Version!.ToString(3);
        Assert.Equal($$"""{"version":"{{version}}","protocol":"punchline.v1"}""", await GetAsync("/v1/version"));
    }

    [Fact]
    public async Task Address_is_the_callers() => Assert.Equal("""{"address":"127.0.0.1"}""", await GetAsync("/v1/address"));

    [Fact]
    public async Task Stats_count_what_is_there()
    {
        await using var stun = StunServer.Start(IPAddress.Loopback, 0, NullLogger.Instance);
        _host.Stun = stun;
        Assert.Equal("""{"uptimeSeconds":0,"rooms":0,"peers":0,"connections":0,"stunRequests":0}""", await GetAsync("/v1/stats"));

        var server = $"127.0.0.1:{_host.Port}#{_host.Pin}";
        await using var alice = await TestPeer.JoinAsync(server, Tag);
        await alice.NextAsync<CoordinationClientEvent.Welcomed>();
        await using var bob = await TestPeer.JoinAsync(server, Tag);
        await bob.NextAsync<CoordinationClientEvent.Welcomed>();
        await using var elsewhere = await TestPeer.JoinAsync(server, new byte[32]);
        await elsewhere.NextAsync<CoordinationClientEvent.Welcomed>();
        await using var undecided = await TestPeer.ConnectAsync(server, Tag);
        await undecided.NextAsync<CoordinationClientEvent.Challenged>();
        using (var client = new StunClientSocket(IPAddress.Loopback, TimeSpan.FromSeconds(2))) Assert.Single(client.Query(stun.Endpoints[0]));
        _time.Advance(TimeSpan.FromMilliseconds(1_500));

        Assert.Equal("""{"uptimeSeconds":1.5,"rooms":2,"peers":3,"connections":4,"stunRequests":1}""", await GetAsync("/v1/stats"));
    }

    [Fact]
    public async Task They_are_not_cached_and_only_read()
    {
        using var head = new HttpRequestMessage(HttpMethod.Head, "/v1/stats");
        using var read = await _client.SendAsync(head, Cancellation);
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
        Assert.True(read.Headers.CacheControl?.NoStore);
        Assert.Equal("", await read.Content.ReadAsStringAsync(Cancellation));

        using var response = await _client.DeleteAsync(new Uri("/v1/stats", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET", "HEAD"], response.Content.Headers.Allow);
    }

    private async Task<string> GetAsync(string path)
    {
        using var response = await _client.GetAsync(new Uri(path, UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        using var document = JsonDocument.Parse(text);
        Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        return text;
    }
}

/// <summary>An HTTP client that takes any certificate, as <c>curl --insecure</c> does.</summary>
internal static class Browser
{
    public static HttpClient Create(int port, string scheme = "https")
    {
        var handler = new SocketsHttpHandler { UseProxy = false };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, errors) => errors != SslPolicyErrors.RemoteCertificateNotAvailable;
        return new HttpClient(handler) { BaseAddress = new Uri($"{scheme}://127.0.0.1:{port}/") };
    }
}
