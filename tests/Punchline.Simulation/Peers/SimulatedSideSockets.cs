using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Simulation.Peers;

/// <summary>The sockets that a simulated node has besides its main one: opened, closed and fed as the engine does it.</summary>
internal sealed class SimulatedSideSockets(NodeCore node, Machine machine, Nat64Prefix? nat64 = null)
{
    // Where an operating system hands out ports that nobody asked for (RFC 6335 §6).
    private const ushort FirstPort = 49_152;

    private readonly Dictionary<SocketId, SimulatedSocket> _sockets = [];
    private ushort _lastPort = FirstPort - 1;

    public int Count => _sockets.Count;

    /// <summary>Sockets that were open at one time, at most.</summary>
    public int Most { get; private set; }

    /// <summary>Does what the node wants of its sockets. True where there was anything: an open one may have something to send.</summary>
    public bool Change(Timestamp now)
    {
        var any = false;
        while (node.TryDequeueSocketCommand(out var command))
        {
            any = true;
            if (command.Opens) Open(command.Socket, now);
            else if (_sockets.Remove(command.Socket, out var socket)) socket.Close();
        }
        return any;
    }

    /// <summary>The socket that sends it; null where that is closed.</summary>
    public SimulatedSocket? SenderOf(in Transmit transmit, SimulatedSocket main) =>
        transmit.Via == SocketId.Main ? main : _sockets.GetValueOrDefault(transmit.Via);

    /// <summary>The process is gone.</summary>
    public void Close()
    {
        foreach (var socket in _sockets.Values) socket.Close();
        _sockets.Clear();
    }

    private void Open(SocketId id, Timestamp now)
    {
        do _lastPort++;
        while (machine.FindSocket(_lastPort) is not null);
        _sockets.Add(id, machine.Bind(_lastPort, new Host(node, id, nat64)));
        Most = Math.Max(Most, _sockets.Count);
        node.HandleSocketOpened(id, _lastPort, now);
    }

    // What the node has to send, and its timer, are the main socket's.
    private sealed class Host(NodeCore node, SocketId id, Nat64Prefix? nat64) : ISimulatedHost
    {
        public Timestamp NextTimeout => Timestamp.Never;

        public void HandleDatagram(Endpoint source, ReadOnlySpan<byte> datagram, Timestamp now)
        {
            if (nat64 is not null && nat64.TryExtract(source, out var ipv4)) source = ipv4;
            node.HandleDatagram(new PathAddress(id, source), datagram, now);
        }

        public void HandleTimeout(Timestamp now)
        {
            // There is none.
        }

        public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
        {
            transmit = default;
            return false;
        }
    }
}
