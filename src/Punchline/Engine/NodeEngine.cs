using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Punchline.Engine.Qlog;
using Punchline.Engine.Telemetry;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Sockets;

namespace Punchline.Engine;

/// <summary>What a room, call or inbox of the engine's node has to say, called while the engine is busy: it only takes note.</summary>
internal interface IRoomObserver
{
    /// <summary>Whether an event would be taken. Where not, the engine asks again with the next command.</summary>
    bool HasRoom { get; }

    void OnEvent(NodeEvent nodeEvent);

    /// <summary>A connection is new, has events, or has ended.</summary>
    void OnConnection(ApplicationConnection connection);

    /// <summary>Something may have changed for who waits for a connection.</summary>
    void OnDrained(NodeCore node);

    void OnServerMessage(ReadOnlyMemory<byte> utf8);

    /// <summary>The connection to the server is of no use any more.</summary>
    void OnServerOver();
}

/// <summary>What the DHT has to say, called while the engine is busy: it only takes note.</summary>
internal interface IDhtObserver
{
    void OnEvent(DhtEvent dhtEvent);
}

/// <summary>
/// Drives a <see cref="NodeCore"/>: its sockets, its clock and its timer. Whoever has an input (a receiving thread,
/// the timer's thread, a command) takes the gate, hands it in, and sends what comes out before it lets go. Nothing waits
/// inside, and no code of the application runs there.
/// </summary>
internal sealed partial class NodeEngine : IDisposable
{
    // The largest that UDP carries over IPv4: 65,535 − 20 − 8. Over IPv6 it is 20 more (RFC 768, RFC 8200 §4.5), which nobody sends us.
    private const int MaxDatagram = 65_507;

    private readonly object _gate = new();
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly NodeCore _node;
    private readonly QlogDirectory? _qlog;
    private readonly UdpSocket _socket;
    private readonly SideSocketSet _sideSockets;
    private readonly bool _hidesHostCandidates;
    private readonly NetworkWatch _watch;
    private volatile IReadOnlyList<HostAddress> _hostAddresses;
    private readonly Dictionary<int, IRoomObserver> _rooms = [];
    private readonly byte[] _sendBuffer = new byte[MaxDatagram];
    private readonly GatewayLink? _gateway;
    private readonly KeptKnowledge? _kept;
    private readonly MdnsLink? _mdns;
    private readonly Thread _receiver;
    private readonly Thread _timer;
    private IDhtObserver? _dht;
    private Action<NetworkReport>? _onReport;
    private Timestamp _armed = Timestamp.Never;
    private bool _isDisposed;

    /// <exception cref="SocketException">The address cannot be bound.</exception>
    /// <exception cref="IOException">The directory for qlog files cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory for qlog files cannot be made.</exception>
    public NodeEngine(P256KeyPair identity, IPEndPoint? local, bool hideHostCandidates, string? qlogDirectory = null, bool mapsPort = false, IPEndPoint? tcpLocal = null, KeptKnowledge? kept = null, bool usesMdns = false)
    {
        _socket = local is null || local.Address.Equals(IPAddress.IPv6Any) ? UdpSocket.BindAny(Nat64, local?.Port ?? 0) : new UdpSocket(local, Nat64);
        LocalEndPoint = _socket.LocalEndPoint;
        try
        {
            _tcp = OpenTcp(tcpLocal);
            _qlog = qlogDirectory is null ? null : new QlogDirectory(qlogDirectory, identity.DeriveId());
        }
        catch
        {
            _tcp?.Dispose();
            _socket.Dispose();
            throw;
        }
        _node = new NodeCore(identity, SystemRandomSource.Instance, new NodeObserver(identity.DeriveId(), _qlog));
        _kept = kept;
        kept?.GiveTo(_node);
        _sideSockets = new SideSocketSet(LocalEndPoint.Address, Nat64, Handle);
        _hostAddresses = HostAddresses.Of(LocalEndPoint);
        if (_tcp is { } tcp) _node.SetTcpPort((ushort)tcp.LocalEndPoint.Port, tcp.HasIPv4, tcp.HasIPv6);
        _node.SetForwardedPorts((ushort)(local?.Port ?? 0), (ushort)(_tcp?.HasIPv4 is true ? tcpLocal?.Port ?? 0 : 0));
        _hidesHostCandidates = hideHostCandidates;
        if (!hideHostCandidates) _node.SetHostAddresses(_hostAddresses, Timestamp.Zero);
        Nat64Sought = SeekNat64Async();
        if (mapsPort && BoundIPv4 is { } bound && !IPAddress.IsLoopback(bound))
        {
            _gateway = new GatewayLink(this, bound);
            _node.MapPort((ushort)LocalEndPoint.Port, Timestamp.Zero);
        }
        // It tells the links our addresses there.
        if (usesMdns && !hideHostCandidates && !IPAddress.IsLoopback(LocalEndPoint.Address)) _mdns = new MdnsLink(this, LocalEndPoint);
        _receiver = new Thread(Receive) { Name = "Punchline receive", IsBackground = true };
        _timer = new Thread(KeepTime) { Name = "Punchline timer", IsBackground = true };
        _receiver.Start();
        _timer.Start();
        _tcp?.Start();
        _watch = new NetworkWatch(LocalEndPoint, _hostAddresses, HandleNetworkNews);
        PeerMetrics.Add(this);
    }

    public IPEndPoint LocalEndPoint { get; }

    /// <summary>How IPv4 is reached from a network without: sockets of whoever else dials want it too.</summary>
    public Nat64 Nat64 { get; } = new();

    /// <summary>Ends when it is known whether IPv4 is reached through a translator: at once where there is IPv4, and after a second at most.</summary>
    public Task Nat64Sought { get; private set; }

    public NodeStatistics Statistics
    {
        get
        {
            lock (_gate) return _node.Statistics;
        }
    }

    private Timestamp Now => new(Stopwatch.GetElapsedTime(_start).Ticks);

    public IPEndPoint LocalEndPointTowards(IPEndPoint remote, PathTransport transport = PathTransport.Udp)
    {
        var local = _socket.LocalEndPointTowards(remote);
        return transport == PathTransport.Tcp && TcpEndPoint is { } tcp ? new IPEndPoint(local.Address, tcp.Port) : local;
    }

    /// <summary>Whether packets to <paramref name="remote"/> stay on this machine or on its networks.</summary>
    public bool IsNear(Endpoint remote) =>
        AddressScope.IsLoopback(remote) || AddressScope.IsPrivate(remote) || _hostAddresses.Any(host => host.IsOnLink(remote));

    /// <summary>Carries out a command on the node, and what comes of it.</summary>
    public void Run(Action<NodeCore, Timestamp> command) => Run((node, now) =>
    {
        command(node, now);
        return true;
    });

    /// <summary>Carries out a command on the node, and what comes of it.</summary>
    /// <exception cref="ObjectDisposedException">The engine has stopped.</exception>
    public T Run<T>(Func<NodeCore, Timestamp, T> command)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            var result = command(_node, Now);
            Drain();
            return result;
        }
    }

    /// <summary>
    /// Takes the gate for commands that must not allocate; what comes of them goes out when the turn is disposed of. In between, nothing waits
    /// and no code of the application runs.
    /// </summary>
    public Turn Enter()
    {
        Monitor.Enter(_gate);
        return new Turn(this);
    }

    /// <summary>A path as it is told. Asks the system, outside the gate.</summary>
    public PeerPath PathTo(PathAddress path, bool isMapped)
    {
        var endPoint = path.Remote.ToIPEndPoint();
        var kind = IsNear(path.Remote) ? PathKind.Lan : isMapped ? PathKind.Mapped : PathKind.Direct;
        var transport = path.Local.Carrier == Carrier.Tcp ? PathTransport.Tcp : PathTransport.Udp;
        return new PeerPath(kind, transport, LocalEndPointTowards(endPoint, transport), endPoint);
    }

    public void Dispose()
    {
        PeerMetrics.Remove(this);
        _watch.Dispose();
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            Monitor.PulseAll(_gate);
            CloseConnections();
        }
        _tcp?.Dispose();
        _socket.Dispose();
        _sideSockets.Dispose();
        _receiver.Join();
        _timer.Join();
        _node.Dispose();
        // Behind the node, whose end is the end of its files.
        _qlog?.Dispose();
    }

    // What routers map is IPv4. Null: our socket has none.
    private IPAddress? BoundIPv4 => LocalEndPoint.Address switch
    {
        { AddressFamily: AddressFamily.InterNetwork } ipv4 => ipv4,
        var ipv6 => ipv6.Equals(IPAddress.IPv6Any) ? IPAddress.Any : null,
    };

    // A machine with an IPv4 address of any sort reaches IPv4 by it, if at all; 464XLAT (RFC 6877) gives one where there is only a translator.
    private bool HasIPv6Only =>
        _hostAddresses.Any(host => !host.Endpoint.IsIPv4 && !AddressScope.IsLoopback(host.Endpoint))
        && !_hostAddresses.Any(host => host.Endpoint.IsIPv4 && !AddressScope.IsLoopback(host.Endpoint));

    private async Task SeekNat64Async()
    {
        // As a rule at once, with no translator to seek.
        var isKnown = HasIPv6Only ? await Nat64.DiscoverAsync().ConfigureAwait(false) : Nat64.Forget();
        lock (_gate)
        {
            if (_isDisposed) return;
            _node.SetNat64(isKnown, Now);
            _node.Dht?.SetFamilies(Families, Now);
        }
    }

    private void HandleNetworkNews(NetworkNews news, IReadOnlyList<HostAddress> addresses)
    {
        _hostAddresses = addresses;
        if (news == NetworkNews.Moved) Nat64Sought = SeekNat64Async();
        _mdns?.Look();
        lock (_gate)
        {
            if (_isDisposed) return;
            // The clock behind our timestamps may have stood still while the machine slept.
            _node.SetUtc(DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch, Now);
            _node.Dht?.SetFamilies(Families, Now);
            if (news == NetworkNews.Moved && !_hidesHostCandidates) _node.SetHostAddresses(addresses, Now);
            else _node.Doubt(Now);
            Drain();
        }
    }

    private void Receive()
    {
        var buffer = GC.AllocateUninitializedArray<byte>(MaxDatagram);
        while (_socket.TryReceive(buffer, out var length, out var source)) Handle(source, buffer.AsSpan(0, length));
    }

    private void Handle(PathAddress source, ReadOnlySpan<byte> datagram)
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _node.HandleDatagram(source, datagram, Now);
            Drain();
        }
    }

    private void KeepTime()
    {
        lock (_gate)
        {
            while (!_isDisposed)
            {
                var now = Now;
                _armed = _node.NextTimeout;
                if (_armed <= now)
                {
                    _node.HandleTimeout(now);
                    Drain();
                    continue;
                }
                // The system's timers are no finer than a millisecond; rounded up, so as not to wake too early.
                var wait = _armed == Timestamp.Never ? Timeout.Infinite : (int)Math.Min(int.MaxValue, Math.Ceiling((_armed - now).TotalMilliseconds));
                Monitor.Wait(_gate, wait);
            }
        }
    }

    private void Drain()
    {
        SendAll();
        while (_node.TryDequeueServerMessage(out var room, out var utf8))
        {
            if (_rooms.TryGetValue(room, out var observer)) observer.OnServerMessage(utf8);
        }
        while (_node.TryDequeueServerClose(out var room))
        {
            if (_rooms.TryGetValue(room, out var observer)) observer.OnServerOver();
        }
        while (_node.TryDequeueDhtEvent(Now, out var dhtEvent)) _dht?.OnEvent(dhtEvent);
        foreach (var (room, observer) in _rooms)
        {
            while (observer.HasRoom && _node.TryDequeueEvent(room, Now, out var nodeEvent))
            {
                PeerMetrics.Note(nodeEvent, this);
                observer.OnEvent(nodeEvent);
            }
        }
        while (_node.TryDequeueReport(out var report)) _onReport?.Invoke(report);
        if (_gateway is { } gateway) DrainTo(gateway);
        if (_mdns is { } mdns) DrainTo(mdns);
        DrainConnections();
        foreach (var observer in _rooms.Values) observer.OnDrained(_node);
        // Whoever took events or read made room, and a window may open again.
        SendAll();
        while (_node.TryDequeueTcpCommand(out var command)) Execute(command);
        _kept?.TakeFrom(_node);
        // The timer's thread sleeps towards a moment that is no longer the next.
        if (_node.NextTimeout < _armed) Monitor.Pulse(_gate);
    }

    private void DrainTo(GatewayLink gateway)
    {
        if (_node.TryTakeGatewaySearch()) gateway.Start();
        while (_node.TryDequeueGatewayTransmit(Now, _sendBuffer, out var transmit)) gateway.Send(_sendBuffer.AsSpan(0, transmit.Length), transmit);
        while (_node.TryDequeueGatewayHttp(out var request)) gateway.Exchange(request);
        if (_node.ArePortMappingsClosed) gateway.HandleClosed();
    }

    private void DrainTo(MdnsLink mdns)
    {
        while (_node.TryDequeueMdnsTransmit(Now, _sendBuffer, out var transmit)) mdns.Send(_sendBuffer.AsSpan(0, transmit.Length), transmit);
    }

    private void DrainConnections()
    {
        while (_node.TryDequeueConnection(out var connection))
        {
            if (_rooms.TryGetValue(connection.Room, out var observer)) observer.OnConnection(connection);
        }
    }

    private void SendAll()
    {
        do
        {
            while (_node.TryDequeueTransmit(Now, _sendBuffer, out var transmit))
            {
                var datagram = _sendBuffer.AsSpan(0, transmit.Length);
                if (transmit.Via.Carrier == Carrier.Tcp) SendOverTcp(transmit.Via, datagram);
                else if (transmit.Via == SocketId.Main) _socket.Send(datagram, transmit);
                else _sideSockets.Send(datagram, transmit);
            }
        }
        while (ChangeSockets());
    }

    // A socket that was opened may have something to send.
    private bool ChangeSockets()
    {
        var any = false;
        while (_node.TryDequeueSocketCommand(out var command))
        {
            any = true;
            if (!command.Opens) _sideSockets.Close(command.Socket);
            else if (_sideSockets.TryOpen(command.Socket, out var port)) _node.HandleSocketOpened(command.Socket, port, Now);
            else _node.HandleSocketFailed(command.Socket, Now);
        }
        return any;
    }

    /// <summary>The gate, taken.</summary>
    public readonly ref struct Turn(NodeEngine engine) : IDisposable
    {
        /// <summary>The engine has stopped, and its node takes no commands.</summary>
        public bool IsOver => engine._isDisposed;

        public NodeCore Node => engine._node;

        public Timestamp Now => engine.Now;

        public void Dispose()
        {
            try
            {
                if (!engine._isDisposed) engine.Drain();
            }
            finally
            {
                Monitor.Exit(engine._gate);
            }
        }
    }
}
