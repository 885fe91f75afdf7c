using System.Collections.Immutable;
using System.Net;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;
using Punchline.Server.Tests.Coordination;

namespace Punchline.Cli.Tests.Session;

public sealed class SessionModelTests : IDisposable
{
    private static readonly PeerId Ann = new([1, .. new byte[31]]);
    private static readonly PeerId Bob = new([2, .. new byte[31]]);
    private static readonly PeerId Eve = new([3, .. new byte[31]]);
    private static readonly PeerPath Direct = new(PathKind.Direct, PathTransport.Udp, IPEndPoint.Parse("192.168.1.10:5000"), IPEndPoint.Parse("203.0.113.1:6000"));
    private static readonly TimeSpan RoundTrip = TimeSpan.FromMilliseconds(20);

    private readonly SessionModel _session = new(new ManualTime());
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _error = new() { NewLine = "\n" };
    private readonly RoomModel _room;

    public SessionModelTests() => _room = _session.Open("lounge", Ann, "ann", new PlainOutput(_output, _error));

    private RoomSnapshot Room => Assert.Single(_session.Snapshot().Rooms);

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void A_member_is_what_was_last_heard_of_it_and_how_that_came()
    {
        _room.Show(new RoomEvent.Joined(Bob, "bob"));
        Assert.Equal((MemberState.Connecting, TrustMark.Unknown, null), Facts(Assert.Single(Room.Members)));
        RoomEvent[] story =
        [
            new RoomEvent.Failed(Bob, "no-answer", "Nothing came.", "Try another network."),
            new RoomEvent.Trying(Bob, "search", "Ports are searched.", "Use IPv6."),
            new RoomEvent.Connected(Bob, "bob", Direct, RoundTrip, RoundTrip),
            new RoomEvent.PathChanged(Bob, Direct with { Kind = PathKind.Lan }, RoundTrip),
        ];
        _room.Show(story[0]);
        Assert.Equal((MemberState.Unreachable, TrustMark.Unknown, null), Facts(Assert.Single(Room.Members)));
        _room.Show(story[1]);
        _room.Show(story[2]);
        _room.ShowTrust(Bob, TrustMark.Verified);
        Assert.Equal((MemberState.Connected, TrustMark.Verified, PathKind.Direct), Facts(Assert.Single(Room.Members)));
        _room.Show(story[3]);
        Assert.Equal((MemberState.Connected, TrustMark.Verified, PathKind.Lan), Facts(Assert.Single(Room.Members)));
        Assert.Equal([new RoomEvent.Joined(Bob, "bob"), .. story], Assert.Single(Room.Members).Story.Select(step => step.Event));
        _room.Show(new RoomEvent.Disconnected(Bob, "idle"));
        Assert.Equal((MemberState.Connecting, TrustMark.Verified, null), Facts(Assert.Single(Room.Members)));
        _room.Show(new RoomEvent.Left(Bob, LeaveReason.Timeout));
        Assert.Empty(Room.Members);
    }

    [Fact]
    public void A_room_that_is_over_can_stay_until_it_was_read()
    {
        var session = new SessionModel(new ManualTime()) { KeepsEndedRooms = true };
        var room = session.Open("lounge", Ann, "ann", new PlainOutput(_output, _error));
        Assert.False(session.Forget(room.Number));
        room.ShowEnded();
        room.ShowEnded();
        Assert.True(Assert.Single(session.Snapshot().Rooms).IsOver);
        Assert.True(session.Forget(room.Number));
        Assert.False(session.Forget(room.Number));
        Assert.Empty(session.Snapshot().Rooms);
        Assert.True(session.TryReadAfter(1, out var events));
        Assert.Equal([typeof(SessionChange.RoomEnded), typeof(SessionChange.RoomClosed)], events.Select(happened => happened.Change.GetType()));
    }

    [Fact]
    public void Calls_to_this_peer_are_part_of_the_session()
    {
        var inbox = new InboxSnapshot("ann", "server.test", ServerState.Connected, [new RingingCall(1, default, Bob, "bob", "You have not met it.")]);
        _session.ShowInbox(inbox);
        Assert.Equal(inbox, _session.Snapshot().Inbox);
        Assert.True(_session.TryReadAfter(1, out var events));
        Assert.Equal([new SessionEvent(2, 0, new SessionChange.InboxChanged(inbox))], events);
    }

    [Fact]
    public void A_story_keeps_its_latest_steps()
    {
        _room.Show(new RoomEvent.Joined(Bob, "bob"));
        for (var time = 0; time < 2 * MemberSnapshot.MaxSteps; time++) _room.Show(new RoomEvent.Failed(Bob, $"{time}", "", ""));
        var story = Assert.Single(Room.Members).Story;
        Assert.Equal(MemberSnapshot.MaxSteps, story.Length);
        Assert.Equal($"{(2 * MemberSnapshot.MaxSteps) - 1}", Assert.IsType<RoomEvent.Failed>(story[^1].Event).Cause);
    }

    [Fact]
    public void A_message_is_delivered_to_some_of_those_who_were_there()
    {
        _room.Show(new RoomEvent.Joined(Bob, "bob"));
        _room.Show(new RoomEvent.Joined(Eve, "eve"));
        _room.ShowSent(7, "hello");
        Assert.Equal((2, 0), Delivery());
        _room.Show(new RoomEvent.Delivered(Eve, 7));
        _room.Show(new RoomEvent.Delivered(Eve, 7));
        Assert.Equal((2, 1), Delivery());
        _room.Show(new RoomEvent.Left(Bob, LeaveReason.Left));
        Assert.Equal((2, 1), Delivery());
    }

    // Events and lines have a task each.
    [Fact]
    public void A_delivery_may_be_told_before_the_sending()
    {
        _room.Show(new RoomEvent.Joined(Bob, "bob"));
        _room.Show(new RoomEvent.Delivered(Bob, 1));
        _room.ShowSent(1, "hello");
        Assert.Equal((1, 1), Delivery());
    }

    [Fact]
    public void Peers_text_is_text()
    {
        _room.Show(new RoomEvent.Joined(Bob, "b\e[2Job"));
        _room.Show(new RoomEvent.Message(Bob, "b\e[2Job", 1, "one\e]0;title\a\ntwo"));
        Assert.DoesNotContain('\e', Assert.Single(Room.Members).Name);
        var message = Assert.IsType<LogEntry.Received>(Assert.Single(Room.Log));
        Assert.DoesNotContain(message.Text + message.Name, character => char.IsControl(character) && character != '\n');
        Assert.EndsWith("\ntwo", message.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_log_forgets_the_oldest_by_number_and_by_size()
    {
        for (var time = 0; time <= RoomLog.MaxEntries; time++) _room.Notice("x");
        Assert.Equal((RoomLog.MaxEntries, 2), (Room.Log.Length, Room.Log[0].Number));

        var longest = new string('x', RoomLog.MaxCharacters / 2);
        _room.ShowSent(1, longest);
        _room.ShowSent(2, longest);
        Assert.Equal([1UL, 2UL], Room.Log.Cast<LogEntry.Sent>().Select(sent => sent.Id));
        _room.ShowSent(3, longest);
        Assert.Equal([2UL, 3UL], Room.Log.Cast<LogEntry.Sent>().Select(sent => sent.Id));
        // What is forgotten is not found by its delivery either.
        var last = _session.Snapshot().LastEvent;
        _room.Show(new RoomEvent.Delivered(Bob, 1));
        Assert.Equal(last, _session.Snapshot().LastEvent);
    }

    [Fact]
    public void A_snapshot_and_the_events_after_it_make_the_next_snapshot()
    {
        _room.Show(new RoomEvent.Joined(Bob, "bob"));
        _room.Notice("before");
        var before = _session.Snapshot();
        _room.Show(new RoomEvent.Joined(Eve, "eve"));
        _room.ShowSent(1, "hello");
        _room.Show(new RoomEvent.ServerChanged(ServerState.Lost));
        _room.Show(new RoomEvent.Delivered(Eve, 1));
        _room.Show(new RoomEvent.Left(Bob, LeaveReason.Left));

        Assert.True(_session.TryReadAfter(before.LastEvent, out var events));
        var after = _session.Snapshot();
        Assert.Equal(Enumerable.Range(1, 5).Select(step => before.LastEvent + step), events.Select(published => published.Number));
        Assert.Equal(after.LastEvent, events[^1].Number);
        var replayed = events.Aggregate(Assert.Single(before.Rooms), Replay);
        Assert.Equal(after.Rooms[0].Members, replayed.Members);
        Assert.Equal(after.Rooms[0].Log, replayed.Log);
        Assert.Equal(after.Rooms[0].Server, replayed.Server);
    }

    [Fact]
    public void Whoever_was_away_for_too_long_takes_a_snapshot()
    {
        var first = _session.Snapshot().LastEvent;
        for (var time = 0; time < SessionModel.MaxEvents; time++) _room.Notice("x");
        Assert.True(_session.TryReadAfter(first, out var all));
        Assert.Equal(SessionModel.MaxEvents, all.Length);
        _room.Notice("one too many");
        Assert.False(_session.TryReadAfter(first, out _));
        // Nor does a number from another session fit.
        Assert.False(_session.TryReadAfter(_session.Snapshot().LastEvent + 1, out _));
        Assert.True(_session.TryReadAfter(_session.Snapshot().LastEvent, out var none));
        Assert.Empty(none);
    }

    [Fact]
    public async Task Whoever_waits_hears_of_the_next_event()
    {
        var last = _session.Snapshot().LastEvent;
        var waiting = _session.WaitAfterAsync(last, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);
        _room.Notice("now");
        await waiting;
        Assert.True(_session.WaitAfterAsync(last, TestContext.Current.CancellationToken).IsCompletedSuccessfully);
    }

    [Fact]
    public void Rooms_are_apart_and_bounded()
    {
        var call = _session.Open("call", Ann, "ann", new PlainOutput(_output, _error));
        call.Notice("only here");
        Assert.Equal([0, 1], _session.Snapshot().Rooms.Select(room => room.Log.Length));
        call.ShowEnded();
        Assert.Equal("lounge", Room.Name);
        for (var count = 1; count < SessionModel.MaxRooms; count++) _session.Open("more", Ann, "ann", new PlainOutput(_output, _error));
        Assert.Throws<InvalidOperationException>(() => _session.Open("more", Ann, "ann", new PlainOutput(_output, _error)));
    }

    [Fact]
    public void The_view_is_told_all_the_same()
    {
        _room.Show(new RoomEvent.Message(Bob, "bob", 1, "hello"));
        _room.Notice("a word");
        Assert.Equal(("bob: hello\n", "* a word\n"), (_output.ToString(), _error.ToString()));
    }

    private (int Recipients, int Delivered) Delivery()
    {
        var sent = Assert.IsType<LogEntry.Sent>(Assert.Single(Room.Log));
        return (sent.Recipients.Count, sent.DeliveredTo.Count);
    }

    private static (MemberState State, TrustMark Trust, PathKind? Kind) Facts(MemberSnapshot member) => (member.State, member.Trust, member.Path?.Kind);

    // All that a view has to know.
    private static RoomSnapshot Replay(RoomSnapshot room, SessionEvent published) => published.Change switch
    {
        SessionChange.ServerChanged changed => room with { Server = changed.State },
        SessionChange.MemberChanged changed => room with { Members = Put(room.Members, changed.Member, member => member.Peer == changed.Member.Peer) },
        SessionChange.MemberGone gone => room with { Members = room.Members.RemoveAll(member => member.Peer == gone.Peer) },
        SessionChange.LogChanged changed => room with { Log = Put(room.Log, changed.Entry, entry => entry.Number == changed.Entry.Number) },
        _ => room,
    };

    private static ImmutableArray<T> Put<T>(ImmutableArray<T> all, T one, Func<T, bool> isIt)
    {
        var old = all.FirstOrDefault(isIt);
        return old is null ? all.Add(one) : all.Replace(old, one);
    }
}
