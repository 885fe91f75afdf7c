using System.Net;
using Punchline.Protocols.Mdns;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>
/// The node's sockets for multicast DNS, a socket each family: they join the links that there are, and those that come later.
/// </summary>
internal sealed class MdnsLink(NodeEngine engine, IPEndPoint bound) : IAsyncDisposable
{
    /// <summary>How often it is looked whether the interfaces are still the same, beside what <see cref="NetworkWatch"/> tells.</summary>
    public static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _look = new(0, 1);
    private volatile MdnsSocket[] _sockets = [];
    private IReadOnlyList<MdnsNetwork> _networks = [];
    private Task _running = Task.CompletedTask;
    private bool _isStarted;

    /// <summary>Opens the sockets. Called within the engine's gate: does not wait.</summary>
    public void Start()
    {
        if (_isStarted || _stop.IsCancellationRequested) return;
        _isStarted = true;
        _running = Task.Run(RunAsync);
    }

    /// <summary>The machine's addresses have changed. Does not wait.</summary>
    public void Look()
    {
        try
        {
            _look.Release();
        }
        catch (SemaphoreFullException)
        {
            // A look is due already.
        }
    }

    /// <summary>Does not wait.</summary>
    public void Send(ReadOnlySpan<byte> datagram, in MdnsTransmit transmit)
    {
        foreach (var socket in _sockets)
        {
            if (socket.IsIPv4 == transmit.Group.IsIPv4) socket.Send(datagram, transmit.Network);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        _sockets = [.. new[] { MdnsService.IPv4Group, MdnsService.IPv6Group }.Select(MdnsSocket.TryOpen).OfType<MdnsSocket>()];
        var receiving = _sockets.Select(socket => Task.Run(() => socket.ReceiveAsync(HandleDatagram, _stop.Token))).ToArray();
        try
        {
            while (_sockets.Length > 0)
            {
                JoinNetworks();
                await _look.WaitAsync(LookInterval, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
        await Task.WhenAll(receiving).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var socket in _sockets) socket.Dispose();
    }

    private void JoinNetworks()
    {
        var networks = LinkNetworks.Of(bound);
        if (networks.SequenceEqual(_networks)) return;
        foreach (var socket in _sockets)
        {
            foreach (var gone in _networks.ExceptBy(networks.Select(network => network.Number), network => network.Number)) socket.Leave(gone.Number);
            foreach (var come in networks.ExceptBy(_networks.Select(network => network.Number), network => network.Number)) socket.TryJoin(come.Number);
        }
        _networks = networks;
        TryRun((node, now) => node.SetLinks(networks, now));
    }

    private void HandleDatagram(int network, Endpoint source, ReadOnlyMemory<byte> datagram) =>
        TryRun((node, now) => node.HandleMdnsDatagram(network, source, datagram.Span, now));

    private void TryRun(Action<NodeCore, Timestamp> command)
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
