using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>What a node wants of its driver: a UDP socket more, or one less.</summary>
/// <param name="Socket">Which: a number that was not used before, or one that is open.</param>
/// <param name="Opens">
/// To be bound to a port of the system's choice, and answered with <see cref="NodeCore.HandleSocketOpened"/> or
/// <see cref="NodeCore.HandleSocketFailed"/>; else to be closed.
/// </param>
internal readonly record struct SocketCommand(SocketId Socket, bool Opens);

/// <summary>Who asked for a side socket, and hears what becomes of it.</summary>
internal interface ISideSocketOwner
{
    /// <summary>It is open now, or failed, or who was asked from it where it is seen has answered.</summary>
    void HandleSideSocket(SideSocket socket, Timestamp now);

    /// <summary>A STUN message came in by it that answers no question of <see cref="SideSockets.Query"/>'s.</summary>
    void HandleStun(SideSocket socket, Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
    }
}

internal enum SideSocketState : byte
{
    Opening,
    Open,

    /// <summary>The driver could not open it, or it was closed.</summary>
    Closed,
}

/// <summary>A socket besides the main one: a fresh port where the main one's is spoiled, or one of many where a port is searched.</summary>
internal sealed class SideSocket(SocketId id, ISideSocketOwner owner)
{
    private readonly List<Endpoint> _reflexive = [];
    private readonly List<MappingObservation> _observations = [];

    public SocketId Id { get; } = id;

    public SideSocketState State { get; internal set; }

    /// <summary>Its local port, once it is open.</summary>
    public ushort Port { get; internal set; }

    /// <summary>When it was opened: no mapping of it is older.</summary>
    public Timestamp OpenedAt { get; internal set; }

    /// <summary>Where it was seen, in the order of their answers, without duplicates.</summary>
    public IReadOnlyList<Endpoint> Reflexive => _reflexive;

    /// <summary>Who saw what, in the order of their answers.</summary>
    public IReadOnlyList<MappingObservation> Observations => _observations;

    internal ISideSocketOwner Owner { get; } = owner;

    internal StunClient? Stun { get; set; }

    /// <summary>Asks nodes of the DHT.</summary>
    internal ReflectionClient? Nodes { get; set; }

    internal Timestamp NextTimeout => Timestamp.Min(Stun?.NextTimeout ?? Timestamp.Never, Nodes?.NextTimeout ?? Timestamp.Never);

    internal void Learn(Endpoint server, Endpoint mapped)
    {
        _observations.Add(new MappingObservation(server, Port, mapped));
        if (!_reflexive.Contains(mapped)) _reflexive.Add(mapped);
    }
}

/// <summary>A node's UDP sockets besides the main one, over all rooms and peers.</summary>
internal sealed class SideSockets(IRandomSource random)
{
    /// <summary>At once: a search's 256, and what peers need that are trapped meanwhile.</summary>
    public const int MaxOpen = 288;

    /// <summary>
    /// Until a request to a STUN server is repeated, which is known to be there: a fifth of RFC 8489's 500 ms for servers of which nothing is known.
    /// </summary>
    private static readonly TimeSpan StunRetransmissionTimeout = TimeSpan.FromMilliseconds(100);

    // In the order of opening, so that a run replays.
    private readonly OrderedDictionary<SocketId, SideSocket> _sockets = [];
    private readonly List<SideSocket> _asking = [];
    private readonly Queue<SocketCommand> _commands = new();
    private int _lastNumber;

    /// <summary>Sockets open or being opened.</summary>
    public int Count => _sockets.Count;

    /// <summary>Entries in our router's table that questions made, in all.</summary>
    public ulong FiveTuples { get; private set; }

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var socket in _asking) next = Timestamp.Min(next, socket.NextTimeout);
            return next;
        }
    }

    /// <summary>Asks the driver for one more. False where there are <see cref="MaxOpen"/> already.</summary>
    public bool TryOpen(ISideSocketOwner owner, [NotNullWhen(true)] out SideSocket? socket)
    {
        socket = null;
        if (_sockets.Count == MaxOpen) return false;
        socket = new SideSocket(new SocketId(Carrier.Udp, ++_lastNumber), owner);
        _sockets.Add(socket.Id, socket);
        _commands.Enqueue(new SocketCommand(socket.Id, Opens: true));
        return true;
    }

    /// <summary>When a socket was opened; never where there is no such one.</summary>
    public Timestamp OpenedAt(SocketId id) => _sockets.TryGetValue(id, out var socket) ? socket.OpenedAt : Timestamp.Never;

    /// <summary>Gives one back. Once more does no harm.</summary>
    public void Close(SideSocket socket)
    {
        if (!_sockets.Remove(socket.Id)) return;
        _asking.Remove(socket);
        if (socket.State != SideSocketState.Closed) _commands.Enqueue(new SocketCommand(socket.Id, Opens: false));
        socket.State = SideSocketState.Closed;
    }

    /// <summary>Asks where this socket, which is open, is seen.</summary>
    public void Query(SideSocket socket, Reflector reflector, Timestamp now)
    {
        if (socket.State != SideSocketState.Open) return;
        if (socket is { Stun: null, Nodes: null }) _asking.Add(socket);
        if (reflector.External is { } external) (socket.Nodes ??= new ReflectionClient(random)).Query(reflector.Endpoint, external, now);
        else (socket.Stun ??= new StunClient(random, StunRetransmissionTimeout)).Query(reflector.Endpoint, now);
        FiveTuples++;
    }

    public bool TryDequeueCommand(out SocketCommand command) => _commands.TryDequeue(out command);

    /// <summary>The driver has bound a socket; it may have been given back meanwhile.</summary>
    public void HandleOpened(SocketId id, ushort port, Timestamp now)
    {
        if (!_sockets.TryGetValue(id, out var socket)) return;
        socket.Port = port;
        socket.OpenedAt = now;
        socket.State = SideSocketState.Open;
        socket.Owner.HandleSideSocket(socket, now);
    }

    /// <summary>The driver could not bind it: the system has no more, or no such address any more.</summary>
    public void HandleFailed(SocketId id, Timestamp now)
    {
        if (!_sockets.Remove(id, out var socket)) return;
        socket.State = SideSocketState.Closed;
        socket.Owner.HandleSideSocket(socket, now);
    }

    /// <summary>A STUN message on a side socket.</summary>
    public void HandleStun(PathAddress source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (!_sockets.TryGetValue(source.Local, out var socket)) return;
        if (socket.Stun is { } stun && stun.HandleDatagram(source.Remote, datagram, now)) Drain(socket, stun, now);
        else socket.Owner.HandleStun(socket, source.Remote, datagram, now);
    }

    /// <summary>A message of the DHT on a side socket: an answer to a question there, or nobody's.</summary>
    public void HandleKrpc(PathAddress source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (!_sockets.TryGetValue(source.Local, out var socket) || socket.Nodes is not { } nodes || !nodes.HandleDatagram(source.Remote, datagram)) return;
        while (nodes.TryDequeue(out var reflection))
        {
            socket.Learn(reflection.Value.Node, reflection.Value.Mapped);
            socket.Owner.HandleSideSocket(socket, now);
        }
    }

    public void HandleTimeout(Timestamp now)
    {
        for (var i = _asking.Count - 1; i >= 0; i--)
        {
            var socket = _asking[i];
            if (now < socket.NextTimeout) continue;
            socket.Nodes?.HandleTimeout(now);
            if (socket.Stun is not { } stun) continue;
            stun.HandleTimeout(now);
            while (stun.TryDequeueEvent(out _)) { }
        }
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        foreach (var socket in _asking)
        {
            if (socket.Stun?.TryDequeueTransmit(now, buffer, out transmit) is not true && socket.Nodes?.TryDequeueTransmit(now, buffer, out transmit) is not true) continue;
            transmit = transmit with { Via = socket.Id };
            return true;
        }
        return false;
    }

    private static void Drain(SideSocket socket, StunClient stun, Timestamp now)
    {
        while (stun.TryDequeueEvent(out var ended))
        {
            if (ended is not StunClientEvent.Reflected reflected) continue;
            socket.Learn(reflected.Server, reflected.Mapped);
            socket.Owner.HandleSideSocket(socket, now);
        }
    }
}
