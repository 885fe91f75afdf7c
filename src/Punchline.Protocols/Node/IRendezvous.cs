using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>
/// How the members of a <see cref="RoomSession"/> hear of each other: by the room at the server, or by a call through an inbox.
/// What it hears, it tells the session.
/// </summary>
internal interface IRendezvous
{
    /// <summary>The server has us, so its word on who is there counts.</summary>
    bool IsServed { get; }

    /// <summary>The server was reached on loopback, so peers on this machine are meant.</summary>
    bool IsLoopback { get; }

    /// <summary>It introduces a single peer, the other side of a call, who may be expected before it is introduced.</summary>
    bool IsOfTwo { get; }

    /// <summary>Our own candidates changed: the members are to hear of it.</summary>
    void Announce(Timestamp now);

    /// <summary>Says goodbye.</summary>
    void Leave(Timestamp now);
}
