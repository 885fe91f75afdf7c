using System.Collections.Immutable;
using Punchline.Cli.Chat;

namespace Punchline.Cli.Session;

/// <summary>
/// A person's rooms and calls, as data that knows no screen. Whoever shows them takes a snapshot and then the events after it;
/// one that was away, such as a page that was loaded anew, goes on after the last number that it saw. Thread-safe.
/// </summary>
/// <param name="time">The clock of entries and steps.</param>
internal sealed class SessionModel(TimeProvider time)
{
    /// <summary>Rooms and calls at a time.</summary>
    public const int MaxRooms = 64;

    /// <summary>How many events are kept for whoever was away.</summary>
    public const int MaxEvents = 4096;

    /// <summary>Of the kept events' messages together, in UTF-16 units: 32 MiB.</summary>
    public const int MaxEventCharacters = 16 << 20;

    private readonly Lock _gate = new();
    private readonly List<RoomModel> _rooms = [];
    private readonly Queue<SessionEvent> _events = new();
    private readonly KnownPeers? _known;
    private readonly HashSet<PeerId> _blocked = [];
    private Action<PeerId, bool>? _barrier;
    private TaskCompletionSource _news = NewSignal();
    private long _lastEvent;
    private long _eventCharacters;
    private int _lastRoom;
    private InboxSnapshot? _inbox;

    /// <summary>A room that is over stays until <see cref="Forget"/>: what was said in it, and why it ended, may not have been read.</summary>
    public bool KeepsEndedRooms { get; init; }

    /// <summary>Opens a room, which is told of through what it returns and ends with <see cref="IChatOutput.ShowEnded"/>.</summary>
    /// <param name="name">The room's.</param>
    /// <param name="self">This peer.</param>
    /// <param name="selfName">What this peer calls itself.</param>
    /// <param name="view">Is told the same, once the model has it.</param>
    /// <param name="hasServer">False: its members meet in the DHT, or on this network.</param>
    /// <exception cref="InvalidOperationException">There are <see cref="MaxRooms"/>.</exception>
    public RoomModel Open(string name, PeerId self, string selfName, IChatOutput view, bool hasServer = true)
    {
        lock (_gate)
        {
            if (_rooms.Count == MaxRooms) throw new InvalidOperationException($"A session has at most {MaxRooms} rooms.");
            var room = new RoomModel(this, ++_lastRoom, name, self, selfName, view) { HasServer = hasServer };
            _rooms.Add(room);
            Publish(room.Number, new SessionChange.RoomOpened(room.Snapshot()));
            return room;
        }
    }

    /// <summary>Where what this user says of peers is kept, and read from at first; null: for this session only.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It is somebody else's.</exception>
    public KnownPeers? Known
    {
        get => _known;
        init
        {
            _known = value;
            if (value is not null) _blocked = [.. value.ListBlocked()];
        }
    }

    /// <summary>This user compared a peer's id with the person behind it, and it matched.</summary>
    /// <returns>False: it was never met, so there is nothing to say of it.</returns>
    /// <exception cref="IOException">That cannot be kept, and so does not count.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    public bool Verify(PeerId peer)
    {
        if (_known is not null && !_known.SetVerified(peer, true)) return false;
        lock (_gate)
        {
            var isMember = false;
            foreach (var room in _rooms) isMember |= room.Mark(peer, member => member with { Trust = TrustMark.Verified });
            return isMember || _known is not null;
        }
    }

    /// <summary>Keeps a peer out of the node that the rooms are on, or lets it in again. Null: there is none. Whoever is blocked when it is set is kept out at once.</summary>
    public Action<PeerId, bool>? Barrier
    {
        get => _barrier;
        set
        {
            lock (_gate)
            {
                _barrier = value;
                foreach (var peer in _blocked) value?.Invoke(peer, true);
            }
        }
    }

    /// <summary>
    /// From now on there is no connection to a peer, in any room, nothing that it says is shown, and its calls are refused; or all that is again.
    /// </summary>
    /// <exception cref="InvalidOperationException"><see cref="KnownPeers.MaxBlocked"/> are blocked.</exception>
    /// <inheritdoc cref="Verify" path="/exception"/>
    public void Block(PeerId peer, bool isBlocked = true)
    {
        _known?.SetBlocked(peer, isBlocked);
        lock (_gate)
        {
            if (isBlocked && _blocked.Count >= KnownPeers.MaxBlocked && !_blocked.Contains(peer)) throw new InvalidOperationException($"At most {KnownPeers.MaxBlocked} peers can be blocked.");
            if (isBlocked ? !_blocked.Add(peer) : !_blocked.Remove(peer)) return;
            foreach (var room in _rooms) room.Mark(peer, member => member with { IsBlocked = isBlocked });
            _barrier?.Invoke(peer, isBlocked);
        }
    }

    public bool IsBlocked(PeerId peer)
    {
        lock (_gate) return _blocked.Contains(peer);
    }

    public SessionSnapshot Snapshot()
    {
        lock (_gate) return new SessionSnapshot(_lastEvent, [.. _rooms.Select(room => room.Snapshot())], _inbox);
    }

    /// <summary>What is now known of calls to this peer; null: none are waited for.</summary>
    public void ShowInbox(InboxSnapshot? inbox)
    {
        lock (_gate)
        {
            _inbox = inbox;
            Publish(0, new SessionChange.InboxChanged(inbox));
        }
    }

    /// <summary>A room that is over has been read.</summary>
    /// <returns>False: there is none of this number, or it goes on.</returns>
    public bool Forget(int room)
    {
        lock (_gate)
        {
            if (_rooms.Find(candidate => candidate.Number == room && candidate.IsOver) is not { } ended) return false;
            Remove(ended);
            return true;
        }
    }

    /// <summary>The events after a number, none where nothing has happened since.</summary>
    /// <returns>False: they are not kept any more, or the number is not this session's. A snapshot is to be taken.</returns>
    public bool TryReadAfter(long number, out ImmutableArray<SessionEvent> events)
    {
        lock (_gate)
        {
            events = [];
            if (number < _lastEvent - _events.Count || number > _lastEvent) return false;
            events = [.. _events.Skip((int)(number - (_lastEvent - _events.Count)))];
            return true;
        }
    }

    /// <summary>Ends when there is an event after a number.</summary>
    public Task WaitAfterAsync(long number, CancellationToken cancellationToken)
    {
        lock (_gate) return _lastEvent > number ? Task.CompletedTask : _news.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Changes a room: what <paramref name="change"/> publishes is one step for every reader.</summary>
    internal void Change(Action<DateTimeOffset> change)
    {
        lock (_gate) change(time.GetUtcNow());
    }

    /// <summary>Only within <see cref="Change"/>.</summary>
    internal void Publish(int room, SessionChange change)
    {
        var published = new SessionEvent(++_lastEvent, room, change);
        _events.Enqueue(published);
        _eventCharacters += CharactersOf(published);
        while (_events.Count > MaxEvents || _eventCharacters > MaxEventCharacters) _eventCharacters -= CharactersOf(_events.Dequeue());
        _news.SetResult();
        _news = NewSignal();
    }

    /// <summary>Only within <see cref="Change"/>.</summary>
    internal void Close(RoomModel room)
    {
        if (KeepsEndedRooms) Publish(room.Number, new SessionChange.RoomEnded());
        else Remove(room);
    }

    private void Remove(RoomModel room)
    {
        if (_rooms.Remove(room)) Publish(room.Number, new SessionChange.RoomClosed());
    }

    private static int CharactersOf(SessionEvent published) => published.Change is SessionChange.LogChanged changed ? changed.Entry.Text.Length : 0;

    // A reader goes on outside the lock.
    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
