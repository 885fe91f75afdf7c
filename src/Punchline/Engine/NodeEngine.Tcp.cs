using System.Net;
using System.Net.Sockets;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Sockets;

namespace Punchline.Engine;

// The TCP port's connections: what comes of them goes to the node by the same gate as all else.
internal sealed partial class NodeEngine : ITcpPortOwner
{
    // Read at once from a connection, before others have their turn: four of the largest reads.
    private const int MaxReads = 4;

    private readonly TcpPort? _tcp;
    private readonly Dictionary<SocketId, TcpConnection> _connections = [];
    private readonly byte[] _readBuffer = new byte[64 << 10];

    /// <summary>Where TCP connections come in and leave from; null where no port was to be had.</summary>
    public IPEndPoint? TcpEndPoint => _tcp?.LocalEndPoint;

    bool ITcpPortOwner.TryAccept(TcpConnection connection, Endpoint remote)
    {
        lock (_gate)
        {
            if (_isDisposed || !_node.TryAcceptTcp(remote, Now, out var link)) return false;
            connection.Id = link;
            _connections.Add(link, connection);
            Drain();
            return true;
        }
    }

    void ITcpPortOwner.OnConnected(TcpConnection connection)
    {
        lock (_gate)
        {
            if (_isDisposed || !IsKnown(connection)) return;
            _node.HandleTcpConnected(connection.Id, Now);
            Drain();
        }
    }

    bool ITcpPortOwner.OnReadable(TcpConnection connection)
    {
        lock (_gate)
        {
            for (var reads = 0; reads < MaxReads; reads++)
            {
                // What was read may have closed it.
                if (_isDisposed || !IsKnown(connection)) return false;
                var length = connection.Receive(_readBuffer);
                if (length < 0) break;
                if (length == 0)
                {
                    Forget(connection);
                    return false;
                }
                _node.HandleTcpBytes(connection.Id, _readBuffer.AsSpan(0, length), Now);
                Drain();
            }
            return IsKnown(connection);
        }
    }

    void ITcpPortOwner.OnTaken(TcpConnection connection, int bytes)
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _node.HandleTcpTaken(connection.Id, bytes);
            Drain();
        }
    }

    void ITcpPortOwner.OnClosed(TcpConnection connection)
    {
        lock (_gate)
        {
            if (_isDisposed || !IsKnown(connection)) connection.Close();
            else Forget(connection);
        }
    }

    // The port of UDP, where it is free and no other is wanted: one number to open in a firewall.
    private TcpPort? OpenTcp(IPEndPoint? wanted)
    {
        if (wanted is not null) return new TcpPort(wanted, Nat64, this);
        // Any that is free in one family may be taken in the other.
        foreach (var port in (ReadOnlySpan<int>)[LocalEndPoint.Port, 0, 0])
        {
            try
            {
                return new TcpPort(new IPEndPoint(LocalEndPoint.Address, port), Nat64, this);
            }
            catch (SocketException)
            {
                // Taken, or TCP is not to be had: UDP alone must do.
            }
        }
        return null;
    }

    private void CloseConnections()
    {
        foreach (var connection in _connections.Values) connection.Close();
        _connections.Clear();
    }

    private bool IsKnown(TcpConnection connection) => _connections.GetValueOrDefault(connection.Id) == connection;

    private void Forget(TcpConnection connection)
    {
        _connections.Remove(connection.Id);
        connection.Close();
        _node.HandleTcpClosed(connection.Id, Now);
        Drain();
    }

    private void Execute(in TcpCommand command)
    {
        switch (command.Kind)
        {
            case TcpCommandKind.Connect or TcpCommandKind.Hold:
                _connections.Add(command.Link, _tcp!.Connect(command));
                break;
            case TcpCommandKind.Close:
                if (_connections.Remove(command.Link, out var connection)) connection.Close();
                break;
            case TcpCommandKind.Abort:
                if (_connections.Remove(command.Link, out var lost)) lost.Abort();
                break;
        }
    }

    private void SendOverTcp(SocketId link, ReadOnlySpan<byte> bytes)
    {
        if (_connections.TryGetValue(link, out var connection)) _node.HandleTcpTaken(link, connection.Send(bytes, this));
    }
}
