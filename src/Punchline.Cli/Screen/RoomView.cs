using System.Collections.Immutable;
using System.Globalization;
using Punchline.Cli.Chat;
using Punchline.Cli.Session;

namespace Punchline.Cli.Screen;

/// <summary>A room as a screen shows it: made of a snapshot and the changes behind it, which come in one order, messages as well as what happens between them.</summary>
internal sealed class RoomView
{
    /// <summary>Without a key for as long, nobody is taken to look, whatever the terminal says of its focus.</summary>
    public static readonly TimeSpan AwayAfter = TimeSpan.FromMinutes(5);

    /// <summary>Of what was said in earlier sessions, the last so many are shown.</summary>
    public const int MaxEarlier = 200;

    private readonly RoomNarrator _narrator = new();
    private readonly Dictionary<PeerId, ImmutableArray<QualitySample>> _quality = [];
    private readonly List<MemberSnapshot> _members;
    private readonly TimeProvider _time;

    // The session's numbers of our messages, and the screen's.
    private readonly Dictionary<long, long> _sent = [];
    private long _lastEntry;
    private DateTimeOffset _lastKey;
    private DateTime _day;
    private bool _hasFocus = true;

    /// <param name="room">At the beginning.</param>
    /// <param name="time">The clock of what no change has a time of, and the reader's zone.</param>
    public RoomView(RoomSnapshot room, TimeProvider time)
    {
        _time = time;
        _lastKey = Now;
        _day = Now.Date;
        (Name, Self, SelfName, Server) = (room.Name, room.Self, room.SelfName, room.Server);
        _members = [.. room.Members];
        Add(ScreenEntryKind.Happening, Now, $"{room.Name}: you are {room.SelfName} ({PlainOutput.ShortId(room.Self)}…). /help lists the commands.");
        foreach (var (peer, samples) in room.Quality) _quality[peer] = samples;
        if (room.Earlier.Length > 0) AddEarlier(room.Earlier);
        foreach (var entry in room.Log) Put(entry);
    }

    public string Name { get; }

    public PeerId Self { get; }

    public string SelfName { get; }

    public ServerState? Server { get; private set; }

    public IReadOnlyList<MemberSnapshot> Members => _members;

    public ScreenLog Log { get; } = new();

    /// <summary>Messages that came while nobody looked, until somebody does.</summary>
    public int Unread { get; private set; }

    /// <summary>The room is over.</summary>
    public bool IsClosed { get; private set; }

    private DateTimeOffset Now => _time.GetLocalNow();

    /// <summary>How the connection to a member did, the oldest sample first.</summary>
    public ImmutableArray<QualitySample> QualityOf(PeerId peer) => _quality.GetValueOrDefault(peer, []);

    public void Apply(SessionChange change)
    {
        switch (change)
        {
            case SessionChange.RoomEnded or SessionChange.RoomClosed:
                IsClosed = true;
                break;
            case SessionChange.ServerChanged changed:
                Server = changed.State;
                Tell(new RoomEvent.ServerChanged(changed.State) { Reason = changed.Reason }, Now);
                break;
            case SessionChange.MemberChanged changed:
                Put(changed.Member);
                break;
            case SessionChange.MemberGone gone:
                _members.RemoveAll(member => member.Peer == gone.Peer);
                _quality.Remove(gone.Peer);
                Tell(new RoomEvent.Left(gone.Peer, gone.Reason), Now);
                break;
            case SessionChange.LogChanged changed:
                Put(changed.Entry);
                break;
            case SessionChange.EarlierRead earlier:
                AddEarlier(earlier.Entries);
                break;
            case SessionChange.QualityMeasured measured:
                foreach (var (peer, sample) in measured.Members) _quality[peer] = QualityMeter.Append(_quality.GetValueOrDefault(peer, []), sample);
                break;
        }
    }

    /// <summary>Whoever read too slowly to hear of all changes goes on from a snapshot: the log from where it was.</summary>
    public void CatchUp(RoomSnapshot room)
    {
        Server = room.Server;
        _members.Clear();
        _members.AddRange(room.Members);
        _quality.Clear();
        foreach (var (peer, samples) in room.Quality) _quality[peer] = samples;
        foreach (var entry in room.Log) Put(entry);
    }

    /// <summary>Somebody pressed a key, or turned to the terminal or away from it.</summary>
    public void Attend(bool looks)
    {
        _hasFocus = looks;
        if (!looks) return;
        _lastKey = Now;
        Unread = 0;
    }

    /// <summary>From here on, what is shown is this room's.</summary>
    public void Announce() => Add(ScreenEntryKind.Divider, Now, Name);

    /// <summary>An answer to the reader alone.</summary>
    public void Answer(string text) => Add(ScreenEntryKind.Notice, Now, text);

    /// <summary>In the reader's zone.</summary>
    public DateTimeOffset Local(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, _time.LocalTimeZone);

    private void Put(MemberSnapshot member)
    {
        var index = _members.FindIndex(one => one.Peer == member.Peer);
        var before = index < 0 ? null : _members[index];
        if (index < 0) _members.Add(member);
        else _members[index] = member;
        // A mark of trust alone is no step.
        if (member.Story is [.., var step] && !(before?.Story is [.., var last] && ReferenceEquals(step, last))) Tell(step.Event, Local(step.Time));
    }

    private void Put(LogEntry entry)
    {
        if (entry.Number <= _lastEntry)
        {
            // Told of again, because somebody has it now.
            if (entry is LogEntry.Sent again && _sent.TryGetValue(entry.Number, out var number) && !Log.TryUpdate(number, old => Deliver(old, again))) _sent.Remove(entry.Number);
            return;
        }
        _lastEntry = entry.Number;
        switch (entry)
        {
            case LogEntry.Received received:
                if ((!_hasFocus || Now - _lastKey > AwayAfter) && Unread++ == 0) Add(ScreenEntryKind.Divider, Local(entry.Time), "new");
                Add(ScreenEntryKind.Received, Local(entry.Time), received.Text, received.Name, received.Peer);
                break;
            case LogEntry.Sent sent:
                _sent[sent.Number] = Add(ScreenEntryKind.Sent, Local(entry.Time), sent.Text, SelfName, null, sent.Recipients.Count, sent.DeliveredTo.Count);
                // Of those that are gone from the log, and so of no use, no more than are in it.
                if (_sent.Count > 2 * RoomLog.MaxEntries) Forget();
                break;
            default:
                Add(ScreenEntryKind.Notice, Local(entry.Time), entry.Text);
                break;
        }
    }

    private void AddEarlier(ImmutableArray<LogEntry> entries)
    {
        DateTime? day = null;
        foreach (var entry in entries.Skip(entries.Length - MaxEarlier))
        {
            var time = Local(entry.Time);
            if (time.Date != day) AddDay(time);
            day = time.Date;
            // How far it came is not kept.
            var (author, peer) = entry is LogEntry.Received received ? (received.Name, (PeerId?)received.Peer) : (SelfName, null);
            Log.Add(new ScreenEntry(0, ScreenEntryKind.Received, time, entry.Text, author, peer));
        }
        Log.Add(new ScreenEntry(0, ScreenEntryKind.Divider, Now, "until here from earlier sessions"));
    }

    private void AddDay(DateTimeOffset time) =>
        Log.Add(new ScreenEntry(0, ScreenEntryKind.Divider, time, time.ToString("dddd, d MMMM yyyy", CultureInfo.InvariantCulture)));

    private static ScreenEntry Deliver(ScreenEntry entry, LogEntry.Sent sent) => entry with { Recipients = sent.Recipients.Count, Delivered = sent.DeliveredTo.Count };

    private void Forget()
    {
        foreach (var (session, screen) in _sent.ToArray())
        {
            if (screen < Log.First) _sent.Remove(session);
        }
    }

    private void Tell(RoomEvent roomEvent, DateTimeOffset time)
    {
        if (_narrator.Tell(roomEvent) is { } sentence) Add(ScreenEntryKind.Happening, time, sentence);
    }

    private long Add(ScreenEntryKind kind, DateTimeOffset time, string text, string author = "", PeerId? peer = null, int recipients = 0, int delivered = 0)
    {
        if (time.Date > _day)
        {
            _day = time.Date;
            AddDay(time);
        }
        return Log.Add(new ScreenEntry(0, kind, time, text, author, peer, recipients, delivered));
    }
}
