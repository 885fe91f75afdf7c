using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>
/// A room's members find each other in the DHT: each announces itself under the topic of the hour and looks for the others there, for as long as the
/// room is open, since whoever comes later has to be found as well (PROTOCOL §2).
/// </summary>
internal sealed class RoomInDht : IRendezvous
{
    /// <summary>Between two searches at the start; doubles up to <see cref="MaxPollInterval"/>.</summary>
    public static readonly TimeSpan FirstPollInterval = TimeSpan.FromSeconds(1);

    public static readonly TimeSpan MaxPollInterval = TimeSpan.FromSeconds(60);

    /// <summary>What the first node may take to answer, before the owner hears that there is no DHT.</summary>
    public static readonly TimeSpan MaxBootstrapTime = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Searches under way with which another poll begins: a node that does not answer holds one up for seconds, and what the others know is worth asking again meanwhile.
    /// </summary>
    private const int MaxSearches = DhtNode.MaxSearches / 2;

    /// <summary>While no node is known.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // Clocks differ. Whoever is at another hour is looked for with every second search where the hour's border is near, and else with every fourth.
    private static readonly TimeSpan NearBorder = TimeSpan.FromMinutes(10);
    private const int PollsBetweenNeighbours = 4;

    private readonly NodeServices _services;
    private readonly RoomSession _room;
    private readonly DhtNode _dht;
    private readonly ushort _port;
    private readonly List<int> _searches = [];
    private readonly ulong[] _hints = new ulong[3];
    private long _hour = long.MinValue;
    private Timestamp _hourEnds = Timestamp.Zero;
    private Timestamp _nextPoll;
    private Timestamp _mustAnswerBy;
    private TimeSpan _interval = FirstPollInterval;
    private int _polls;
    private bool _hasAnswered;
    private bool _isOver;
    private Timestamp _now;

    /// <param name="services">The node's, whose wall clock is set.</param>
    /// <param name="dht">The node's way into the DHT.</param>
    /// <param name="room">Whose members are looked for.</param>
    /// <param name="self">What we say of ourselves in it.</param>
    /// <param name="port">The punching socket's, for nodes that don't take a packet's source.</param>
    /// <param name="now">The time.</param>
    public RoomInDht(NodeServices services, DhtNode dht, RoomSession room, OwnIntroduction self, ushort port, Timestamp now)
    {
        (_services, _dht, _room, _port) = (services, dht, room, port);
        Contacts = new TopicContacts(services, room, self);
        _nextPoll = now;
        _mustAnswerBy = now + MaxBootstrapTime;
    }

    public TopicContacts Contacts { get; }

    public bool IsServed => false;

    public bool IsLoopback => false;

    public bool IsOfTwo => false;

    public Timestamp NextTimeout
    {
        get
        {
            if (_isOver) return Timestamp.Never;
            var next = Timestamp.Min(Contacts.NextTimeout, _hourEnds);
            if (_searches.Count < MaxSearches) next = Timestamp.Min(next, _nextPoll);
            return _hasAnswered ? next : Timestamp.Min(next, _mustAnswerBy);
        }
    }

    public void HandleTimeout(Timestamp now)
    {
        _now = now;
        if (_isOver) return;
        if (now >= _hourEnds) BeginHour(now);
        if (now >= _nextPoll && _searches.Count < MaxSearches) Poll(now);
        if (!_hasAnswered && now >= _mustAnswerBy)
        {
            _mustAnswerBy = Timestamp.Never;
            _room.HandleDhtSilent();
        }
        Contacts.HandleTimeout(now);
    }

    /// <summary>What a search of ours found. False: it is another's.</summary>
    public bool HandleEvent(DhtEvent dhtEvent, Timestamp now)
    {
        switch (dhtEvent)
        {
            case DhtEvent.PeerFound found when _searches.Contains(found.Search):
                Contacts.Add(found.Peer, now);
                return true;
            case DhtEvent.SearchEnded ended when _searches.Remove(ended.Search):
                HandleEnded(ended.Outcome, now);
                return true;
            default:
                return false;
        }
    }

    public void Announce(Timestamp now) => Contacts.Announce(now);

    /// <summary>Our network has changed, or a member's path is silent: who is where now is looked for at once.</summary>
    public void Hurry(Timestamp now)
    {
        _interval = FirstPollInterval;
        _nextPoll = Timestamp.Min(_nextPoll, now + FirstPollInterval);
    }

    public void Leave(Timestamp now) => End();

    /// <summary>Looks no more, and answers nobody.</summary>
    public void End()
    {
        _isOver = true;
        foreach (var search in _searches) _dht.Cancel(search, _now);
        _searches.Clear();
        foreach (var hint in _hints) _services.Routes.RemoveTopic(hint, Contacts);
    }

    private void HandleEnded(in DhtSearchOutcome outcome, Timestamp now)
    {
        if (outcome.Answered > 0)
        {
            _hasAnswered = true;
            _room.HandleDhtAsked(new DhtView(_dht.Statistics.UsableNodes, outcome.Peers, _dht.External is { IsMappingDependent: true }));
        }
        // No node is known yet, or none answers: a poll that asked nobody counts for nothing.
        else if (!_hasAnswered)
        {
            _interval = FirstPollInterval;
            _nextPoll = now + RetryInterval;
        }
    }

    private void Poll(Timestamp now)
    {
        _nextPoll = now + _interval;
        // At 0, 1, 2, 4, 8 … seconds, and then every minute: two who come at once do not find each other by the first.
        if (_polls++ > 0) _interval = _interval * 2 < MaxPollInterval ? _interval * 2 : MaxPollInterval;
        var intoHour = Hour - (_hourEnds - now);
        Start(_dht.Announce(_room.Keys.DeriveTopic(_hour), _port, now));
        if (intoHour >= Hour - NearBorder)
        {
            if (_polls % 2 == 0) Start(_dht.Announce(_room.Keys.DeriveTopic(_hour + 1), _port, now));
        }
        else if (_polls % PollsBetweenNeighbours == 2)
        {
            Start(_dht.FindPeers(_room.Keys.DeriveTopic(_hour + 1), now));
        }
        if (_polls % (intoHour < NearBorder ? 2 : PollsBetweenNeighbours) == 1 && _polls > 1) Start(_dht.FindPeers(_room.Keys.DeriveTopic(_hour - 1), now));
    }

    private void Start(int? search)
    {
        if (search is { } number) _searches.Add(number);
    }

    private void BeginHour(Timestamp now)
    {
        var utc = _services.UtcAt(now);
        _hour = utc.Ticks / Hour.Ticks;
        _hourEnds = now + (Hour - TimeSpan.FromTicks(utc.Ticks % Hour.Ticks));
        foreach (var hint in _hints) _services.Routes.RemoveTopic(hint, Contacts);
        for (var i = 0; i < _hints.Length; i++) _services.Routes.AddTopic(_hints[i] = _room.Keys.DeriveContactHint(_hour - 1 + i), Contacts);
        Contacts.Hint = _hints[1];
        // Under the new topic we are to be found at once.
        _nextPoll = now;
    }
}

/// <summary>What a search under a room's topic came to, for whoever waits for the others.</summary>
/// <param name="Nodes">Nodes of the DHT that we know.</param>
/// <param name="Addresses">Addresses under the topic, our own among them perhaps.</param>
/// <param name="IsMappingDependent">The nodes see us at a port each: whoever is found there by address only cannot find us.</param>
internal readonly record struct DhtView(int Nodes, int Addresses, bool IsMappingDependent);
