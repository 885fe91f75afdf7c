using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Sockets;

/// <summary>
/// The TCP port, of IPv4: a listener, and connects from the very same port, so that SYNs can cross with a peer's (RFC 9293 §3.5) and one
/// that comes before our own connect is not refused.
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

    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ITcpPortOwner _owner;

    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public TcpPort(IPEndPoint local, ITcpPortOwner owner)
    {
        _owner = owner;
        _listener = NewSocket();
        try
        {
            _listener.Bind(local);
            _listener.Listen(Backlog);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
        LocalEndPoint = (IPEndPoint)_listener.LocalEndPoint!;
    }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Takes what comes in, from now on.</summary>
    public void Start() => _ = AcceptAllAsync();

    /// <summary>Connects as <see cref="TcpCommand"/> says; what comes of it the owner hears.</summary>
    public TcpConnection Connect(in TcpCommand command)
    {
        var connection = new TcpConnection(command.Link, NewSocket());
        var local = command.IsSide ? new IPEndPoint(LocalEndPoint.Address, 0) : LocalEndPoint;
        // The SYNs leave in the order of the commands.
        var isOpener = command.OpenerLead > TimeSpan.Zero;
        _ = ConnectAsync(connection, command, Begin(connection.Socket, local, command, isOpener), isOpener);
        return connection;
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private static Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        // On Unix it is SO_REUSEPORT: listener and connects share the port. Windows has that as SO_REUSEADDR.
        socket.ExclusiveAddressUse = false;
        if (OperatingSystem.IsWindows()) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        return socket;
    }

    private async Task ConnectAsync(TcpConnection connection, TcpCommand command, Task connecting, bool isOpener)
    {
        // Not within the caller's lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (isOpener && !await IsMetAsync(connection.Socket, connecting, command.OpenerLead).ConfigureAwait(false))
            {
                // A port that is held stays the one that the router has mapped.
                var local = command.IsSide ? new IPEndPoint(LocalEndPoint.Address, (connection.Socket.LocalEndPoint as IPEndPoint)?.Port ?? 0) : LocalEndPoint;
                var isReplaced = connection.TryReplace(NewSocket());
                await connecting.ContinueWith(static ended => _ = ended.Exception, TaskScheduler.Default).ConfigureAwait(false);
                if (!isReplaced) throw new SocketException((int)SocketError.OperationAborted);
                isOpener = command.Kind == TcpCommandKind.Hold;
                command = command.WithLongerOpener();
                connecting = Begin(connection.Socket, local, command, isOpener);
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
    private Task Begin(Socket socket, IPEndPoint local, in TcpCommand command, bool isOpener)
    {
        try
        {
            socket.Bind(local);
            var timeToLive = command.TimeToLive != 0 ? command.TimeToLive : socket.Ttl;
            socket.Ttl = isOpener ? command.OpenerTimeToLive : timeToLive;
            var connecting = socket.ConnectAsync(command.Remote.ToIPEndPoint(), _stop.Token).AsTask();
            if (isOpener) socket.Ttl = timeToLive;
            return connecting;
        }
        catch (Exception exception) when (IsEnd(exception))
        {
            return Task.FromException(exception);
        }
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

    private async Task AcceptAllAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
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
            if (!_owner.TryAccept(connection, Endpoint.From(remote))) return false;
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
