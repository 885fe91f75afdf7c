using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Tcp;

/// <summary>
/// A machine's TCP (RFC 9293), as far as punching and carrying bytes need it: listening and connecting on one port, simultaneous
/// open, resets, retransmission. Who it is given to must not be told of what a real kernel does not tell.
/// </summary>
/// <param name="machine">Whose it is.</param>
/// <param name="random">Of initial sequence numbers.</param>
/// <param name="now">The time.</param>
/// <param name="send">Takes a segment on its way.</param>
/// <param name="schedule">Runs an action at a moment, and drains the machine behind it.</param>
internal sealed class TcpStack(Machine machine, IRandomSource random, Func<Timestamp> now, Action<Packet> send, Action<Timestamp, Action> schedule)
{
    /// <summary>Connections at once: far above what a peer has, so that a leak is found.</summary>
    public const int MaxConnections = 1_024;

    private readonly Dictionary<ushort, Action<TcpSocket>> _listeners = [];
    private readonly Dictionary<(ushort Port, Endpoint Remote), TcpSocket> _sockets = [];
    private bool _isDead;

    /// <summary>Connections that there are, half-open and half-closed ones included.</summary>
    public int Count => _sockets.Count;

    internal Timestamp Now => now();

    /// <summary>Takes what connects to a port. The socket that comes is connected.</summary>
    public void Listen(ushort port, Action<TcpSocket> accept) => _listeners.Add(port, accept);

    /// <summary>Connects from a port, which may have a listener and other connections. What comes of it the socket tells.</summary>
    /// <param name="port">Ours.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="timeToLive">Of its segments; 0 for the default.</param>
    public TcpSocket Connect(ushort port, Endpoint remote, byte timeToLive = 0)
    {
        var socket = NewSocket(port, remote, timeToLive);
        // As Linux's ENETUNREACH: there is no route. As its EADDRNOTAVAIL: the listener has a connection to there already, or another socket is trying.
        if (machine.SourceTowards(remote, port) is not null && _sockets.TryAdd((port, remote), socket)) socket.Open();
        else schedule(Now, socket.Refuse);
        return socket;
    }

    /// <summary>As by a power cut: nothing is sent, answered or told any more.</summary>
    public void Kill()
    {
        _isDead = true;
        foreach (var socket in _sockets.Values) socket.Forget();
        _sockets.Clear();
        _listeners.Clear();
    }

    /// <summary>As at a process's end: its connections are reset, and nobody there is told.</summary>
    public void ResetAll()
    {
        foreach (var socket in _sockets.Values.ToArray()) socket.Abort();
    }

    public void HandleSegment(in Packet packet, TcpHeader header)
    {
        if (_isDead) return;
        var port = packet.Destination.Port;
        if (_sockets.TryGetValue((port, packet.Source), out var socket))
        {
            socket.HandleSegment(header, packet.Payload);
        }
        else if (header.Flags == TcpFlags.Syn && _listeners.TryGetValue(port, out var accept))
        {
            socket = NewSocket(port, packet.Source, 0);
            _sockets.Add((port, packet.Source), socket);
            socket.Accept(header, accept);
        }
        else if (RefusalOf(header, packet.Payload.Length) is { } reset)
        {
            Send(port, packet.Source, 0, reset, []);
        }
    }

    /// <summary>RFC 9293 §3.10.7.1: what answers a segment for which there is no connection; a reset is not answered.</summary>
    public static TcpHeader? RefusalOf(TcpHeader header, int length)
    {
        if (header.Has(TcpFlags.Reset)) return null;
        if (header.Has(TcpFlags.Acknowledgment)) return new TcpHeader(TcpFlags.Reset, header.Acknowledgment, 0);
        var counted = (uint)length + (header.Has(TcpFlags.Syn) ? 1u : 0) + (header.Has(TcpFlags.Fin) ? 1u : 0);
        return new TcpHeader(TcpFlags.Reset | TcpFlags.Acknowledgment, 0, header.Sequence + counted);
    }

    internal void Send(ushort port, Endpoint remote, byte timeToLive, TcpHeader header, ReadOnlySpan<byte> payload)
    {
        if (!_isDead && machine.SourceTowards(remote, port) is { } source) send(Packet.CreateSegment(source, remote, timeToLive, header, payload));
    }

    internal void Schedule(Timestamp at, Action action) => schedule(at, action);

    internal void Remove(TcpSocket socket)
    {
        var key = (socket.Port, socket.Remote);
        if (_sockets.GetValueOrDefault(key) == socket) _sockets.Remove(key);
    }

    private TcpSocket NewSocket(ushort port, Endpoint remote, byte timeToLive) => _sockets.Count < MaxConnections
        ? new TcpSocket(this, port, remote, (uint)random.NextUInt64(), timeToLive)
        : throw new InvalidOperationException($"{machine.Name}: more than {MaxConnections} TCP connections.");
}
