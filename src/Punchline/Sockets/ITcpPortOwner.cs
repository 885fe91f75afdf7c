using Punchline.Protocols.Primitives;

namespace Punchline.Sockets;

/// <summary>Who a <see cref="TcpPort"/> works for. Called on the thread pool, without any lock.</summary>
internal interface ITcpPortOwner
{
    /// <summary>A connection came in. It is to be closed where nothing is made of it (false).</summary>
    bool TryAccept(TcpConnection connection, Endpoint remote);

    /// <summary>A connection that was asked for stands.</summary>
    void OnConnected(TcpConnection connection);

    /// <summary>There is something to receive. False: nothing more will be asked for.</summary>
    bool OnReadable(TcpConnection connection);

    /// <summary>What waited has been taken by the system.</summary>
    void OnTaken(TcpConnection connection, int bytes);

    /// <summary>It failed, broke, or was closed by the other side.</summary>
    void OnClosed(TcpConnection connection);
}
