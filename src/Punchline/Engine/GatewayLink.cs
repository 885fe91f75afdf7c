using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>
/// What carries the node's words with its gateway: it finds the gateway, looks now and then whether it is still the same, and does
/// datagrams and HTTP. At its end the gateway's mappings are deleted.
/// </summary>
internal sealed class GatewayLink(NodeEngine engine, IPAddress bound) : IAsyncDisposable
{
    /// <summary>How often it is looked whether the gateway is still the same.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(30);

    /// <summary>What deleting the mappings may take: some round trips in the LAN. What is not deleted by then ends with its lease.</summary>
    public static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly GatewayHttpClient _http = new();
    private volatile GatewaySocket? _socket;
    private Task _running = Task.CompletedTask;
    private bool _isStarted;

    /// <summary>Looks for the gateway. Called within the engine's gate: does not wait.</summary>
    public void Start()
    {
        if (_isStarted || _stop.IsCancellationRequested) return;
        _isStarted = true;
        _running = Task.Run(RunAsync);
    }

    /// <summary>Does not wait.</summary>
    public void Send(ReadOnlySpan<byte> datagram, in Transmit transmit) => _socket?.Send(datagram, transmit.Destination);

    /// <summary>Does an exchange, and tells the node how it ended. Does not wait.</summary>
    public void Exchange(GatewayHttpRequest request) => _ = Task.Run(async () =>
    {
        var answer = await _http.SendAsync(request, _stop.Token).ConfigureAwait(false);
        TryRun((node, now) => node.HandleGatewayHttpEnded(request.Id, answer, now));
    });

    /// <summary>The gateway has nothing of ours any more.</summary>
    public void HandleClosed() => _closed.TrySetResult();

    /// <summary>Has the mappings deleted, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isStarted)
        {
            TryRun((node, now) => node.ClosePortMappings(now));
            await Task.WhenAny(_closed.Task, Task.Delay(CloseTimeout)).ConfigureAwait(false);
        }
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _http.Dispose();
    }

    private async Task RunAsync()
    {
        DefaultGateway? current = null;
        Task receiving = Task.CompletedTask;
        try
        {
            while (true)
            {
                var found = DefaultGateway.Find(bound);
                if (found != current && TryOpen(found, out var socket))
                {
                    // Whoever waits at the old one hears of its end.
                    _socket?.Dispose();
                    _socket = socket;
                    current = found;
                    await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (socket is not null) receiving = Task.Run(() => socket.ReceiveAsync(HandleDatagram, _stop.Token));
                    TryRun((node, now) => node.SetGateway(
                        found is null ? null : Endpoint.From(found.Gateway, 0), found is null ? default : Endpoint.From(found.Local, 0), now));
                }
                await Task.Delay(LookInterval, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
        await receiving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _socket?.Dispose();
    }

    private static bool TryOpen(DefaultGateway? gateway, out GatewaySocket? socket)
    {
        socket = null;
        try
        {
            if (gateway is not null) socket = new GatewaySocket(gateway.Local);
            return true;
        }
        catch (SocketException)
        {
            // The network is changing just now: at the next look it is another.
            return false;
        }
    }

    private void HandleDatagram(Endpoint source, ReadOnlyMemory<byte> datagram) =>
        TryRun((node, now) => node.HandleGatewayDatagram(source, datagram.Span, now));

    private void TryRun(Action<Protocols.Node.NodeCore, Timestamp> command)
    {
        try
        {
            engine.Run(command);
        }
        catch (ObjectDisposedException)
        {
            // The engine went first.
        }
    }
}
