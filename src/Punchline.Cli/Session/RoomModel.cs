using System.Collections.Immutable;
using Punchline.Cli.Chat;
using Punchline.Protocols.Rooms;

namespace Punchline.Cli.Session;

/// <summary>
/// One room of a <see cref="SessionModel"/>. What a chat tells its output changes the model first, and is then told to the view.
/// Peers' text is cleaned here, so no view has to.
/// </summary>
internal sealed class RoomModel : IChatOutput
{
    private readonly SessionModel _session;
    private readonly string _name;
    private readonly PeerId _self;
    private readonly string _selfName;
    private readonly IChatOutput _view;
    private readonly List<MemberSnapshot> _members = [];
    private readonly RoomLog _log = new();
    private ServerState? _server;
    private RoomHistory? _history;
    private ImmutableArray<LogEntry> _earlier = [];
    private ImmutableDictionary<PeerId, ImmutableArray<QualitySample>> _quality = ImmutableDictionary<PeerId, ImmutableArray<QualitySample>>.Empty;

    internal RoomModel(SessionModel session, int number, string name, PeerId self, string selfName, IChatOutput view)
    {
        _session = session;
        Number = number;
        _name = name;
        _self = self;
        _selfName = selfName;
        _view = view;
    }

    /// <inheritdoc cref="RoomSnapshot.HasServer"/>
    internal bool HasServer { get; init; } = true;

    /// <summary>Names the room in its session.</summary>
    public int Number { get; }

    /// <summary>Only within <see cref="SessionModel.Change"/>.</summary>
    internal bool IsOver { get; private set; }

    // The room is open since before this.
    public void ShowReady(PeerId self, string name, string room) => _view.ShowReady(self, name, room);

    public void Show(RoomEvent roomEvent)
    {
        if (roomEvent is RoomEvent.Message message && _session.IsBlocked(message.Peer)) return;
        LogEntry? received = null;
        _session.Change(now => received = Apply(roomEvent, now));
        Write(received);
        _view.Show(roomEvent);
    }

    public void ShowSent(ulong id, string text)
    {
        LogEntry? sent = null;
        _session.Change(now => Publish(sent = _log.AddSent(now, PeerText.Clean(text, multiline: true), id, _members.Select(member => member.Peer))));
        Write(sent);
        _view.ShowSent(id, text);
    }

    /// <summary>Shows what was said here before, and keeps what is said from now on. Before anything is; once.</summary>
    /// <param name="history">Closed with the room; null: nothing is kept.</param>
    public void Keep(RoomHistory? history)
    {
        if (history is null) return;
        if (history.Problem is { } problem) Notice(problem);
        _session.Change(_ =>
        {
            _history = history;
            _earlier = history.Earlier;
            if (_earlier.Length > 0) _session.Publish(Number, new SessionChange.EarlierRead(_earlier));
        });
    }

    public void ShowTrust(PeerId peer, TrustMark trust)
    {
        _session.Change(_ => Update(peer, member => member with { Trust = trust }));
        _view.ShowTrust(peer, trust);
    }

    public void Notice(string text)
    {
        _session.Change(now => Publish(_log.Add(new LogEntry.Notice(_log.Next, now, PeerText.Clean(text, multiline: true)))));
        _view.Notice(text);
    }

    /// <summary>Something that waits for an answer.</summary>
    public void Ask(string text)
    {
        Notice(text);
        _session.Change(_ => _session.Publish(Number, new SessionChange.QuestionAsked()));
    }

    public void ShowQuality(ImmutableArray<MemberQuality> qualities)
    {
        // A connection may stand before this room was told of it, and for a moment after.
        ImmutableArray<MemberQuality> told = [];
        _session.Change(_ =>
        {
            told = qualities.RemoveAll(quality => !_members.Exists(member => member.Peer == quality.Peer && member.State == MemberState.Connected));
            foreach (var (peer, sample) in told) _quality = _quality.SetItem(peer, QualityMeter.Append(_quality.GetValueOrDefault(peer, []), sample));
            if (told.Length > 0) _session.Publish(Number, new SessionChange.QualityMeasured(told));
        });
        if (told.Length > 0) _view.ShowQuality(told);
    }

    public void AwaitLine() => _view.AwaitLine();

    public void ShowEnded()
    {
        _session.Change(_ =>
        {
            if (IsOver) return;
            IsOver = true;
            _session.Close(this);
        });
        _history?.Dispose();
        _view.ShowEnded();
    }

    internal RoomSnapshot Snapshot() => new(Number, _name, _self, _selfName, _server, [.. _members], _log.Snapshot(), IsOver) { HasServer = HasServer, Earlier = _earlier, Quality = _quality };

    /// <summary>Only within <see cref="SessionModel.Change"/>.</summary>
    /// <returns>False: the peer is not here.</returns>
    internal bool Mark(PeerId peer, Func<MemberSnapshot, MemberSnapshot> change)
    {
        if (!_members.Exists(member => member.Peer == peer)) return false;
        Update(peer, change);
        return true;
    }

    // What is to be kept of it.
    private LogEntry.Received? Apply(RoomEvent roomEvent, DateTimeOffset now)
    {
        switch (roomEvent)
        {
            case RoomEvent.ServerChanged changed:
                _server = changed.State;
                _session.Publish(Number, new SessionChange.ServerChanged(changed.State, changed.Reason));
                break;
            case RoomEvent.Joined joined:
                Meet(joined.Peer, joined.Name, member => After(member, roomEvent, now) with { State = MemberState.Connecting, Path = null, RoundTrip = null });
                break;
            case RoomEvent.Probing probing:
                Update(probing.Peer, member => After(member, roomEvent, now) with { State = MemberState.Connecting });
                break;
            case RoomEvent.Connected connected:
                Meet(connected.Peer, connected.Name, member => After(member, roomEvent, now) with { State = MemberState.Connected, Path = connected.Path, RoundTrip = connected.RoundTrip });
                break;
            case RoomEvent.PathChanged changed:
                Update(changed.Peer, member => After(member, roomEvent, now) with { Path = changed.Path, RoundTrip = changed.RoundTrip });
                break;
            case RoomEvent.Disconnected disconnected:
                Update(disconnected.Peer, member => After(member, roomEvent, now) with { State = MemberState.Connecting, Path = null, RoundTrip = null });
                break;
            case RoomEvent.Trying trying:
                Update(trying.Peer, member => After(member, roomEvent, now));
                break;
            case RoomEvent.Failed failed:
                Update(failed.Peer, member => After(member, roomEvent, now) with { State = MemberState.Unreachable, Path = null, RoundTrip = null });
                break;
            case RoomEvent.Left left:
                _quality = _quality.Remove(left.Peer);
                if (_members.RemoveAll(member => member.Peer == left.Peer) > 0) _session.Publish(Number, new SessionChange.MemberGone(left.Peer, left.Reason));
                break;
            case RoomEvent.Message message:
                var received = _log.Add(new LogEntry.Received(
                    _log.Next, now, PeerText.Clean(message.Text, multiline: true), message.Peer, PeerText.Clean(message.Name), message.Id));
                Publish(received);
                return received;
            case RoomEvent.Delivered delivered:
                if (_log.Deliver(delivered.Id, delivered.Peer) is { } sent) Publish(sent);
                break;
        }
        return null;
    }

    // Outside the session's gate: a disk may be slow.
    private void Write(LogEntry? entry)
    {
        if (entry is not null && _history?.TryAppend(entry) == false) Notice($"What is said here is kept no longer: {_history.Problem}");
    }

    private void Meet(PeerId peer, string name, Func<MemberSnapshot, MemberSnapshot> change)
    {
        if (!_members.Exists(member => member.Peer == peer))
            _members.Add(new MemberSnapshot(peer, "", TrustMark.Unknown, MemberState.Connecting, null, null, []) { IsBlocked = _session.IsBlocked(peer) });
        Update(peer, member => change(member with { Name = PeerText.Clean(name) }));
    }

    // Of a member who is gone there is nothing to change.
    private void Update(PeerId peer, Func<MemberSnapshot, MemberSnapshot> change)
    {
        var index = _members.FindIndex(member => member.Peer == peer);
        if (index < 0) return;
        _members[index] = change(_members[index]);
        _session.Publish(Number, new SessionChange.MemberChanged(_members[index]));
    }

    private static MemberSnapshot After(MemberSnapshot member, RoomEvent roomEvent, DateTimeOffset now)
    {
        var story = member.Story.Length < MemberSnapshot.MaxSteps ? member.Story : member.Story.RemoveAt(0);
        return member with { Story = story.Add(new ConnectionStep(now, roomEvent)) };
    }

    private void Publish(LogEntry entry) => _session.Publish(Number, new SessionChange.LogChanged(entry));
}
