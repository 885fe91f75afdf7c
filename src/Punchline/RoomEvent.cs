namespace Punchline;

/// <summary>The coordination server, as a room sees it.</summary>
public enum ServerState
{
    /// <summary>This peer is a member at the server.</summary>
    Connected,

    /// <summary>The server is away; established connections go on without it.</summary>
    Lost,

    /// <summary>The same peer joined from another process, and this one does not come back.</summary>
    Replaced,
}

/// <summary>Why a member is gone.</summary>
public enum LeaveReason
{
    /// <summary>It said goodbye.</summary>
    Left,

    /// <summary>Neither the server nor a direct path heard of it for 15 seconds.</summary>
    Timeout,
}

/// <summary>Something that happened in a <see cref="Room"/>. Its kinds are the records nested here; later versions may add more.</summary>
public abstract record RoomEvent
{
    private RoomEvent()
    {
    }

    /// <summary>The server came or went.</summary>
    /// <param name="State">What it is now.</param>
    public sealed record ServerChanged(ServerState State) : RoomEvent
    {
        /// <summary>Why it could not be reached when the room was joined, which goes on with members on this machine's own networks: a sentence. Null for all else.</summary>
        public string? Reason { get; init; }
    }

    /// <summary>The DHT was searched for members; that goes on for as long as the room is open.</summary>
    /// <param name="KnownNodes">Nodes of the DHT that this peer knows.</param>
    /// <param name="FoundAddresses">Addresses under the room's topic, whosever they are.</param>
    /// <param name="IsPortPerDestination">This peer's router gives every destination another port: members that are found by their addresses alone may not reach it.</param>
    public sealed record DhtSearched(int KnownNodes, int FoundAddresses, bool IsPortPerDestination) : RoomEvent;

    /// <summary>A member is known, and connecting to it has begun.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Name">What it calls itself.</param>
    public sealed record Joined(PeerId Peer, string Name) : RoomEvent;

    /// <summary>A member is gone.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Reason">Why.</param>
    public sealed record Left(PeerId Peer, LeaveReason Reason) : RoomEvent;

    /// <summary>
    /// A member is probed at these addresses from now on, all at once and beside those that were told before. Each is told once an attempt: the way to a connection, or to <see cref="Failed"/>.
    /// </summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Transport">How.</param>
    /// <param name="Addresses">At least one, the best first.</param>
    public sealed record Probing(PeerId Peer, PathTransport Transport, IReadOnlyList<ProbedAddress> Addresses) : RoomEvent;

    /// <summary>There is an encrypted connection to a member, whose key it proved.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Name">What it calls itself.</param>
    /// <param name="Path">How it is reached.</param>
    /// <param name="Elapsed">From learning of the member to the handshake's end.</param>
    /// <param name="RoundTrip">As the handshake saw it, which is an upper bound.</param>
    public sealed record Connected(PeerId Peer, string Name, PeerPath Path, TimeSpan Elapsed, TimeSpan RoundTrip) : RoomEvent;

    /// <summary>A member is reached another way now.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Path">How it is reached.</param>
    /// <param name="RoundTrip">As measured lately.</param>
    public sealed record PathChanged(PeerId Peer, PeerPath Path, TimeSpan RoundTrip) : RoomEvent;

    /// <summary>The connection to a member ended. While the member is there, it is tried again.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Reason">Why, in a word or a sentence.</param>
    public sealed record Disconnected(PeerId Peer, string Reason) : RoomEvent;

    /// <summary>The usual way to a member did not do; another one is tried, and <see cref="Connected"/> or <see cref="Failed"/> follows. Told within a second of <see cref="Joined"/> where it is known by then.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Means">What is tried: <c>tcp</c>, since UDP cannot cross these two networks, or <c>search</c>, of a router's ports.</param>
    /// <param name="Detail">Why, and how long it takes.</param>
    /// <param name="Advice">What would help.</param>
    public sealed record Trying(PeerId Peer, string Means, string Detail, string Advice) : RoomEvent;

    /// <summary>No way to a member was found. What may pass by itself is tried again after a minute, 2, 4, 8 and every 16, and so is everything with news of either side; each attempt in vain is told.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Cause">A code of the list in PROTOCOL.md, such as <c>no-answer</c>.</param>
    /// <param name="Detail">What was tried, and what was seen.</param>
    /// <param name="Advice">What would help.</param>
    public sealed record Failed(PeerId Peer, string Cause, string Detail, string Advice) : RoomEvent;

    /// <summary>A message of a member: each once, and in the order in which the member sent them.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Name">What it calls itself.</param>
    /// <param name="Id">The member's number of the message, rising.</param>
    /// <param name="Text">At most 1 MiB in UTF-8, free of control characters but line feeds and tabs.</param>
    public sealed record Message(PeerId Peer, string Name, ulong Id, string Text) : RoomEvent;

    /// <summary>A member has a message of ours.</summary>
    /// <param name="Peer">Who.</param>
    /// <param name="Id">What <see cref="Room.SendAsync"/> gave.</param>
    public sealed record Delivered(PeerId Peer, ulong Id) : RoomEvent;
}
