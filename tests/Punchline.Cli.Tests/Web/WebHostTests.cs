using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Punchline.Cli.Web;

namespace Punchline.Cli.Tests.Web;

/// <summary>Who gets in, and who does not.</summary>
public sealed class WebHostTests : WebHostFixture
{
    [Fact]
    public async Task The_link_opens_the_page_once_and_then_there_is_another()
    {
        var first = TokenOf(Host.Link);
        var session = await OpenAsync();
        Assert.Equal([Host.Link], NextLinks);
        Assert.NotEqual(first, TokenOf(Host.Link));

        using var again = await PostAsync("/api/open", null, $$"""{"token":"{{first}}"}""");
        Assert.Equal(HttpStatusCode.Forbidden, again.StatusCode);
        Assert.False(again.Headers.Contains("Set-Cookie"));
        using var left = await PostAsync("/api/rooms/3/leave", session, "");
        Assert.Equal((HttpStatusCode.NoContent, "leave 3"), (left.StatusCode, Assert.Single(Desk.Asked)));

        var other = await OpenAsync();
        Assert.NotEqual(session, other);
        using var both = await PostAsync("/api/rooms/4/leave", session, "");
        Assert.Equal(HttpStatusCode.NoContent, both.StatusCode);
    }

    [Fact]
    public async Task Half_of_what_opens_it_is_nothing()
    {
        var session = await OpenAsync();
        var other = await OpenAsync();
        WebSessionKeys?[] halves = [null, session with { Key = "" }, session with { Cookie = "" }, session with { Key = other.Key }, session with { Cookie = session.Key, Key = session.Cookie }];
        foreach (var half in halves)
        {
            using var events = await AskAsync(Request(HttpMethod.Get, "/api/events", half));
            using var command = await PostAsync("/api/rooms/3/leave", half, "");
            Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized), (events.StatusCode, command.StatusCode));
        }
        Assert.Empty(Desk.Asked);
    }

    [Theory]
    [InlineData("/api/rooms")]
    [InlineData("/api/calls")]
    [InlineData("/api/rooms/3/messages")]
    [InlineData("/api/inbox")]
    [InlineData("/api/peers/aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/verify")]
    [InlineData("/api/peers/aeaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/block")]
    [InlineData("/api/code")]
    [InlineData("/api/doctor")]
    public async Task Another_user_of_the_machine_gets_nothing_done(string path)
    {
        using var answer = await PostAsync(path, null, """{"text":"hello"}""");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Empty(Desk.Asked);
    }

    [Fact]
    public void Of_many_sessions_the_oldest_goes()
    {
        var sessions = new WebSessions();
        var opened = Enumerable.Range(0, WebSessions.MaxSessions + 1).Select(_ => sessions.Open(sessions.Token)!).ToList();
        Assert.False(sessions.IsOpen(opened[0].Cookie, opened[0].Key));
        Assert.All(opened[1..], session => Assert.True(sessions.IsOpen(session.Cookie, session.Key)));
    }

    [Theory]
    [InlineData("evil.test")]
    [InlineData("localhost")]
    [InlineData("127.0.0.1.evil.test")]
    public async Task Another_name_for_this_machine_is_not_answered_to(string name)
    {
        var session = await OpenAsync();
        foreach (var path in (string[])["/", "/main.js", "/api/events"])
        {
            using var request = Request(HttpMethod.Get, path, session);
            request.Headers.Host = $"{name}:{new Uri(Origin).Port}";
            using var answer = await AskAsync(request);
            Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("https://evil.test")]
    [InlineData("http://127.0.0.1:1")]
    [InlineData("null")]
    [InlineData(null)]
    public async Task A_command_comes_from_this_page_or_is_none(string? origin)
    {
        var session = await OpenAsync();
        using var request = Request(HttpMethod.Post, "/api/rooms/3/leave", session, "");
        request.Headers.Remove("Origin");
        if (origin is not null) request.Headers.Add("Origin", origin);
        using var answer = await AskAsync(request);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.Empty(Desk.Asked);
    }

    [Theory]
    [InlineData("cross-site", "cors", HttpStatusCode.Forbidden)]
    [InlineData("same-site", "no-cors", HttpStatusCode.Forbidden)]
    [InlineData("same-origin", "cors", HttpStatusCode.OK)]
    [InlineData("cross-site", "navigate", HttpStatusCode.OK)]
    [InlineData("none", "navigate", HttpStatusCode.OK)]
    public async Task What_other_pages_fetch_they_do_not_get(string site, string mode, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Origin}/style.css");
        request.Headers.Add("Sec-Fetch-Site", site);
        request.Headers.Add("Sec-Fetch-Mode", mode);
        using var answer = await AskAsync(request);
        Assert.Equal(expected, answer.StatusCode);
    }

    [Theory]
    [InlineData("GET", "/", HttpStatusCode.OK)]
    [InlineData("GET", "/main.js", HttpStatusCode.OK)]
    [InlineData("GET", "/nothing", HttpStatusCode.NotFound)]
    [InlineData("GET", "/../main.js", HttpStatusCode.OK)] // which the client makes /main.js
    [InlineData("GET", "/..%2fappsettings.json", HttpStatusCode.NotFound)]
    [InlineData("POST", "/", HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/api/events", HttpStatusCode.Unauthorized)]
    [InlineData("GET", "/api/open", HttpStatusCode.MethodNotAllowed)]
    public async Task Every_answer_forbids_what_the_page_does_not_need(string method, string path, HttpStatusCode expected)
    {
        using var answer = await AskAsync(Request(new HttpMethod(method), path, null));
        Assert.Equal(expected, answer.StatusCode);
        string Header(string name) => Assert.Single(answer.Headers.GetValues(name));
        var policy = Header("Content-Security-Policy").Split("; ");
        string[] needed = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"];
        Assert.Equal(needed.Order(StringComparer.Ordinal), policy.Order(StringComparer.Ordinal));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
        Assert.Equal("no-store", Header("Cache-Control"));
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Fact]
    public void It_listens_on_the_loopback_address_alone()
    {
        var port = new Uri(Origin).Port;
        var listeners = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(listener => listener.Port == port);
        Assert.Equal([new IPEndPoint(IPAddress.Loopback, port)], listeners);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var problem = await Assert.ThrowsAsync<ToolException>(() => WebHost.StartAsync(Desk, port, _ => { }));
        Assert.Contains($"port {port}", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Peers_text_never_becomes_markup()
    {
        string[] markup = ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser", "createContextualFragment"];
        foreach (var path in WebFiles.Paths.Where(path => path.EndsWith(".js", StringComparison.Ordinal)))
        {
            var text = System.Text.Encoding.UTF8.GetString(WebFiles.Find(path)!.Content);
            Assert.All(markup, word => Assert.DoesNotContain(word, text, StringComparison.Ordinal));
        }
    }
}
