using System.Net;
using Microsoft.Playwright;
using Punchline.Server;

namespace Punchline.Web.Tests.Harness;

/// <summary>A server, two processes, and a browser for each.</summary>
internal sealed class Meeting : IAsyncDisposable
{
    private readonly CoordinationHost _server;
    private readonly DirectoryInfo _serverState;
    private readonly List<WebProcess> _processes = [];
    private readonly List<IBrowserContext> _contexts = [];

    private Meeting(CoordinationHost server, DirectoryInfo serverState)
    {
        _server = server;
        _serverState = serverState;
    }

    public string Server => $"127.0.0.1:{_server.Port}#{_server.Pin}";

    public static async Task<Meeting> BeginAsync()
    {
        var state = Directory.CreateTempSubdirectory("punchline-server-");
        var options = new CoordinationServerOptions { ListenAddress = IPAddress.Loopback, Port = 0, StateDirectory = state.FullName };
        return new Meeting(await CoordinationHost.StartAsync(options, cancellationToken: TestContext.Current.CancellationToken), state);
    }

    /// <summary>Somebody with a process and a browser, whose page is open.</summary>
    public async Task<(WebProcess Process, IPage Page)> ArriveAsync(
        Browser browser, string name, int width = 1280, int height = 800, ColorScheme colours = ColorScheme.Light)
    {
        var context = await browser.NewContextAsync(width, height, colours);
        _contexts.Add(context);
        var process = await WebProcess.StartAsync(Server, name);
        _processes.Add(process);
        var page = await context.NewPageAsync();
        await page.GotoAsync(process.Link);
        await page.GetByRole(AriaRole.Heading, new() { Name = "Begin a conversation" }).WaitForAsync();
        return (process, page);
    }

    /// <summary>Joins a room by the page.</summary>
    public static async Task JoinAsync(IPage page, string room, string secret)
    {
        var form = page.GetByRole(AriaRole.Form, new() { Name = "Join a room" });
        await form.GetByLabel("Room", new() { Exact = true }).FillAsync(room);
        await form.GetByLabel("Secret").FillAsync(secret);
        await form.GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        await page.GetByRole(AriaRole.Heading, new() { Name = room, Exact = true }).WaitForAsync();
    }

    /// <summary>Writes a message as a person does.</summary>
    public static async Task SayAsync(IPage page, string text)
    {
        var composer = page.GetByLabel("Message to ");
        await composer.FillAsync(text);
        await composer.PressAsync("Enter");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var context in _contexts) await context.DisposeAsync();
        foreach (var process in _processes) await process.DisposeAsync();
        await _server.DisposeAsync();
        _serverState.Delete(recursive: true);
    }
}
