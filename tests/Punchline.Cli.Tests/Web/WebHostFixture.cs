using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Punchline.Cli.Web;

namespace Punchline.Cli.Tests.Web;

/// <summary>A page on a port of its own, and somebody who asks it.</summary>
public abstract class WebHostFixture : IAsyncLifetime
{
    // Whoever expects a 100 waits for the answer, however late, before sending a body.
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false, Expect100ContinueTimeout = TimeSpan.FromMinutes(1) });
    private WebHost? _host;

    internal FakeDesk Desk { get; } = new();

    private protected WebHost Host => _host!;

    private protected List<string> NextLinks { get; } = [];

    private protected string Origin => new Uri(Host.Link).GetLeftPart(UriPartial.Authority);

    private protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _host = await WebHost.StartAsync(Desk, 0, NextLinks.Add);

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await Host.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>As the page asks it: with its origin, and what opens it.</summary>
    private protected HttpRequestMessage Request(HttpMethod method, string path, WebSessionKeys? session, string? json = null)
    {
        var request = new HttpRequestMessage(method, $"{Origin}{path}");
        request.Headers.Add("Origin", Origin);
        if (session is not null)
        {
            request.Headers.Add("Cookie", $"punchline-{new Uri(Origin).Port}={session.Cookie}");
            request.Headers.Add("X-Punchline-Key", session.Key);
        }
        if (json is not null) request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(json)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        return request;
    }

    private protected Task<HttpResponseMessage> AskAsync(HttpRequestMessage request) => _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);

    private protected Task<HttpResponseMessage> PostAsync(string path, WebSessionKeys? session, string json) => AskAsync(Request(HttpMethod.Post, path, session, json));

    /// <summary>Uses the link.</summary>
    private protected async Task<WebSessionKeys> OpenAsync()
    {
        using var answer = await PostAsync("/api/open", null, $$"""{"token":"{{TokenOf(Host.Link)}}"}""");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.EndsWith("; path=/api; samesite=strict; httponly", cookie, StringComparison.Ordinal);
        using var body = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancellation));
        return new WebSessionKeys(cookie.Split(';')[0].Split('=', 2)[1], body.RootElement.GetProperty("key").GetString()!);
    }

    private protected static string TokenOf(string link) => new Uri(link).Fragment[1..];
}
