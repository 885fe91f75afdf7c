using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Where a router gives every destination another port, the plain punch fails: its port is not the one that STUN servers saw. The side behind that
// router opens ports for the peer and offers them; the other side tries them, from its main socket or from an origin of its own (PeerSession.Origin.cs).
internal sealed partial class PeerSession
{
    /// <summary>A search's longest time, which its attempt lasts as well.</summary>
    public static readonly TimeSpan SearchDuration = TimeSpan.FromSeconds(30);

    /// <summary>Brackets of an attempt: the first may have met more of others' mappings than it can hold, or its news came too late.</summary>
    private const int MaxBrackets = 4;

    /// <summary>Ports of the peer's that a bracket's openers go to.</summary>
    private const int MaxAims = 3;

    /// <summary>Crossings of an attempt: three quarters of what may be spent.</summary>
    private const int MaxCrossings = 3;

    private static readonly TimeSpan BracketInterval = TimeSpan.FromSeconds(1);

    /// <summary>What came in between is over by then.</summary>
    private static readonly TimeSpan SpoiledBracketInterval = TimeSpan.FromMilliseconds(50);

    /// <summary>What TCP gets where UDP is without hope.</summary>
    private static readonly TimeSpan HopelessTcpTime = TimeSpan.FromSeconds(4);

    /// <summary>Until somebody else's search is over, or a pause.</summary>
    private static readonly TimeSpan SearchRetryInterval = TimeSpan.FromSeconds(1);

    // Behind what the last one may still become: STUN's answer, the offer by the server, and the handshake's way there and back.
    private TimeSpan AnotherBracket => BracketInterval + (4 * (_services.ServerRoundTrip ?? TimeSpan.Zero));

    private PortOpening? _opening;
    private PortScan? _scan;
    private SearchPlan _search;
    private Timestamp _searchAt = Timestamp.Never;
    private Timestamp _plannedAt;
    private Timestamp _nextScan = Timestamp.Never;
    private PortOffer _crossed;
    private int _brackets;
    private bool _isHopeless;
    private bool _isSearchCounted;

    private Timestamp SearchTimeout =>
        Timestamp.Min(Timestamp.Min(Timestamp.Min(Timestamp.Min(_searchAt, _nextScan), _opening?.NextTimeout ?? Timestamp.Never), TcpSearchTimeout), _originAt);

    // With each word of either side about its network.
    private void PlanSearch(Timestamp now)
    {
        if (_punch is not { } punch) return;
        PlanTcpSearch(punch, now);
        PlanOrigin(punch, now);
        var plan = SearchPlan.Create(_services.Profile, Introduction.Profile);
        // A gateway that maps a port, on either side, makes the plain punch do it, and so does IPv6 on both.
        if (plan.Kind == SearchKind.Hopeless && (HasMapping || PunchTargets.Rank(Situation, Carrier.Udp).Any(target => !target.Endpoint.IsIPv4))) plan = default;
        if (plan != _search)
        {
            (_search, _plannedAt) = (plan, now);
            _searchAt = plan.Kind == SearchKind.None ? Timestamp.Never : SearchStart(punch, now);
        }
        // How the other side maps TCP may come a little later than all else.
        else if (_isHopeless && plan.Kind == SearchKind.Hopeless && !MayTcpBeAWay)
        {
            _searchAt = now;
        }
        if (_searchAt != Timestamp.Never && _brackets == 0 && _opening is null) _searchAt = Timestamp.Min(_searchAt, SearchStart(punch, now));
        if (OffersToUs.FirstOrDefault(offer => offer.Ports > PunchPlan.MaxOfferedPorts) is not { Sockets: > 0 } offer || !IsSearchable(offer.First)) return;
        if (_opening is CrossingOpening crossing)
        {
            Cross(crossing, offer, now);
        }
        else if (_scan is null && !_services.Profile.IsSymmetric)
        {
            _scan = new PortScan(offer, _services.Random);
            _nextScan = now;
        }
    }

    private Timestamp SearchStart(PunchAttempt punch, Timestamp now)
    {
        var isRemembered = _search.Kind != SearchKind.Hopeless && IsRemembered(WayKind.Search);
        var start = isRemembered ? now : Timestamp.Max(now, punch.Start + _search.Delay);
        return _search.Kind == SearchKind.Birthday && PeersOrigin is null ? Timestamp.Max(start, _plannedAt + OriginTime) : start;
    }

    private bool MayTcpBeAWay => _services.Tcp.Port != 0 && Introduction.Candidates.Any(candidate => candidate.Carrier == Carrier.Tcp)
        && !TcpPunchPlan.IsHopeless(_services.Profile, Introduction.Profile);

    private bool HasMapping => _services.Mapped is not null || _services.MappedTcp is not null || Introduction.Candidates.Any(candidate => candidate.Kind == CandidateKind.Mapped);

    private IEnumerable<PortOffer> OffersToUs => Introduction.Offers.Where(offer => offer.Target == _services.Target && offer.Carrier == Carrier.Udp);

    // Never a weapon: thousands of packets go only to where the server, or a member connected to it, sees the peer, who asked for them in a blob under the room's key.
    private bool IsSearchable(Endpoint first) =>
        Introduction.SeenAt is { } seen && seen.Address == first.Address && !AddressScope.IsPrivate(first) && PunchPlan.IsUsable(first, _room.AllowLoopback);

    // Once with each offer: behind it the peer's ports are spent, as ours are.
    private void Cross(CrossingOpening crossing, PortOffer offer, Timestamp now)
    {
        if (offer == _crossed) return;
        if (crossing.SentAt is not null)
        {
            // The peer begins anew, so what we sent is spent.
            if (_searchAt != Timestamp.Never) _searchAt = now;
            return;
        }
        if (!crossing.IsKnown) return;
        _crossed = offer;
        crossing.Send(offer, Introduction.Profile.Step, now);
    }

    private void HandleSearchTimeout(Timestamp now)
    {
        if (_punch is not { } punch) return;
        HandleTcpSearchTimeout(punch, now);
        if (now >= _originAt) OpenOrigin();
        if (now >= _searchAt)
        {
            _searchAt = Timestamp.Never;
            BeginSearch(punch, now);
        }
        _opening?.HandleTimeout(now);
        // Known at once, so tried at once.
        if (_opening is BracketOpening { IsSpoiled: true } && _brackets is > 0 and < MaxBrackets) _searchAt = Timestamp.Min(_searchAt, now + SpoiledBracketInterval);
        if (_opening?.TakeOffer() is not { } offer) return;
        _room.TryOffer(offer, now);
        PlanSearch(now);
    }

    private void BeginSearch(PunchAttempt punch, Timestamp now)
    {
        // Where the peer's router expects us: of a symmetric one's candidates none would do.
        var peer = Introduction.Candidates.FirstOrDefault(candidate => candidate is { Kind: CandidateKind.ServerReflexive, Carrier: Carrier.Udp, Endpoint.IsIPv4: true }
            && PunchPlan.IsUsable(candidate.Endpoint, _room.AllowLoopback));
        switch (_search.Kind)
        {
            case SearchKind.Hopeless:
                _isHopeless = true;
                // Routers may treat TCP otherwise: that gets its first three SYNs, unless both sides know better.
                if (!MayTcpBeAWay)
                {
                    FailAttempt(punch, now);
                    break;
                }
                punch.EndBy(punch.Start + HopelessTcpTime);
                Tell(PunchProgress.OfTcp);
                break;
            case SearchKind.Bracket when peer.Kind != default && _room.IsTold(Peer) && _services.Reflectors.TryTake(out var reflector):
                CloseOpening();
                _opening = new BracketOpening(_services, PortOffer.TargetOf(Peer), BracketAims(), reflector, _search, _brackets);
                if (++_brackets < MaxBrackets) _searchAt = now + AnotherBracket;
                break;
            case SearchKind.Crossing when _room.IsTold(Peer) && _services.Reflectors.TryTake(out var reflector):
                if (TryBeginSearch(Introduction.SeenAt ?? default, now))
                {
                    CloseOpening();
                    _opening = new CrossingOpening(_services, PortOffer.TargetOf(Peer), reflector, doubles: _services.Id < Peer, _search, _brackets);
                    _brackets++;
                }
                if (_brackets < MaxCrossings) _searchAt = now + AnotherBracket;
                break;
            case SearchKind.Birthday when peer.Kind != default && _room.IsTold(Peer) && _services.ExternalIPv4 is { Port: > 0 } external:
                if (!TryBeginSearch(peer.Endpoint, now, Math.Min(_search.Sockets, SearchPlan.EnoughSockets)))
                {
                    AwaitTurn(now);
                    break;
                }
                punch.Prolong(now + SearchDuration);
                // Then what is left for the peer's address is for where it will turn up.
                punch.CancelIPv4(SocketId.Main, punch.Start + SearchPlan.BirthdayDelay);
                CloseOpening();
                Tell(PunchProgress.OfSearch(_search, _services.Profile));
                _opening = new BirthdayOpening(_services, PortOffer.TargetOf(Peer), AgreeOnOrigin(peer.Endpoint), external, _search, now);
                break;
            case SearchKind.Blocks when peer.Kind != default && IsSearchable(peer.Endpoint):
                if (!TryBeginSearch(peer.Endpoint, now))
                {
                    AwaitTurn(now);
                    break;
                }
                CloseOpening();
                var blocks = new BlockOpening(_services, peer.Endpoint, Introduction.Profile, _search, now);
                _opening = blocks;
                punch.EndBy(now + blocks.Duration + MaxMessage1Age);
                Tell(PunchProgress.OfSearch(_search, _services.Profile));
                break;
            default:
                // Something is not known yet, such as where the peer is: planned again with the next word about it.
                _search = default;
                break;
        }
    }

    // Where the peer's packets to our ports may come from: one port, as a rule. A router that takes packets to itself for its own may have moved it, and then the peer is seen at several
    // and has opened a fresh one. Each gets some of our sockets, for one would do.
    private Endpoint[] BracketAims()
    {
        var seen = Introduction.Candidates.Where(candidate => candidate is { Kind: CandidateKind.ServerReflexive, Carrier: Carrier.Udp }).Select(candidate => candidate.Endpoint);
        var opened = OffersToUs.Where(offer => offer.Ports == 1).Select(offer => offer.First).Reverse().Take(1);
        return [.. seen.Take(1).Concat(opened).Concat(seen).Where(aim => aim.IsIPv4 && PunchPlan.IsUsable(aim, _room.AllowLoopback)).Distinct().Take(MaxAims)];
    }

    // The next port of the peer's router, as often as the budget allows.
    private bool TryTakeScan(Timestamp now, out PathAddress path)
    {
        path = default;
        if (_opening is not null && _opening.TryTakeHandshake(now, out path))
        {
            _punch?.NoteScan(path, now);
            return true;
        }
        if (_scan is not { } scan || now < _nextScan || _punch is not { } punch) return false;
        var isRepeat = _services.Search.IsProbesExhausted && _services.Search.IsOwnedBy(this);
        if (isRepeat && !scan.HasRepeats)
        {
            _nextScan = Timestamp.Never;
            return false;
        }
        if (!isRepeat && !TryBeginSearch(scan.Offer.First, now))
        {
            _nextScan = now + SearchRetryInterval;
            return false;
        }
        if (isRepeat ? !_services.Search.TryTakeRepeat(now) : !_services.Search.TryTakeProbe(now))
        {
            _nextScan = Timestamp.Max(_services.Search.NextAllowed(now), now + TimeSpan.FromMilliseconds(1));
            return false;
        }
        if (!punch.IsScanning)
        {
            punch.Prolong(now + SearchDuration);
            Tell(PunchProgress.OfSearch(SearchPlan.Create(Introduction.Profile, _services.Profile), Introduction.Profile));
        }
        path = new PathAddress(ScanSocket, isRepeat ? scan.Repeat() : scan.Next());
        punch.NoteScan(path, now);
        return true;
    }

    // A message of the peer's came through a port that we opened: the one way there is. It is repeated, for what gets lost there nobody else repeats.
    private void HandleHit(PathAddress path, Timestamp now)
    {
        if (_opening is null || path.Local == SocketId.Main || path.Local.Carrier != Carrier.Udp) return;
        _punch?.Add(PunchPlan.CreateHit(path), now);
        // Ours is not closed for another while the peer's next message is on its way.
        if (_searchAt != Timestamp.Never) _searchAt = Timestamp.Max(_searchAt, now + AnotherBracket);
    }

    private void CloseOpening()
    {
        if (_opening is null) return;
        _room.Withdraw(Peer);
        if (_opening.Close(_connection is { IsDrained: false } connection ? connection.Path.Local : null) is { } socket) _fresh.Add(socket);
        _opening = null;
    }

    // Somebody else's search is under way, or the pause behind it.
    private void AwaitTurn(Timestamp now)
    {
        _searchAt = now + SearchRetryInterval;
        Tell(PunchProgress.OfTurn);
    }

    // Both sides say so of an attempt, for neither has opened or tried a port: the next is at the same time for both, and nothing has failed.
    private bool HasAwaitedTurn(PunchAttempt punch) => !punch.IsScanning && _opening is null && _room.IsTold(Peer)
        && (_search.Kind == SearchKind.Birthday || SearchPlan.Create(Introduction.Profile, _services.Profile).Kind == SearchKind.Birthday);

    // What another member has told may set off only so many.
    private bool TryBeginSearch(Endpoint where, Timestamp now, int mappings = 1)
    {
        if (!_services.Search.TryBegin(this, now, mappings)) return false;
        if (_isSearchCounted || Introduction.Introducer is not { } introducer) return true;
        _isSearchCounted = _services.Hearsay.TrySearch(introducer, where, now);
        if (!_isSearchCounted) _services.Search.End(this);
        return _isSearchCounted;
    }

    private void EndSearch()
    {
        EndTcpSearch();
        CloseOpening();
        EndOrigin();
        _services.Search.End(this);
        _isSearchCounted = false;
        _scan = null;
        _search = default;
        _searchAt = _nextScan = Timestamp.Never;
        _brackets = 0;
        _crossed = default;
    }
}
