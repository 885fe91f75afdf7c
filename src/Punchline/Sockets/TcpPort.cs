using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>
/// The TCP port: a listener, and connects from the very same port, so that SYNs can cross with a peer's (RFC 9293 §3.5) and one
/// that comes before our own connect is not refused.
/// </summary>
internal sealed class TcpPort : IDisposable
{
    /// <summary>Connections that the system may complete before they are taken. Few: each is looked at once, and at once.</summary>
    private const int Backlog = 64;

    // After an error: file descriptors may have run out, and the loop must not take a core.
    private static readonly TimeSpan FailurePause = TimeSpan.FromMilliseconds(100);

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

    /// <summary>Connects with a socket of its own; what comes of it the owner hears.</summary>
    public TcpConnection Connect(SocketId id, Endpoint remote, byte timeToLive)
    {
        var connection = new TcpConnection(id, NewSocket());
        _ = ConnectAsync(connection, remote, timeToLive);
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

    private async Task ConnectAsync(TcpConnection connection, Endpoint remote, byte timeToLive)
    {
        // Not within the caller's lock.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            if (timeToLive != 0) connection.Socket.Ttl = timeToLive;
            connection.Socket.Bind(LocalEndPoint);
            await connection.Socket.ConnectAsync(remote.ToIPEndPoint(), _stop.Token).ConfigureAwait(false);
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
