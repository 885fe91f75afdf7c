using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Traversal;

namespace Punchline.Simulation.Peers;

/// <summary>
/// Two nodes with nothing between them, not even a simulated network, whose bookkeeping would hide what the nodes themselves
/// cost. They are connected, their server is gone, and they prove themselves alive to each other.
/// </summary>
internal sealed class NodePair : IDisposable
{
    // Introductions and the handshake take some dozens; a pair that needs more does not connect at all.
    private const int MaxSteps = 1_000;

    private static readonly byte[] RoomKey = new byte[RoomKeys.KeyLength];

    private readonly byte[] _buffer = new byte[Connection.MaxPacketSize];
    private readonly P256KeyPair[] _identities;
    private readonly NodeCore[] _nodes;
    private readonly Endpoint[] _addresses = [Endpoint.Parse("198.51.100.1:40000"), Endpoint.Parse("203.0.113.1:40000")];
    private readonly int[] _rooms;
    private readonly bool[] _areConnected = new bool[2];

    public NodePair(ulong seed)
    {
        var random = new SeededRandom(seed);
        var keys = new RoomKeys(RoomKey);
        _identities = [P256KeyPair.Generate(random), P256KeyPair.Generate(random)];
        _nodes = [.. _identities.Select(identity => new NodeCore(identity, new SeededRandom(random.NextUInt64())))];
        _rooms = [.. _nodes.Select(node => node.OpenRoom(keys, "peer"))];
        Now = Timestamp.FromMilliseconds(1_000);
        for (var i = 0; i < _nodes.Length; i++) _nodes[i].SetHostAddresses([new HostAddress(_addresses[i], 32)], Now);
        Connect(keys, new CoordinationServer(random));
    }

    public Timestamp Now { get; private set; }

    /// <summary>Datagrams that went from one node to the other.</summary>
    public long Packets { get; private set; }

    /// <summary>Time jumps to the next deadline; what is due there goes out, and so do the answers.</summary>
    public void Step()
    {
        Now = Timestamp.Max(Now, Timestamp.Min(_nodes[0].NextTimeout, _nodes[1].NextTimeout));
        foreach (var node in _nodes) node.HandleTimeout(Now);
        Flush();
    }

    public void Dispose()
    {
        foreach (var node in _nodes) node.Dispose();
        foreach (var identity in _identities) identity.Dispose();
    }

    private void Connect(RoomKeys keys, CoordinationServer server)
    {
        for (var i = 0; i < _nodes.Length; i++)
        {
            server.HandleConnected(i, _addresses[i], SimulatedServer.Host, keys.Tag, [], Now);
            _nodes[i].HandleServerConnected(_rooms[i], SimulatedServer.Host, [], isLoopback: false, Now);
        }
        for (var steps = 0; !Array.TrueForAll(_areConnected, isConnected => isConnected); steps++)
        {
            if (steps == MaxSteps) throw new InvalidOperationException("The nodes do not connect.");
            Relay(server);
            Step();
        }
        for (var i = 0; i < _nodes.Length; i++) _nodes[i].HandleServerDisconnected(_rooms[i], Now);
    }

    private void Relay(CoordinationServer server)
    {
        for (var i = 0; i < _nodes.Length; i++)
        {
            while (_nodes[i].TryDequeueServerMessage(out _, out var utf8)) server.HandleMessage(i, utf8.Span, Now);
        }
        while (server.TryDequeueSend(out var connection, out var utf8)) _nodes[connection].HandleServerMessage(_rooms[connection], utf8.Span, Now);
    }

    private void Flush()
    {
        for (var sent = true; sent;)
        {
            sent = false;
            for (var i = 0; i < _nodes.Length; i++)
            {
                while (_nodes[i].TryDequeueTransmit(Now, _buffer, out var transmit))
                {
                    sent = true;
                    Packets++;
                    _nodes[1 - i].HandleDatagram(_addresses[i], _buffer.AsSpan(0, transmit.Length), Now);
                }
                while (_nodes[i].TryDequeueEvent(_rooms[i], Now, out var nodeEvent)) _areConnected[i] |= nodeEvent is NodeEvent.Connected;
            }
        }
    }
}
