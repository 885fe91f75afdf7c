using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>
/// The TCP port: a listener, and connects from the very same port, so that SYNs can cross with a peer's (RFC 9293 §3.5) and one that
/// comes before our own connect is not refused. In both families it is the same number, with a listener in each.
/// </summary>
internal sealed class TcpPort : IDisposable
{
    /// <summary>Connections that the system may complete before they are taken. Few: each is looked at once, and at once.</summary>
    private const int Backlog = 64;

    // Of TCP_INFO.
    private const byte Established = 1;
    private const byte SynReceived = 3;

    // After an error: file descriptors may have run out, and the loop must not take a core.
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(100);

    // Between looks at the state of a socket whose connect .NET has given up: 256 of them are 5,120 calls a second, a hundredth of a core.
    private static readonly TimeSpan StateInterval = TimeSpan.FromMilliseconds(50);

    private readonly List<Socket> _listeners = [];
    private readonly IPEndPoint? _ipv4;
    private readonly IPEndPoint? _ipv6;
    private readonly CancellationTokenSource _stop = new();
    private readonly Nat64 _nat64;
    private readonly ITcpPortOwner _owner;

    /// <param name="local">
    /// Where to bind it. <see cref="IPAddress.IPv6Any"/> is both families, or IPv4 alone where the system has no IPv6; another address is its own.
    /// </param>
    /// <param name="nat64">How IPv4 is reached where there is none.</param>
    /// <param name="owner">Hears what comes of connections.</param>
    /// <exception cref="SocketException">The address cannot be bound, or the number is not free in both families.</exception>
    public TcpPort(IPEndPoint local, Nat64 nat64, ITcpPortOwner owner)
    {
        (_nat64, _owner) = (nat64, owner);
        try
        {
            if (local.Address.Equals(IPAddress.IPv6Any))
            {
                _ipv4 = Listen(new IPEndPoint(IPAddress.Any, local.Port));
                if (Socket.OSSupportsIPv6) _ipv6 = ListenBeside(_ipv4.Port);
            }
            else if (local.AddressFamily == AddressFamily.InterNetwork)
            {
                _ipv4 = Listen(local);
            }
            else
            {
                _ipv6 = Listen(local);
            }
        }
        catch
        {
            foreach (var listener in _listeners) listener.Dispose();
            throw;
        }
        LocalEndPoint = _ipv6 ?? _ipv4!;
    }

    /// <summary>Its address is [::] where it is of both families.</summary>
    public IPEndPoint LocalEndPoint { get; }

    public bool HasIPv4 => _ipv4 is not null;

    public bool HasIPv6 => _ipv6 is not null;

    /// <summary>Takes what comes in, from now on.</summary>
    public void Start()
    {
        foreach (var listener in _listeners) _ = AcceptAllAsync(listener);
    }

    /// <summary>Connects as <see cref="TcpCommand"/> says; what comes of it the owner hears.</summary>
    public TcpConnection Connect(in TcpCommand command)
    {
        var remote = _nat64.ToWire(command.Remote).ToIPEndPoint();
        // Of a family that the port does not have it fails like one without a route.
        var bound = (remote.AddressFamily == AddressFamily.InterNetwork ? _ipv4 : _ipv6) ?? LocalEndPoint;
        var local = command.IsSide ? new IPEndPoint(bound.Address, 0) : bound;
        var connection = new TcpConnection(command.Link, NewSocket(local.AddressFamily));
        // The SYNs leave in the order of the commands.
        var isOpener = command.OpenerLead > TimeSpan.Zero;
        _ = ConnectAsync(connection, command, local, remote, Begin(connection.Socket, local, remote, command.TimeToLive, isOpener), isOpener);
        return connection;
    }

    public void Dispose()
    {
        _stop.Cancel();
        foreach (var listener in _listeners) listener.Dispose();
        _stop.Dispose();
    }

    private IPEndPoint Listen(IPEndPoint local)
    {
        var listener = NewSocket(local.AddressFamily);
        _listeners.Add(listener);
        listener.Bind(local);
        listener.Listen(Backlog);
        return (IPEndPoint)listener.LocalEndPoint!;
    }

    // Null where IPv6 is switched off in a way that only trying shows.
    private IPEndPoint? ListenBeside(int port)
    {
        try
        {
            return Listen(new IPEndPoint(IPAddress.IPv6Any, port));
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
        {
            if (_listeners.Find(listener => listener.AddressFamily == AddressFamily.InterNetworkV6) is { } unbound)
            {
                _listeners.Remove(unbound);
                unbound.Dispose();
            }
            return null;
        }
    }

    private static Socket NewSocket(AddressFamily family)
    {
        // Of its family alone, as .NET makes all sockets of IPv6.
        var socket = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        // On Unix it is SO_REUSEPORT: listener and connects share the port. Windows has that as SO_REUSEADDR.
        socket.ExclusiveAddressUse = false;
        if (OperatingSystem.IsWindows()) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        return socket;
    }

    private async Task ConnectAsync(TcpConnection connection, TcpCommand command, IPEndPoint local, IPEndPoint remote, Task connecting, bool isOpener)
    {
        // Not within the caller's lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (isOpener && !await IsMetAsync(connection.Socket, connecting, command.OpenerLead).ConfigureAwait(false))
            {
                // A port that is held stays the one that the router has mapped.
                if (command.IsSide) local = new IPEndPoint(local.Address, (connection.Socket.LocalEndPoint as IPEndPoint)?.Port ?? 0);
                var isReplaced = connection.TryReplace(NewSocket(local.AddressFamily));
                await connecting.ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default).ConfigureAwait(false);
                if (!isReplaced) throw new SocketException((int)SocketError.OperationAborted);
                isOpener = command.Kind == TcpCommandKind.Hold;
                connecting = Begin(connection.Socket, local, remote, command.TimeToLive, isOpener);
            }
            await CompleteAsync(connecting, connection.Socket).ConfigureAwait(false);
            connection.Prepare();
            _owner.OnConnected(connection);
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            // Refused, unreachable, given up; or the listener has a connection to there already.
            _owner.OnClosed(connection);
            return;
        }
        await ReceiveAllAsync(connection).ConfigureAwait(false);
    }

    // Whether the peer's SYN comes to the opener's socket before the lead is over.
    private async Task<bool> IsMetAsync(Socket socket, Task opening, TimeSpan openerLead)
    {
        var lead = Task.Delay(openerLead, _stop.Token);
        await Task.WhenAny(opening, lead).ConfigureAwait(false);
        // Refused before its time, or .NET thinks so: the lead is still the peer's, and only the socket's state tells of it.
        while (!lead.IsCompleted && !opening.IsCompletedSuccessfully && StateOf(socket) != Established)
            await Task.WhenAny(lead, Task.Delay(StateInterval, _stop.Token)).ConfigureAwait(false);
        _stop.Token.ThrowIfCancellationRequested();
        return opening.IsCompletedSuccessfully || HasPeersSyn(socket);
    }

    // Linux reports an ICMP message that it rightly made nothing of (RFC 1122 §4.2.3.9), like the one that an opener provokes, with the
    // success of the connect, in SO_ERROR; .NET takes that for a failure.
    private static async Task CompleteAsync(Task connecting, Socket socket)
    {
        try
        {
            await connecting.ConfigureAwait(false);
        }
        catch (SocketException) when (StateOf(socket) == Established)
        {
            // It stands.
        }
    }

    // The SYN leaves now. An opener's dies behind our own router, and what answers the peer's goes all the way.
    private Task Begin(Socket socket, IPEndPoint local, IPEndPoint remote, byte timeToLive, bool isOpener)
    {
        if (local.AddressFamily != remote.AddressFamily) return Task.FromException(new SocketException((int)SocketError.NetworkUnreachable));
        try
        {
            socket.Bind(local);
            if (isOpener) Outlive(socket);
            var usual = timeToLive != 0 ? timeToLive : socket.Ttl;
            socket.Ttl = isOpener ? PunchPlan.OpenerTimeToLive : usual;
            var connecting = socket.ConnectAsync(remote, _stop.Token).AsTask();
            if (isOpener) socket.Ttl = usual;
            return connecting;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            return Task.FromException(exception);
        }
    }

    // Linux ends a connect at the ICMP message that the end of its SYN provokes, and then the listener would answer the peer's, with another number than the one that
    // our router has seen, which drops that. IP_MINTTL (linux/in.h) has it pass over messages about packets with less to live: a dead opener has none
    // left or one hop (tcp_v4_err, which looks at the packet in the message; tcp_v6_err looks at the message).
    private static void Outlive(Socket opener)
    {
        const int IPLevel = 0, MinTimeToLive = 21;
        if (OperatingSystem.IsLinux() && opener.AddressFamily == AddressFamily.InterNetwork) opener.SetRawSocketOption(IPLevel, MinTimeToLive, BitConverter.GetBytes(2));
    }

    // Simultaneous open, half done or done.
    private static bool HasPeersSyn(Socket socket) => StateOf(socket) is SynReceived or Established;

    // Linux's TCP_INFO (linux/tcp.h) begins with the state; 0 where it is not told.
    private static byte StateOf(Socket socket)
    {
        const int Tcp = 6, TcpInfo = 11;
        if (!OperatingSystem.IsLinux()) return 0;
        Span<byte> state = stackalloc byte[1];
        return socket.GetRawSocketOption(Tcp, TcpInfo, state) == state.Length ? state[0] : (byte)0;
    }

    private async Task AcceptAllAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                if (!TryTake(socket)) socket.Close(0);
            }
            catch (SocketException) when (!_stop.IsCancellationRequested)
            {
                await Task.Delay(FailurePause).ConfigureAwait(false);
            }
            catch (Exception exception) when (IsEnd(exception))
            {
                return;
            }
        }
    }

    private bool TryTake(Socket socket)
    {
        try
        {
            if (socket.RemoteEndPoint is not IPEndPoint remote) return false;
            var connection = new TcpConnection(default, socket);
            connection.Prepare();
            if (!_owner.TryAccept(connection, _nat64.FromWire(Endpoint.From(remote)))) return false;
            _ = ReceiveAllAsync(connection);
            return true;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            // It was reset before it was looked at.
            return false;
        }
    }

    // An empty read waits for bytes without a buffer that would wait with it.
    private async Task ReceiveAllAsync(TcpConnection connection)
    {
        try
        {
            do
            {
                await connection.Socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None, _stop.Token).ConfigureAwait(false);
            }
            while (_owner.OnReadable(connection));
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            _owner.OnClosed(connection);
        }
    }

    internal static bool IsEnd(Exception exception) => exception is SocketException or ObjectDisposedException or OperationCanceledException;
}
