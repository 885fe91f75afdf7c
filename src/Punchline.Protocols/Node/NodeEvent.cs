using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>What a <see cref="NodeCore"/> tells its owner, each about one of its rooms, calls or inboxes.</summary>
internal abstract record NodeEvent(int Room)
{
    /// <summary>The server has us as a member; its welcome named the others already.</summary>
    internal sealed record ServerJoined(int Room) : NodeEvent(Room);

    /// <summary>The server is away. Established connections do not notice.</summary>
    internal sealed record ServerLost(int Room) : NodeEvent(Room);

    /// <summary>This peer joined from another process, which took our place at the server.</summary>
    internal sealed record ServerReplaced(int Room) : NodeEvent(Room);

    /// <summary>The server refused, with its code and its words.</summary>
    internal sealed record ServerRefused(int Room, string Code, string Message) : NodeEvent(Room);

    /// <summary>Nodes of the DHT answered to a search under the room's topic.</summary>
    internal sealed record DhtAsked(int Room, DhtView View) : NodeEvent(Room);

    /// <summary>No node of the DHT has answered for <see cref="TopicSearch.MaxBootstrapTime"/>. Asking goes on.</summary>
    internal sealed record DhtSilent(int Room) : NodeEvent(Room);

    /// <summary>Our call rings at the peer.</summary>
    internal sealed record CallRings(int Room) : NodeEvent(Room);

    /// <summary>The peer takes our call: the room of the two begins.</summary>
    internal sealed record CallTaken(int Room) : NodeEvent(Room);

    /// <summary>Our call was not taken. The end of it.</summary>
    internal sealed record CallEnded(int Room, PeerId Peer, CallEnding Ending) : NodeEvent(Room);

    /// <summary>Somebody calls at our inbox.</summary>
    /// <param name="Room">The inbox.</param>
    /// <param name="Call">The number to answer it by.</param>
    /// <param name="Peer">Who, proven by what only that peer can seal.</param>
    /// <param name="Name">What it calls itself.</param>
    internal sealed record CallRang(int Room, int Call, PeerId Peer, string Name) : NodeEvent(Room);

    /// <summary>A call that rang at our inbox rings no more, and cannot be answered.</summary>
    internal sealed record CallWithdrawn(int Room, int Call) : NodeEvent(Room);

    /// <summary>A member is known. Connecting to it has begun.</summary>
    internal sealed record MemberJoined(int Room, PeerId Peer, string Name) : NodeEvent(Room);

    /// <summary>More addresses of a member are probed, beside those before: each once an attempt, the best first.</summary>
    internal sealed record Probing(int Room, PeerId Peer, Carrier Carrier, IReadOnlyList<Trial> Trials) : NodeEvent(Room);

    /// <summary>Neither the server nor a direct path has the member any more.</summary>
    internal sealed record MemberLeft(int Room, PeerId Peer, DepartureReason Reason) : NodeEvent(Room);

    /// <summary>The handshake with a member is complete.</summary>
    /// <param name="Room">The room.</param>
    /// <param name="Peer">Who, proven by the handshake.</param>
    /// <param name="Name">What it calls itself.</param>
    /// <param name="Path">Where it is, and by which socket.</param>
    /// <param name="Elapsed">From learning of the peer to the handshake's end.</param>
    /// <param name="RoundTrip">As the handshake saw it: an upper bound, at most a second too long.</param>
    internal sealed record Connected(int Room, PeerId Peer, string Name, PathAddress Path, TimeSpan Elapsed, TimeSpan RoundTrip) : NodeEvent(Room)
    {
        /// <summary>By a port that a router maps, the peer's or ours, as far as one side can tell.</summary>
        public bool IsMapped { get; init; }
    }

    /// <summary>The member's packets come from, and go to, another address now.</summary>
    internal sealed record PathChanged(int Room, PeerId Peer, PathAddress Path, TimeSpan RoundTrip) : NodeEvent(Room)
    {
        /// <inheritdoc cref="Connected.IsMapped"/>
        public bool IsMapped { get; init; }
    }

    /// <summary>The connection ended; the member may still be there, and then it is tried again.</summary>
    internal sealed record Disconnected(int Room, PeerId Peer, string Reason) : NodeEvent(Room);

    /// <summary>The usual way did not do, and another one is tried.</summary>
    internal sealed record Trying(int Room, PeerId Peer, PunchProgress Progress) : NodeEvent(Room);

    /// <summary>No way was found. A packet of the peer's, or news of it, starts another attempt, and so does time, where it may help.</summary>
    internal sealed record Failed(int Room, PeerId Peer, PunchFailure Failure) : NodeEvent(Room);

    /// <summary>A message of a member, each once and in the member's order.</summary>
    internal sealed record MessageReceived(int Room, PeerId Peer, string Name, ulong Sequence, string Text) : NodeEvent(Room);

    /// <summary>A member has our message.</summary>
    internal sealed record MessageDelivered(int Room, PeerId Peer, ulong Sequence) : NodeEvent(Room);
}

/// <summary>Why a call was not taken.</summary>
internal enum CallEnding
{
    /// <summary>The peer is not at the server.</summary>
    Offline,

    /// <summary>It takes no call just now.</summary>
    Busy,

    /// <summary>It does not want this one.</summary>
    Refused,

    /// <summary>Nobody answered for <see cref="OutgoingCall.RingTime"/>.</summary>
    NoAnswer,
}

/// <summary>Why a member is gone.</summary>
internal enum DepartureReason
{
    /// <summary>It said goodbye.</summary>
    Left,

    /// <summary>No sign of life.</summary>
    Timeout,
}
