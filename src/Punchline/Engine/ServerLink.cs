using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Threading.Channels;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>
/// The connection of a room, a call or an inbox to its coordination server: made, carried, and made again with growing pauses when it breaks.
/// </summary>
internal sealed class ServerLink(NodeEngine engine, int room, string path, ServerAddress address, IKnownServers knownServers, bool trustFirst)
    : IAsyncDisposable
{
    /// <summary>
    /// Between the first two attempts after a break; doubles up to <see cref="MaxPause"/>, each with up to half more by chance. A
    /// connection that lasted for that long begins anew: one that the server refuses, or breaks soon, does not.
    /// </summary>
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Before the first attempt where a connection had lasted for so long: more often than the server it is the way to it that has ended, by a
    /// router that rebooted or another network, and then peers wait to be introduced anew. A server that restarts is not back yet.
    /// </summary>
    private static readonly TimeSpan HurriedPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SettledTime = TimeSpan.FromSeconds(3);

    /// <summary>What a goodbye may take.</summary>
    private static readonly TimeSpan LeaveTimeout = TimeSpan.FromMilliseconds(500);

    // Messages to the server are small and few; more than this waiting means that it is gone.
    private const int MaxOutgoing = 256;

    private readonly CancellationTokenSource _stop = new();
    private volatile TaskCompletionSource _silence = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Channel<ReadOnlyMemory<byte>>? _outgoing;
    private Task _starting = Task.CompletedTask;
    private Task _running = Task.CompletedTask;
    private Task _asking = Task.CompletedTask;
    private volatile bool _isLeaving;

    /// <summary>Connects for the first time, then carries on in the background.</summary>
    /// <param name="cancellationToken">Ends the first attempt.</param>
    /// <param name="goesOn">Also where there is no way to the server yet.</param>
    /// <returns>Why there is no connection yet; null where there is one.</returns>
    /// <exception cref="CoordinationConnectException">There is no way to the server, or none that is trusted.</exception>
    /// <exception cref="OperationCanceledException">The caller's token, or the link was disposed of.</exception>
    public Task<CoordinationConnectException?> StartAsync(CancellationToken cancellationToken, bool goesOn = false)
    {
        var starting = StartOnceAsync(goesOn, cancellationToken);
        _starting = starting;
        return starting;
    }

    /// <summary>For the server. Does not wait.</summary>
    public void Send(ReadOnlyMemory<byte> utf8) => _outgoing?.Writer.TryWrite(utf8);

    /// <summary>
    /// The server is silent although its connection stands, as when a cable was pulled, or refused us: that connection is
    /// given up, and another is tried. Does not wait.
    /// </summary>
    public void GiveUp() => _silence.TrySetResult();

    /// <summary>The node has said goodbye: lets that go out, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _isLeaving = true;
        if (!_starting.IsCompleted)
        {
            // There is nobody to say goodbye to yet.
            await _stop.CancelAsync().ConfigureAwait(false);
            await _starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        _outgoing?.Writer.TryComplete();
        try
        {
            await _running.WaitAsync(LeaveTimeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            // The server does not read any more; the members heard it from us.
        }
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        await _asking.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task<CoordinationConnectException?> StartOnceAsync(bool goesOn, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _stop.Token);
        _asking = QueryStunAsync(_stop.Token);
        CoordinationChannel? channel = null;
        CoordinationConnectException? failure = null;
        try
        {
            channel = await ConnectAsync(either.Token).ConfigureAwait(false);
        }
        catch (CoordinationConnectException exception) when (goesOn && exception.Failure is not CoordinationConnectFailure.CertificateRefused)
        {
            // In a while there may be one.
            failure = exception;
        }
        _running = Task.Run(() => RunAsync(channel), CancellationToken.None);
        return failure;
    }

    // The server answers STUN on the port of its TLS and the next: asked at once, beside TLS, so that the join has not to wait. Each family
    // has an answer of its own.
    private async Task QueryStunAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Whether a server's IPv6 address is its own, or a translator's for its IPv4 address.
            await engine.Nat64Sought.WaitAsync(cancellationToken).ConfigureAwait(false);
            var resolved = IPAddress.TryParse(address.Host, out var literal)
                ? [literal]
                : await Dns.GetHostAddressesAsync(address.Host, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            var servers = resolved.Select(server => engine.Nat64.FromWire(Endpoint.From(server, (ushort)address.Port)))
                .Where(server => !AddressScope.IsLinkLocal(server)).DistinctBy(server => server.IsIPv4).ToList();
            // How far openers have to go. A server on our own network has no NAT of ours before it.
            var outside = servers.FindAll(server => !AddressScope.IsPrivate(server));
            var finding = FirstRouters.IsCheap && outside.Count > 0 ? NetworkExamination.StartFindingRouters(engine, outside, cancellationToken) : null;
            engine.Run((node, now) =>
            {
                foreach (var server in servers)
                {
                    node.QueryStunOverTcp(server, now);
                    node.QueryStun(server, now);
                    if (server.Port < ushort.MaxValue) node.QueryStun(server.WithPort((ushort)(server.Port + 1)), now);
                }
            });
            if (finding is not null) await NetworkExamination.TellRoutersAsync(engine, finding).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // Connecting will say what is wrong with the name.
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task<CoordinationChannel> ConnectAsync(CancellationToken cancellationToken)
    {
        // An IPv4 literal cannot be dialled before it is known whether there is a translator; a name's resolver knows.
        if (IPAddress.TryParse(address.Host, out var literal) && literal.AddressFamily == AddressFamily.InterNetwork)
            await engine.Nat64Sought.WaitAsync(cancellationToken).ConfigureAwait(false);
        var channel = await CoordinationChannel.ConnectAsync(address, path, knownServers, trustFirst, engine.Nat64, cancellationToken).ConfigureAwait(false);
        _outgoing = Channel.CreateBounded<ReadOnlyMemory<byte>>(new BoundedChannelOptions(MaxOutgoing) { SingleReader = true });
        var isLoopback = address.Host is "localhost" || (literal is not null && IPAddress.IsLoopback(literal));
        engine.Run((node, now) => node.HandleServerConnected(room, channel.Host, channel.CertificateKeyHash.Span, isLoopback, now));
        return channel;
    }

    private async Task RunAsync(CoordinationChannel? channel)
    {
        var pause = FirstPause;
        try
        {
            while (true)
            {
                if (channel is not null)
                {
                    var start = Stopwatch.GetTimestamp();
                    await CarryAsync(channel).ConfigureAwait(false);
                    // Replaced, never let in, or left: there is no coming back.
                    if (_isLeaving || engine.Run((node, _) => node.IsServerFinal(room))) return;
                    engine.Run((node, now) => node.HandleServerDisconnected(room, now));
                    var lasted = Stopwatch.GetElapsedTime(start);
                    if (lasted >= MaxPause) pause = FirstPause;
                    if (lasted >= SettledTime && pause == FirstPause)
                    {
                        await Task.Delay(HurriedPause * (1 + Random.Shared.NextDouble()), _stop.Token).ConfigureAwait(false);
                        channel = await TryConnectAsync().ConfigureAwait(false);
                        if (channel is not null) continue;
                    }
                }
                await Task.Delay(pause * (1 + (Random.Shared.NextDouble() / 2)), _stop.Token).ConfigureAwait(false);
                pause = pause * 2 < MaxPause ? pause * 2 : MaxPause;
                channel = await TryConnectAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task<CoordinationChannel?> TryConnectAsync()
    {
        try
        {
            return await ConnectAsync(_stop.Token).ConfigureAwait(false);
        }
        catch (CoordinationConnectException)
        {
            return null;
        }
    }

    // Both directions until one ends, or the node finds that nobody is at the other end.
    private async Task CarryAsync(CoordinationChannel channel)
    {
        _silence = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var silence = _silence.Task;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        await using (channel.ConfigureAwait(false))
        {
            var sending = SendAllAsync(channel, _outgoing!.Reader, end.Token);
            var receiving = ReceiveAllAsync(channel, end.Token);
            if (await Task.WhenAny(receiving, silence).ConfigureAwait(false) == silence) await end.CancelAsync().ConfigureAwait(false);
            await receiving.ConfigureAwait(false);
            _outgoing.Writer.TryComplete();
            await sending.ConfigureAwait(false);
        }
    }

    private async Task ReceiveAllAsync(CoordinationChannel channel, CancellationToken cancellationToken)
    {
        try
        {
            while (await channel.ReceiveAsync(cancellationToken).ConfigureAwait(false) is { } utf8)
            {
                engine.Run((node, now) => node.HandleServerMessage(room, utf8.Span, now));
                if (engine.Run((node, _) => node.IsServerFinal(room))) return;
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or ObjectDisposedException)
        {
            // Given up, or stopped.
        }
    }

    private static async Task SendAllAsync(CoordinationChannel channel, ChannelReader<ReadOnlyMemory<byte>> outgoing, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var utf8 in outgoing.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                await channel.SendAsync(utf8, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The receiving side notices too, and says so to the node.
        }
    }
}
