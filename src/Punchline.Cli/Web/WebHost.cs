using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Punchline.Cli.Web;

/// <summary>The page and what it asks, on 127.0.0.1 and nowhere else. What keeps others out is <see cref="WebGuard"/> and <see cref="WebSessions"/>.</summary>
internal sealed class WebHost : IAsyncDisposable
{
    /// <summary>A message of 1 MiB, with every character escaped.</summary>
    public const int MaxBodyBytes = (6 * Room.MaxMessageBytes) + 1024;

    private const int MaxConnections = 64;
    private const int MaxHeadersBytes = 16 << 10;

    private readonly CancellationTokenSource _stop = new();
    private readonly WebApplication _application;
    private readonly WebGuard _guard;
    private readonly WebSessions _sessions = new();
    private readonly WebApi _api;

    private WebHost(IWebDesk desk, Socket listener, Action<string> onLinkUsed)
    {
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _guard = new WebGuard(port);
        _api = new WebApi(desk, _sessions, new WebEvents(desk, _stop.Token), port, () => onLinkUsed(Link));

        // The empty builder: neither configuration files nor environment variables may have it listen elsewhere.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, listener));
        _application = builder.Build();
        _application.Run(HandleAsync);
    }

    /// <summary>Opens the page, once. What stands behind # never leaves the browser by itself, so no log and no other page gets it.</summary>
    public string Link => $"{_guard.Origin}/#{_sessions.Token}";

    /// <param name="desk">What the page shows and does.</param>
    /// <param name="port">0: any.</param>
    /// <param name="onLinkUsed">The link was used, and there is another, which this is given.</param>
    /// <exception cref="ToolException">The port is taken.</exception>
    public static async Task<WebHost> StartAsync(IWebDesk desk, int port, Action<string> onLinkUsed)
    {
        // Bound here, so that the port is known before anything that depends on it is made.
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(IPAddress.Loopback, port));
        }
        catch (SocketException exception)
        {
            listener.Dispose();
            throw new ToolException($"The page cannot be at port {port}: {exception.Message}. Choose another with --port, or any: --port 0.", exception);
        }
        var host = new WebHost(desk, listener, onLinkUsed);
        await host._application.StartAsync();
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _application.StopAsync();
        await _application.DisposeAsync();
        _stop.Dispose();
    }

    private static void Configure(KestrelServerOptions kestrel, Socket listener)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestHeadersTotalSize = MaxHeadersBytes;
        kestrel.Limits.MaxRequestBodySize = MaxBodyBytes;
        kestrel.ListenHandle((ulong)listener.SafeHandle.DangerousGetHandle(), options => options.Protocols = HttpProtocols.Http1);
    }

    private async Task HandleAsync(HttpContext context)
    {
        WebGuard.Protect(context.Response.Headers);
        if (_guard.Check(context.Request) is { } refusal)
        {
            await SayAsync(context, refusal.Status, refusal.Reason);
        }
        else if (WebApi.IsPath(context.Request.Path))
        {
            await _api.HandleAsync(context);
        }
        else if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD";
            await SayAsync(context, StatusCodes.Status405MethodNotAllowed, "This is only to be read.");
        }
        else if (WebFiles.Find(context.Request.Path.Value) is { } file)
        {
            await file.WriteAsync(context);
        }
        else
        {
            await SayAsync(context, StatusCodes.Status404NotFound, "Nothing here.");
        }
    }

    private static Task SayAsync(HttpContext context, int status, string sentence)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync($"{sentence}\n", context.RequestAborted);
    }
}
