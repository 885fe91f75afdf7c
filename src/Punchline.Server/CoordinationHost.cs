using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Punchline.Protocols.Coordination;
using Punchline.Server.Listening;
using Punchline.Server.Stun;
using Endpoint = Punchline.Protocols.Primitives.Endpoint;

namespace Punchline.Server;

/// <summary>
/// A running coordination server: rooms at <c>wss://host:port/v1/rooms/TAG</c>, inboxes at <c>/v1/inboxes/TAG</c>. It introduces peers and keeps nothing;
/// what they say to each other afterwards never comes by.
/// </summary>
public sealed class CoordinationHost : IAsyncDisposable
{
    // A handshake with a distant peer takes three round trips: 10 s are generous, and all that a silent connection gets.
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    // The longest path of ours has 65 characters; a browser's or proxy's headers may have a few kB.
    private const int MaxRequestLineBytes = 1_024;
    private const int MaxRequestHeadersBytes = 8_192;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(5);

    private readonly CoordinationServerOptions _options;
    private readonly ServerCertificate? _certificate;
    private readonly CoordinationPump _pump;
    private readonly StatusApi _status;
    private readonly StunOverTcp _stunOverTcp;
    private readonly AdmissionGate _gate;
    private readonly ServerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly WebApplication _application;
    private long _startedAt;
    private volatile bool _stopped;

    private CoordinationHost(CoordinationServerOptions options, ServerCertificate? certificate, ILoggerFactory loggers)
    {
        _options = options;
        _certificate = certificate;
        _logger = loggers.CreateLogger<CoordinationHost>();
        _metrics = new ServerMetrics(this);
        _pump = new CoordinationPump(certificate?.KeyHash, options.TimeProvider, _metrics, _logger);
        _stunOverTcp = new StunOverTcp(options.TimeProvider);
        _gate = new AdmissionGate(options.Admission, options.Plain ? options.TrustedProxies : [], options.TimeProvider, _metrics, _logger);
        _metrics.Observe(_pump.Count, () => StunRequests);
        _status = new StatusApi(Describe, () => _stopped);

        // The empty builder: neither configuration files nor environment variables change what the options say, and
        // the process starts in a fraction of the time.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(Configure);
        _application = builder.Build();
        if (options.Plain) _application.UseForwardedHeaders(ForwardedFrom(options.TrustedProxies));
        // Liveness is the protocol's own heartbeat.
        _application.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
        _application.Run(HandleRequestAsync);
    }

    /// <summary>The TCP port that it listens on.</summary>
    public int Port { get; private set; }

    /// <summary>SHA-256 of the certificate's public key in base32: what stands behind # in <c>--server HOST:PORT#PIN</c>. Null without TLS.</summary>
    public string? Pin => _certificate?.Pin;

    /// <summary>The STUN server beside this one, whose requests its statistics count.</summary>
    internal StunServer? Stun { get; set; }

    /// <summary>Starts to listen.</summary>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="IOException">The port is taken, or a certificate's file cannot be read.</exception>
    /// <exception cref="InvalidDataException">A certificate's file holds no certificate with its key.</exception>
    public static async Task<CoordinationHost> StartAsync(
        CoordinationServerOptions options, ILoggerFactory? loggers = null, CancellationToken cancellationToken = default)
    {
        CoordinationServerOptions.Validate(options);
        loggers ??= NullLoggerFactory.Instance;
        var host = new CoordinationHost(options, options.Plain ? null : ServerCertificate.Obtain(options), loggers);
        try
        {
            await host._application.StartAsync(cancellationToken);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
        var addresses = host._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
        host._startedAt = options.TimeProvider.GetTimestamp();
        host.Port = BindingAddress.Parse(addresses.Addresses.First()).Port;
        CoordinationLog.Listening(host._logger, host.Port, host.Pin ?? "none: no TLS");
        return host;
    }

    /// <summary>Says goodbye to every connection and stops listening. Takes at most 5 s.</summary>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        if (_stopped) return;
        _stopped = true;
        _pump.Stop();
        using var timeout = new CancellationTokenSource(StopTimeout, _options.TimeProvider);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        await _application.StopAsync(limit.Token);
    }

    /// <summary>Stops, and frees what the server holds.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _application.DisposeAsync();
        _metrics.Dispose();
        _pump.Dispose();
        _certificate?.Dispose();
    }

    private long StunRequests => (Stun?.Requests ?? 0) + _stunOverTcp.Requests;

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        // The gate counts, and says why; above its limits Kestrel has nothing to refuse.
        kestrel.Limits.MaxConcurrentConnections = null;
        kestrel.Limits.MaxConcurrentUpgradedConnections = null;
        kestrel.Limits.MaxRequestLineSize = MaxRequestLineBytes;
        kestrel.Limits.MaxRequestHeadersTotalSize = MaxRequestHeadersBytes;
        kestrel.Limits.RequestHeadersTimeout = HandshakeTimeout;
        kestrel.Limits.KeepAliveTimeout = HandshakeTimeout;
        kestrel.Limits.MaxRequestBodySize = 0;
        if (_options.ListenAddress is { } address) kestrel.Listen(address, _options.Port, ConfigureListener);
        else kestrel.ListenAnyIP(_options.Port, ConfigureListener);
        // A port of the system's choice would be another one there.
        if (_options is { AlternateAddress: { } alternate, Port: not 0 }) kestrel.Listen(alternate, _options.Port, ConfigureListener);
    }

    private void ConfigureListener(ListenOptions listener)
    {
        listener.Protocols = HttpProtocols.Http1;
        var splitter = new PortSplitter(_stunOverTcp, _options.TimeProvider, _logger);
        listener.Use(next => connection => _gate.HandleAsync(connection, next));
        // Kestrel asks the last of these for its delegate first: HTTP's is known when TLS's, which leads to it, is.
        listener.Use(next =>
        {
            if (_certificate is not null) splitter.Tls = next;
            return splitter.HandleAsync;
        });
        if (_certificate is not null)
        {
            listener.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = _certificate.Certificate,
                ServerCertificateChain = _certificate.Chain,
                HandshakeTimeout = HandshakeTimeout,
            });
        }
        listener.Use(http => splitter.Http = http);
    }

    private async Task HandleRequestAsync(HttpContext context)
    {
        var lease = context.Features.Get<ConnectionLease>()!;
        if (lease.Establish() is { } refusal)
        {
            await RefuseAsync(context, refusal);
            return;
        }
        if (_certificate is not null && !context.Request.IsHttps)
        {
            context.Response.Headers.Connection = "close";
            var address = context.Request.Host is { HasValue: true } dialled ? $": https://{dialled}/" : ".";
            await HttpText.AnswerAsync(context, StatusCodes.Status400BadRequest, $"This is a Punchline coordination server, and it speaks https{address}\n");
            return;
        }
        if (StatusApi.IsPath(context.Request.Path.Value))
        {
            await _status.HandleAsync(context);
            return;
        }
        if (!CoordinationUrl.TryRead(context.Request.Path.Value, out var kind, out var tag))
        {
            await HttpText.AnswerAsync(context, StatusCodes.Status404NotFound, "Nothing here. This is a Punchline coordination server.\n");
            return;
        }
        if (!context.WebSockets.IsWebSocketRequest || !context.WebSockets.WebSocketRequestedProtocols.Contains(CoordinationUrl.SubProtocol, StringComparer.Ordinal))
        {
            // RFC 9110 §15.5.22: a 426 names the protocols that it requires.
            context.Response.Headers.Upgrade = "websocket";
            context.Response.Headers.Connection = "Upgrade";
            await HttpText.AnswerAsync(context, StatusCodes.Status426UpgradeRequired, $"Rooms and inboxes speak WebSocket, subprotocol {CoordinationUrl.SubProtocol}.\n");
            return;
        }
        var connection = context.Connection;
        var from = Endpoint.From(connection.RemoteIpAddress!, (ushort)connection.RemotePort);
        var reached = Endpoint.From(connection.LocalIpAddress!, (ushort)connection.LocalPort).ToIPEndPoint();
        if (_stopped)
        {
            await BackOffAsync(context, StatusCodes.Status503ServiceUnavailable, "The server stops.\n");
            return;
        }
        if (!_gate.TryJoin(from))
        {
            _metrics.CountRefusal(ServerMetrics.JoinLimit);
            await BackOffAsync(context, StatusCodes.Status429TooManyRequests, $"More than {_options.JoinsPerSecondPerAddress} joins a second from your address.\n");
            return;
        }
        // A proxy's connections are nobody's: what counts is whom it carries.
        if (lease.IsProxys && _gate.Connect(from) is { } full)
        {
            await RefuseAsync(context, full);
            return;
        }
        try
        {
            var host = context.Request.Host.Value ?? "";
            using var socket = await context.WebSockets.AcceptWebSocketAsync(CoordinationUrl.SubProtocol);
            await _pump.RunAsync(socket, from, host, kind, tag, StunServersFor(reached));
        }
        finally
        {
            if (lease.IsProxys) _gate.Disconnect(from);
        }
    }

    private static ForwardedHeadersOptions ForwardedFrom(IReadOnlyList<IPAddress> proxies)
    {
        // From the last entry back, as long as those who wrote them are trusted: a client's own entries are never reached.
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor, ForwardLimit = null };
        options.KnownIPNetworks.Clear();
        options.KnownProxies.Clear();
        foreach (var proxy in proxies) options.KnownProxies.Add(proxy);
        return options;
    }

    private Task RefuseAsync(HttpContext context, AdmissionRefusal refusal)
    {
        context.Response.Headers.Connection = "close";
        _metrics.CountRefusal(refusal == AdmissionRefusal.ServerFull ? CoordinationErrorCode.ServerFull : ServerMetrics.AddressLimit);
        return refusal == AdmissionRefusal.ServerFull
            ? BackOffAsync(context, StatusCodes.Status503ServiceUnavailable, "The server has no room for more connections.\n")
            : BackOffAsync(context, StatusCodes.Status429TooManyRequests, $"More than {_options.MaxConnectionsPerAddress} connections from your address.\n");
    }

    // RFC 6585 §4 and RFC 9110 §15.6.4: both may say when to come again.
    private Task BackOffAsync(HttpContext context, int status, string reason)
    {
        ListeningLog.NotAdmitted(_logger, context.Connection.RemoteIpAddress!, reason);
        context.Response.Headers.RetryAfter = "1";
        return HttpText.AnswerAsync(context, status, reason);
    }

    private StatsStatus Describe()
    {
        var (rooms, members, connections) = _pump.Count();
        var uptime = _options.TimeProvider.GetElapsedTime(_startedAt);
        return new StatsStatus(Math.Round(uptime.TotalSeconds, 3), rooms, members, connections, StunRequests);
    }

    private List<Endpoint> StunServersFor(IPEndPoint reached)
    {
        if (_options.StunServers is { } choose) return [.. choose(reached).Select(Endpoint.From)];
        var servers = new List<Endpoint>();
        IReadOnlyList<IPAddress> addresses = _options switch
        {
            { PublicAddresses.Count: > 0 } => _options.PublicAddresses,
            { Plain: true } => [],
            _ => StunAddresses.For(reached.Address, Stun?.Endpoints ?? []),
        };
        foreach (var address in addresses)
        {
            servers.Add(Endpoint.From(address, (ushort)reached.Port));
            if (reached.Port < IPEndPoint.MaxPort) servers.Add(Endpoint.From(address, (ushort)(reached.Port + 1)));
        }
        return servers;
    }
}
