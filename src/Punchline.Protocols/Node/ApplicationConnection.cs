using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Node;

/// <summary>
/// A connection as the application has it: streams of the protocols that it named, and datagrams, beside the stream of the
/// chat. What happens on it waits here until the owner has taken it. It is offered once, behind the room's word that the
/// peer is connected, and ends once, whatever ended the connection.
/// </summary>
/// <param name="services">The node's.</param>
/// <param name="session">Whose connection it is.</param>
/// <param name="connection">
/// Open to the owner for its commands on streams and datagrams, which do nothing once it has ended.
/// </param>
internal sealed class ApplicationConnection(NodeServices services, PeerSession session, Connection connection)
{
    // Bounded as the connection's own: by the streams.
    private readonly Queue<ConnectionEvent> _events = new();
    private bool _isOffered;
    private bool _isQueued;

    public Connection Connection => connection;

    public PeerId Peer => session.Peer;

    /// <summary>The number of the room that it belongs to.</summary>
    public int Room => session.Room.Number;

    /// <summary>Its path goes through a port that a router maps, the peer's or ours, as far as one side can tell.</summary>
    public bool IsMapped => session.IsMapped(connection.Path);

    /// <summary>Why it is over, for the application; null while it stands.</summary>
    public CloseReason? Ended { get; private set; }

    /// <summary>From now on the owner hears of it.</summary>
    public void Offer()
    {
        _isOffered = true;
        Queue();
    }

    /// <summary>Notes what the connection told, unless it is the chat's.</summary>
    public void Add(in ConnectionEvent connectionEvent)
    {
        if (Ended is not null) return;
        _events.Enqueue(connectionEvent);
        Queue();
    }

    /// <summary>The connection is over, or another with the same peer has taken its place. The first word counts.</summary>
    public void End(CloseReason reason)
    {
        if (Ended is not null) return;
        Ended = reason;
        Queue();
    }

    /// <summary>The next event, in their order; behind the last one <see cref="Ended"/> says whether any will follow.</summary>
    public bool TryDequeueEvent(out ConnectionEvent connectionEvent) => _events.TryDequeue(out connectionEvent);

    /// <summary>Ends the connection for all who share it, chat included.</summary>
    /// <param name="code">The application's own, below 2^62 − <see cref="CloseCodes.FirstOfApplication"/>.</param>
    /// <param name="reason">For people.</param>
    /// <param name="now">The time.</param>
    public void Close(ulong code, string reason, Timestamp now)
    {
        if (Ended is null) session.Close(connection, CloseCodes.FirstOfApplication + code, reason, now);
    }

    /// <summary>The owner takes what waits.</summary>
    public void OnDequeued() => _isQueued = false;

    private void Queue()
    {
        if (!_isOffered || _isQueued) return;
        _isQueued = true;
        services.ConnectionsWithNews.Enqueue(this);
    }
}
