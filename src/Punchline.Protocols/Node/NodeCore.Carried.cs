using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

// What the driver carries for the node besides datagrams: connections to coordination servers, each of one room, call or inbox, and further sockets.
internal sealed partial class NodeCore
{
    public void HandleServerConnected(int room, string host, ReadOnlySpan<byte> certificateKeyHash, bool isLoopback, Timestamp now)
    {
        if (_serverEnds.TryGetValue(room, out var end)) end.Server.HandleConnected(host, certificateKeyHash, isLoopback, now);
    }

    public void HandleServerMessage(int room, ReadOnlySpan<byte> utf8, Timestamp now)
    {
        if (!_serverEnds.TryGetValue(room, out var end)) return;
        end.Server.HandleMessage(utf8, now);
        if (end is OutgoingCall { Room: { } taken }) _rooms.TryAdd(room, taken);
        foreach (var stun in end.Server.TakeStunServers()) QueryStun(stun, now);
    }

    public void HandleServerDisconnected(int room, Timestamp now)
    {
        if (_serverEnds.TryGetValue(room, out var end)) end.Server.HandleDisconnected(now);
    }

    /// <summary>A text message for a room's server.</summary>
    public bool TryDequeueServerMessage(out int room, out ReadOnlyMemory<byte> utf8)
    {
        foreach (var (number, end) in _serverEnds)
        {
            if (!end.Server.TryDequeueMessage(out utf8)) continue;
            room = number;
            return true;
        }
        room = 0;
        utf8 = default;
        return false;
    }

    /// <summary>A room whose connection to the server is to be closed, for nothing more is to be heard on it.</summary>
    public bool TryDequeueServerClose(out int room)
    {
        foreach (var (number, end) in _serverEnds)
        {
            if (!end.Server.TryTakeClose()) continue;
            room = number;
            return true;
        }
        room = 0;
        return false;
    }

    /// <summary>A socket that is to be opened or closed, in this order; behind the packets that were to leave before.</summary>
    public bool TryDequeueSocketCommand(out SocketCommand command) => _services.SideSockets.TryDequeueCommand(out command);

    /// <summary>A side socket is open now.</summary>
    /// <param name="socket">Which.</param>
    /// <param name="port">Its local port.</param>
    /// <param name="now">The time.</param>
    public void HandleSocketOpened(SocketId socket, ushort port, Timestamp now) => _services.SideSockets.HandleOpened(socket, port, now);

    /// <summary>A side socket could not be opened.</summary>
    public void HandleSocketFailed(SocketId socket, Timestamp now) => _services.SideSockets.HandleFailed(socket, now);
}
