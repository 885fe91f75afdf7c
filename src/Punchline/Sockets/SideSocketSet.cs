using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>What arrived on a side socket.</summary>
internal delegate void SideDatagramHandler(PathAddress source, ReadOnlySpan<byte> datagram);

/// <summary>
/// A node's UDP sockets besides the main one: hundreds while a port is searched, one for as long as a connection stands on it.
/// One thread waits for all of them. It begins with the first socket: most nodes never have one.
/// </summary>
internal sealed class SideSocketSet(IPAddress local, Nat64 nat64, SideDatagramHandler handler) : IDisposable
{
    private const int MaxDatagram = 65_507;

    private readonly Lock _gate = new();
    private readonly Dictionary<SocketId, UdpSocket> _sockets = [];
    // Closing waits for whoever waits on a socket, so the thread that does closes them.
    private readonly List<UdpSocket> _closing = [];
    private Socket? _waker;
    private Thread? _receiver;
    private bool _isDisposed;

    /// <summary>One more, on a port that the system chooses. False where it has none.</summary>
    public bool TryOpen(SocketId id, out ushort port)
    {
        port = 0;
        try
        {
            var socket = new UdpSocket(new IPEndPoint(local, 0), nat64, blocks: false);
            port = (ushort)socket.LocalEndPoint.Port;
            lock (_gate)
            {
                _sockets.Add(id, socket);
                Start();
            }
            Wake();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Sends nothing any more by this one, and gives its port back soon.</summary>
    public void Close(SocketId id)
    {
        lock (_gate)
        {
            if (!_sockets.Remove(id, out var socket)) return;
            _closing.Add(socket);
        }
        Wake();
    }

    /// <summary>Sends a datagram by the socket that it names; lost where that is closed.</summary>
    public void Send(ReadOnlySpan<byte> datagram, in Transmit transmit)
    {
        UdpSocket? socket;
        lock (_gate) _sockets.TryGetValue(transmit.Via, out socket);
        socket?.Send(datagram, transmit);
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            _closing.AddRange(_sockets.Values);
            _sockets.Clear();
        }
        Wake();
        _receiver?.Join();
        _waker?.Dispose();
    }

    private void Start()
    {
        if (_receiver is not null) return;
        // A datagram to itself ends the waiting.
        _waker = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        _waker.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _waker.Connect(_waker.LocalEndPoint!);
        _receiver = new Thread(Receive) { Name = "Punchline side sockets", IsBackground = true };
        _receiver.Start();
    }

    private void Wake()
    {
        try
        {
            _waker?.Send([0]);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // Its buffer is full: it is awake.
        }
    }

    private void Receive()
    {
        var buffer = GC.AllocateUninitializedArray<byte>(MaxDatagram);
        var ready = new List<Socket>();
        var sockets = new Dictionary<Socket, (SocketId Id, UdpSocket Socket)>();
        while (TryList(sockets))
        {
            ready.Clear();
            ready.Add(_waker!);
            ready.AddRange(sockets.Keys);
            try
            {
                Socket.Select(ready, null, null, microSeconds: -1);
            }
            catch (SocketException)
            {
                // One of them is in error: reading says which, and takes the error.
            }
            foreach (var socket in ready)
            {
                if (socket == _waker) DrainWaker(buffer);
                else Drain(sockets[socket], buffer);
            }
        }
    }

    private void Drain((SocketId Id, UdpSocket Socket) from, byte[] buffer)
    {
        // Only the first read may find nothing but an error: whoever tried once more each time would pay for an exception a datagram.
        for (var isReady = true; from.Socket.TryReceiveNow(buffer, isReady, out var length, out var source); isReady = false)
            handler(new PathAddress(from.Id, source), buffer.AsSpan(0, length));
    }

    private void DrainWaker(byte[] buffer)
    {
        try
        {
            while (_waker!.Available > 0) _waker.Receive(buffer);
        }
        catch (SocketException)
        {
            // Awake.
        }
    }

    private bool TryList(Dictionary<Socket, (SocketId, UdpSocket)> sockets)
    {
        lock (_gate)
        {
            foreach (var closed in _closing)
            {
                sockets.Remove(closed.Handle);
                closed.Dispose();
            }
            _closing.Clear();
            foreach (var (id, socket) in _sockets) sockets[socket.Handle] = (id, socket);
            return !_isDisposed;
        }
    }
}
