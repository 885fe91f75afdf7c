using System.Collections.Immutable;

namespace Punchline.Cli.Session;

/// <summary>A room at a moment.</summary>
/// <param name="Number">Names the room in this session.</param>
/// <param name="Name">What its members call it.</param>
/// <param name="Self">This peer.</param>
/// <param name="SelfName">What this peer calls itself.</param>
/// <param name="Server">Null: it has not been reached yet.</param>
/// <param name="Members">The others, in the order in which they came.</param>
/// <param name="Log">Messages and notices, the oldest first.</param>
/// <param name="IsOver">It was left, or failed, and stays for whoever still reads in it.</param>
internal sealed record RoomSnapshot(
    int Number, string Name, PeerId Self, string SelfName, ServerState? Server, ImmutableArray<MemberSnapshot> Members, ImmutableArray<LogEntry> Log, bool IsOver)
{
    /// <summary>False: its members meet in the DHT, or on this network.</summary>
    public bool HasServer { get; init; } = true;

    /// <summary>What was said here in earlier sessions, the oldest first, by numbers up to 0; empty where nothing is kept, and before it was read.</summary>
    public ImmutableArray<LogEntry> Earlier { get; init; } = [];

    /// <summary>How the connections with the present members did within the last hour (<see cref="QualityMeter.Span"/>), the oldest sample first: none before the first.</summary>
    public ImmutableDictionary<PeerId, ImmutableArray<QualitySample>> Quality { get; init; } = ImmutableDictionary<PeerId, ImmutableArray<QualitySample>>.Empty;
}

/// <summary>How far the connection to a member is.</summary>
internal enum MemberState
{
    /// <summary>A way is looked for.</summary>
    Connecting,

    /// <summary>Messages pass.</summary>
    Connected,

    /// <summary>No way was found; it is tried again.</summary>
    Unreachable,
}

/// <summary>A member at a moment.</summary>
/// <param name="Peer">Who.</param>
/// <param name="Name">What it calls itself, free of control characters.</param>
/// <param name="Trust">What is known of its key.</param>
/// <param name="State">How far the connection is.</param>
/// <param name="Path">How it is reached; null: it is not.</param>
/// <param name="RoundTrip">When <paramref name="Path"/> was made or changed; null: it is not reached.</param>
/// <param name="Story">How the connection came to be what it is, the oldest first: at most <see cref="MaxSteps"/>.</param>
internal sealed record MemberSnapshot(
    PeerId Peer, string Name, TrustMark Trust, MemberState State, PeerPath? Path, TimeSpan? RoundTrip, ImmutableArray<ConnectionStep> Story)
{
    /// <summary>This user wants nothing of it: there is no connection.</summary>
    public bool IsBlocked { get; init; }

    /// <summary>A member who is tried in vain every 16 minutes fills these in a working day.</summary>
    public const int MaxSteps = 32;
}

/// <summary>A step of a connection's story.</summary>
/// <param name="Time">When it was told.</param>
/// <param name="Event">What happened.</param>
internal sealed record ConnectionStep(DateTimeOffset Time, RoomEvent Event);

/// <summary>An entry of a room's log. Its text is free of control characters but line feeds and tabs.</summary>
/// <param name="Number">Rises in a room; an entry whose delivery goes on keeps its own.</param>
/// <param name="Time">When it was sent or came.</param>
/// <param name="Text">As it is shown.</param>
internal abstract record LogEntry(long Number, DateTimeOffset Time, string Text)
{
    /// <summary>A member's message. The name is the one that it had then.</summary>
    internal sealed record Received(long Number, DateTimeOffset Time, string Text, PeerId Peer, string Name, ulong Id) : LogEntry(Number, Time, Text);

    /// <summary>A message of ours.</summary>
    /// <param name="Number">In the log.</param>
    /// <param name="Time">When it was sent.</param>
    /// <param name="Text">As it is shown.</param>
    /// <param name="Id">What <see cref="RoomEvent.Delivered"/> names it.</param>
    /// <param name="Recipients">Who was in the room then.</param>
    /// <param name="DeliveredTo">Which of them have it.</param>
    internal sealed record Sent(
        long Number, DateTimeOffset Time, string Text, ulong Id, ImmutableHashSet<PeerId> Recipients, ImmutableHashSet<PeerId> DeliveredTo) : LogEntry(Number, Time, Text);

    /// <summary>Something that this program tells its user.</summary>
    internal sealed record Notice(long Number, DateTimeOffset Time, string Text) : LogEntry(Number, Time, Text);
}
