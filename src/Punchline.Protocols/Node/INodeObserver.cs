using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>Sees what a node does with each peer, and changes nothing.</summary>
internal interface INodeObserver
{
    /// <summary>A way to a peer is looked for. Null: nobody wants to know.</summary>
    /// <param name="peer">To whom.</param>
    /// <param name="role">Whose message 1 counts: the initiator's.</param>
    /// <param name="now">The time.</param>
    IAttemptObserver? OnAttempt(PeerId peer, ConnectionRole role, Timestamp now);
}

/// <summary>Sees one attempt to reach a peer: from the introduction, or the loss of a connection, to the next connection or a failure.</summary>
internal interface IAttemptObserver
{
    /// <summary>An opener leaves, which is to make room in our own NAT.</summary>
    void OnOpener(Endpoint destination, byte timeToLive, int length, Timestamp now);

    /// <summary>A packet of the handshake leaves, or one that authenticated has come.</summary>
    /// <param name="type">Its first byte, by <see cref="Transport.Handshake.HandshakePacket"/>.</param>
    /// <param name="isSent">Ours, or else the peer's.</param>
    /// <param name="remote">Where it goes to, or comes from.</param>
    /// <param name="length">Bytes of UDP payload.</param>
    /// <param name="now">The time.</param>
    void OnHandshakePacket(byte type, bool isSent, Endpoint remote, int length, Timestamp now);

    /// <summary>The handshake is complete, and the attempt with it.</summary>
    /// <returns>Who sees the connection; null where nobody wants to.</returns>
    IConnectionObserver? OnConnected(Endpoint remote, ulong localConnectionId, ulong remoteConnectionId, Timestamp now);

    /// <summary>No way was found.</summary>
    void OnFailed(PunchFailure failure, Timestamp now);

    /// <summary>The attempt is not followed any more: the peer or the room is gone.</summary>
    void OnAbandoned();
}
