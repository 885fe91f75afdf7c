using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;
using Punchline.Simulation.Tcp;

namespace Punchline.Simulation.Peers;

// The TCP port, as the engine has it.
internal sealed partial class SimulatedPeer
{
    private readonly Dictionary<SocketId, (TcpSocket Socket, List<byte> Waiting)> _connections = [];
    private ushort _tcpPort;

    /// <summary>Connections that its driver has.</summary>
    public int TcpConnections => _connections.Count;

    private void OpenTcp(ushort port)
    {
        _tcpPort = port;
        _node.SetTcpPort(port);
        if (port != 0) _machine.Tcp.Listen(port, Accept);
    }

    private void Accept(TcpSocket socket)
    {
        if (_node.TryAcceptTcp(socket.Remote, _internet.Now, out var link)) Adopt(link, socket);
        else socket.Abort();
    }

    private void Adopt(SocketId link, TcpSocket socket)
    {
        _connections.Add(link, (socket, []));
        socket.Connected = () => _node.HandleTcpConnected(link, _internet.Now);
        socket.Received = bytes => _node.HandleTcpBytes(link, bytes.Span, _internet.Now);
        socket.Writable = () => SendWaiting(link);
        socket.Closed = () =>
        {
            _connections.Remove(link);
            _node.HandleTcpClosed(link, _internet.Now);
        };
    }

    private void Execute(TcpCommand command)
    {
        if (command.Kind == TcpCommandKind.Connect && command.OpenerLead > TimeSpan.Zero) Open(command);
        else if (command.Kind == TcpCommandKind.Connect) Adopt(command.Link, _machine.Tcp.Connect(_tcpPort, command.Remote, command.TimeToLive));
        else if (_connections.Remove(command.Link, out var connection)) connection.Socket.Close();
    }

    private void Open(TcpCommand command)
    {
        var opener = _machine.Tcp.Connect(_tcpPort, command.Remote, PunchPlan.OpenerTimeToLive);
        opener.TimeToLive = command.TimeToLive;
        Adopt(command.Link, opener);
        var isRefused = false;
        var closed = opener.Closed;
        opener.Closed = () => isRefused = true;
        _internet.Schedule(_internet.Now + command.OpenerLead, () =>
        {
            if (!IsAlive || _connections.GetValueOrDefault(command.Link).Socket != opener) return;
            opener.Closed = closed;
            if (!isRefused && !opener.IsWaitingForSyn) return;
            opener.Close();
            _connections.Remove(command.Link);
            Adopt(command.Link, _machine.Tcp.Connect(_tcpPort, command.Remote, command.TimeToLive));
        });
    }

    private void SendOverTcp(SocketId link, ReadOnlySpan<byte> bytes)
    {
        if (!_connections.TryGetValue(link, out var connection)) return;
        connection.Waiting.AddRange(bytes);
        SendWaiting(link);
    }

    private void SendWaiting(SocketId link)
    {
        if (!_connections.TryGetValue(link, out var connection)) return;
        var taken = connection.Socket.Write(connection.Waiting.ToArray());
        connection.Waiting.RemoveRange(0, taken);
        _node.HandleTcpTaken(link, taken);
    }
}
