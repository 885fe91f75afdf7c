using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Server;
using Punchline.Server.Stun;

namespace Punchline.Tests.Harness;

/// <summary>A coordination server with its STUN, on a free port of loopback.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private readonly CoordinationHost _host;
    private readonly StunServer _stun;

    private LocalServer(CoordinationHost host, StunServer stun)
    {
        _host = host;
        _stun = stun;
    }

    public string Address => $"127.0.0.1:{_host.Port}#{_host.Pin}";

    public int Port => _host.Port;

    public IPEndPoint EndPoint => new(IPAddress.Loopback, _host.Port);

    /// <summary>The first of its two UDP ports.</summary>
    public IPEndPoint StunEndPoint => _stun.Endpoints[0];

    /// <param name="cancellationToken">Of the test.</param>
    /// <param name="port">0 for a free one.</param>
    /// <param name="stateDirectory">Where its certificate is kept from one server to the next.</param>
    public static async Task<LocalServer> StartAsync(CancellationToken cancellationToken, int port = 0, string? stateDirectory = null)
    {
        StunServer? stun = null;
        var host = await CoordinationHost.StartAsync(
            new CoordinationServerOptions
            {
                Port = port,
                ListenAddress = IPAddress.Loopback,
                StateDirectory = stateDirectory,
                StunServers = _ => stun?.Endpoints ?? [],
            },
            NullLoggerFactory.Instance,
            cancellationToken);
        stun = StunServer.Start(IPAddress.Loopback, 0, NullLogger.Instance);
        return new LocalServer(host, stun);
    }

    public async ValueTask DisposeAsync()
    {
        await _stun.DisposeAsync();
        await _host.DisposeAsync();
    }
}
