using System.Collections.Immutable;

namespace Punchline.Cli.Session;

/// <summary>All of a session, and the number of the last event that is in it: whoever reads on after that misses nothing.</summary>
/// <param name="LastEvent">0: nothing has happened.</param>
/// <param name="Rooms">In the order in which they were opened.</param>
/// <param name="Inbox">Null: no calls are waited for.</param>
internal sealed record SessionSnapshot(long LastEvent, ImmutableArray<RoomSnapshot> Rooms, InboxSnapshot? Inbox);

/// <summary>A change to a session.</summary>
/// <param name="Number">From 1, without gaps.</param>
/// <param name="Room">The room's number; 0: it is about none.</param>
/// <param name="Change">What is new.</param>
internal sealed record SessionEvent(long Number, int Room, SessionChange Change);

/// <summary>What changed. Each kind carries what it changed whole, so a view puts it in the old one's place and needs no rules of its own.</summary>
internal abstract record SessionChange
{
    private SessionChange()
    {
    }

    /// <summary>There is one room more.</summary>
    internal sealed record RoomOpened(RoomSnapshot Room) : SessionChange;

    /// <summary>The room is over, and stays to be read.</summary>
    internal sealed record RoomEnded : SessionChange;

    /// <summary>The room is gone.</summary>
    internal sealed record RoomClosed : SessionChange;

    /// <summary>Calls are waited for, or not any more, or one came or went.</summary>
    internal sealed record InboxChanged(InboxSnapshot? Inbox) : SessionChange;

    /// <summary>The server came or went. A reason is given where it was never reached.</summary>
    internal sealed record ServerChanged(ServerState State, string? Reason = null) : SessionChange;

    /// <summary>A member came, or something of it is different.</summary>
    internal sealed record MemberChanged(MemberSnapshot Member) : SessionChange;

    /// <summary>A member is gone.</summary>
    internal sealed record MemberGone(PeerId Peer, LeaveReason Reason) : SessionChange;

    /// <summary>
    /// Each of these members has one sample more (<see cref="QualityMeter.Append"/>). A room's come together, so that an hour of them does not push out what was said.
    /// </summary>
    internal sealed record QualityMeasured(ImmutableArray<MemberQuality> Members) : SessionChange;

    /// <summary>What was said in earlier sessions was read.</summary>
    internal sealed record EarlierRead(ImmutableArray<LogEntry> Entries) : SessionChange;

    /// <summary>The log's last notice waits for an answer.</summary>
    internal sealed record QuestionAsked : SessionChange;

    /// <summary>An entry was added to the log, or its delivery went on.</summary>
    internal sealed record LogChanged(LogEntry Entry) : SessionChange;
}
