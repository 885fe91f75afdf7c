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
    private ushort _nextSidePort = 50_000;

    /// <summary>Connections that its driver has.</summary>
    public int TcpConnections => _connections.Count;

    private void OpenTcp(ushort port)
    {
        _tcpPort = port;
        if (port == 0) return;
        _node.SetTcpPort(port, hasIPv4: true, hasIPv6: true);
        _machine.Tcp.Listen(port, Accept);
    }

    private void Accept(TcpSocket socket)
    {
        var remote = _nat64 is not null && _nat64.TryExtract(socket.Remote, out var ipv4) ? ipv4 : socket.Remote;
        if (_node.TryAcceptTcp(remote, _internet.Now, out var link)) Adopt(link, socket);
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
        if (command.Kind is TcpCommandKind.Connect or TcpCommandKind.Hold)
        {
            var port = command.IsSide ? _nextSidePort++ : _tcpPort;
            if (command.OpenerLead > TimeSpan.Zero) Open(command, port);
            else Adopt(command.Link, Connect(command, port, command.TimeToLive));
        }
        else if (!_connections.Remove(command.Link, out var connection)) return;
        else if (command.Kind == TcpCommandKind.Abort) connection.Socket.Abort();
        else connection.Socket.Close();
    }

    private void Open(TcpCommand command, ushort port)
    {
        var opener = Connect(command, port, PunchPlan.OpenerTimeToLive);
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
            if (command.Kind == TcpCommandKind.Hold) Open(command, port);
            else Adopt(command.Link, Connect(command, port, command.TimeToLive));
        });
    }

    private TcpSocket Connect(TcpCommand command, ushort port, byte timeToLive) =>
        _machine.Tcp.Connect(port, _nat64 is not null && command.Remote.IsIPv4 ? _nat64.Embed(command.Remote) : command.Remote, timeToLive);

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
