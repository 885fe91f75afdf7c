using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Ways for a connection that stands: better ones, and others where its path has fallen silent. They are punched as at the beginning, by the same
// plan and within the same budgets, only that a PATH_CHALLENGE takes the place of message 1: the keys stand, so no handshake is needed.
internal sealed partial class PeerSession
{
    /// <summary>
    /// From when silence is noticed until the peer is introduced anew: PROTOCOL §7's 2 s of silence, of which it took half a second at
    /// least to notice it.
    /// </summary>
    private static readonly TimeSpan ReintroductionDelay = TimeSpan.FromSeconds(1.5);

    /// <summary>Then again and again: the peer may come back to the server later than we do.</summary>
    private static readonly TimeSpan ReintroductionInterval = TimeSpan.FromSeconds(5);

    /// <summary>How often STUN and the server are asked while a path is silent.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>Plans for a peer that names ever other candidates, at most one each.</summary>
    private static readonly TimeSpan PlanInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a way is looked for that is only better: the first five flights. Where a path works, nothing is urgent.</summary>
    private static readonly TimeSpan BetterWayTime = TimeSpan.FromMilliseconds(600);

    /// <summary>Probes that wait for their turn, at most.</summary>
    private const int MaxWaitingProbes = PunchAttempt.MaxTargets * (PunchPlan.Flights + PunchPlan.OpenerFlights);

    private PunchAttempt? _probing;
    private PunchTurn? _probingTurn;
    private Timestamp _probingTurnEnds = Timestamp.Never;
    private List<Probe> _waitingProbes = [];
    private HashSet<Endpoint> _knownCandidates = [];
    private bool _hasMoved;
    private bool _isReintroduced;
    private Timestamp _planAt = Timestamp.Never;
    private Timestamp _lastPlanAt;
    private Timestamp _nextLook = Timestamp.Never;
    private Timestamp _reintroduceAt = Timestamp.Never;
    private (Endpoint Remote, Endpoint Own, Timestamp At)? _lostIdle;
    private (PathAddress Path, Endpoint Seen)? _observedOn;

    private Timestamp PathsDeadline
    {
        get
        {
            if (_probingTurn is { IsDue: true }) return Timestamp.Zero;
            var next = Timestamp.Min(Timestamp.Min(_planAt, Timestamp.Min(_probingTurnEnds, _udpAgainAt)), Timestamp.Min(_nextLook, _reintroduceAt));
            return _probing is { } probing ? Timestamp.Min(next, Timestamp.Min(probing.NextTimeout, probing.Deadline)) : next;
        }
    }

    /// <summary>Tells the peer in-band where we may be reached.</summary>
    public void Announce(IntroductionBlob own)
    {
        if (IsConnected) _connection.Announce(own.Generation, own.Candidates);
    }

    /// <summary>The network has changed, or time has passed unseen: whether the path still works is found out.</summary>
    public void DoubtPath()
    {
        if (IsConnected) _connection.Ping();
    }

    // Where the connection began: is there a better way?
    private void BeginPaths(Timestamp now)
    {
        EndPaths();
        _observedOn = null;
        _connection!.TellObservedAddress();
        _knownCandidates = [.. Introduction.Candidates.Select(candidate => candidate.Endpoint)];
        LookForBetter(now);
    }

    private void EndPaths()
    {
        EndProbing();
        if (_punch is null && _fresh.Count > 0) CloseFresh();
        _planAt = _nextLook = _reintroduceAt = _udpAgainAt = _closeFormerAt = _renewalEnds = Timestamp.Never;
        _renewal = null;
    }

    private void EndProbing()
    {
        _probing = null;
        _waitingProbes = [];
        EndProbingTurn();
    }

    private void EndProbingTurn()
    {
        _probingTurn?.End();
        _probingTurn = null;
        _probingTurnEnds = Timestamp.Never;
    }

    private void HandlePathsTimeout(Timestamp now)
    {
        if (_probing is { } probing && now >= probing.Deadline) EndProbing();
        if (now >= _probingTurnEnds) EndProbingTurn();
        if (_probingTurn is { IsDue: true }) BeginProbingTurn(TakeWaiting(), now);
        if (_reintroduceAt != Timestamp.Never && _connection is not { IsSilent: true, IsClosed: false })
        {
            (_nextLook, _reintroduceAt) = (Timestamp.Never, Timestamp.Never);
            if (_punch is null) CloseFresh();
        }
        if (now >= _planAt) PlanForNews(now);
        if (now >= _udpAgainAt) LookForUdp(now);
        if (now >= _nextLook)
        {
            _nextLook = now + LookInterval;
            _services.IsLookWanted = true;
        }
        if (now >= _reintroduceAt)
        {
            _reintroduceAt = now + ReintroductionInterval;
            _room.Reintroduce(now);
            LookForAny(now);
            // Either side has another address, or it has been long: the ports may be spoiled. An outage alone spoils none.
            if (_fresh.Count == 0 && _hasMoved) BeginFresh(now);
            _hasMoved = true;
            // They were asked, and did not answer. In an outage nothing does, and TCP outlasts it by itself; to end it on our side alone would
            // leave the peer with a half that refuses every other.
            if (_isReintroduced) AbortLinks(now);
            if (_links.Count == 0) BeginTcp(now);
            _isReintroduced = true;
        }
    }

    private void HandlePathEvent(Connection connection, in ConnectionEvent connectionEvent, Timestamp now)
    {
        switch (connectionEvent.Kind)
        {
            case ConnectionEventKind.PathValidated:
                // An authenticated reply came from there.
                _services.ProbeBudget.Restore(connectionEvent.Path.Remote);
                ExplainLoss(connectionEvent.Path, now);
                MoveToRenewal(connectionEvent.Path, now);
                break;
            case ConnectionEventKind.PathSilent:
                _hasMoved = _isReintroduced = false;
                NoteLoss(connection, now);
                _nextLook = now;
                _reintroduceAt = now + ReintroductionDelay;
                LookForAny(now);
                if (_links.Count == 0) BeginTcp(now);
                break;
            case ConnectionEventKind.CandidatesReceived:
                var (generation, candidates) = connection.RemoteCandidates;
                if (generation > Introduction.Generation && generation <= uint.MaxValue)
                {
                    Introduction = Introduction with { Generation = (uint)generation, Candidates = candidates };
                    _planAt = Timestamp.Min(_planAt, _lastPlanAt + PlanInterval);
                }
                break;
            case ConnectionEventKind.AddressObserved:
                var observed = connection.ObservedAddress!.Value;
                _services.NoteObserved(Peer, observed);
                // By the same path from another port of our router's: it has forgotten the one before, and the peer has followed.
                if (_observedOn is { } before && before.Path == connection.Path && before.Seen.Address == observed.Address && before.Seen.Port != observed.Port) _services.KeeperOf(observed).HandleLoss(now);
                _observedOn = (connection.Path, observed);
                // Our router may have another address, of which nothing else tells before STUN's next turn.
                _services.IsLookWanted |= !_services.Reflexive.Contains(observed);
                break;
        }
    }

    // Something was asked behind a long silence, and not answered: its path may have died of that.
    private void NoteLoss(Connection connection, Timestamp now) =>
        _lostIdle = connection.UnansweredSince - connection.LastReceived >= MappingKeepAlive.Unmeasured && connection.Path.Local.Carrier == Carrier.Udp && !connection.IsNear
            ? (connection.Path.Remote, OwnReflexiveTowards(connection.Path.Remote), now)
            : null;

    // There is a way again, within the time in which the peer looks for one as well. Where neither has another address, a router has forgotten us.
    private void ExplainLoss(PathAddress found, Timestamp now)
    {
        if (_lostIdle is { } lost && found.Local.Carrier == Carrier.Udp && found.Remote.Address == lost.Remote.Address && OwnReflexiveTowards(found.Remote).Address == lost.Own.Address
            && now - lost.At < TransportParameters.Default.IdleTimeout) _services.KeeperOf(found.Remote).HandleLoss(now);
        _lostIdle = null;
    }

    private Endpoint OwnReflexiveTowards(Endpoint remote) => _services.Reflexive.FirstOrDefault(seen => seen.IsIPv4 == remote.IsIPv4);

    // The peer was introduced again, or says more of itself. Where it has nothing new to say, it may be looking for us: the path is asked.
    private void HandleNews(Timestamp now)
    {
        // It looks for us from where it was, on a path on which we have said nothing: it may be our router that has forgotten it.
        if (_connection is { IsSilent: false, IsNear: false, Path.Local.Carrier: Carrier.Udp } idle && now - idle.LastReceived >= MappingKeepAlive.Unmeasured
            && _knownCandidates.SetEquals(Introduction.Candidates.Select(candidate => candidate.Endpoint))) _services.KeeperOf(idle.Path.Remote).HandleLoss(now);
        _connection?.Ping();
        _planAt = Timestamp.Min(_planAt, Timestamp.Max(now, _lastPlanAt + PlanInterval));
        if (now >= _planAt) PlanForNews(now);
    }

    private void PlanForNews(Timestamp now)
    {
        _planAt = Timestamp.Never;
        if (!IsConnected) return;
        _lastPlanAt = now;
        var known = _knownCandidates;
        _knownCandidates = [.. Introduction.Candidates.Select(candidate => candidate.Endpoint)];
        _hasMoved |= !known.SetEquals(_knownCandidates);
        if (_connection.IsSilent)
        {
            Probe(PlanPaths(), now);
            AddFreshPlans(now);
        }
        else Probe([.. AlsoFromPath(PlanPaths().Where(probe => !known.Contains(probe.Destination)))], now);
        AddTcpPlan(now);
    }

    // What the peer has opened lets in what comes from where it knows us, which may be a side socket.
    private IEnumerable<Probe> AlsoFromPath(IEnumerable<Probe> probes)
    {
        if (_connection!.Path.Local is not { Carrier: Carrier.Udp } local || local == SocketId.Main) return probes;
        List<Probe> plan = [.. probes];
        return plan.SelectMany(probe => new[] { probe, probe with { Via = local } });
    }

    private void LookForBetter(Timestamp now)
    {
        if (!IsConnected) return;
        _hasMoved = true;
        var present = _connection.Path;
        if (present.Local.Carrier == Carrier.Tcp)
        {
            LookForUdp(now);
            return;
        }
        var isNear = _connection.IsNear;
        // Another port of the same router is no other way.
        Probe([.. PlanPaths().Where(probe => probe.At <= BetterWayTime && probe.Path != present
            && (IsNear(probe) ? !isNear : probe.Destination.Address != present.Remote.Address && !isNear))], now);
    }

    // All that is known: what the peer named, where it was, and where it is now, for its router or ours may have forgotten us.
    private void LookForAny(Timestamp now)
    {
        EndProbing();
        Probe(PlanPaths(), now);
        AddFreshPlans(now);
    }

    private List<Probe> PlanPaths()
    {
        var candidates = new List<Candidate>(Introduction.Candidates);
        if (_connection is { } connection && (connection.IsSilent || connection.Path.Local.Carrier == Carrier.Tcp))
        {
            if (connection.Path.Local.Carrier == Carrier.Udp) candidates.Add(new Candidate(CandidateKind.PeerReflexive, connection.Path.Remote));
            foreach (var former in connection.FormerPaths) candidates.Add(new Candidate(CandidateKind.PeerReflexive, former.Remote));
        }
        // Where a connection stood, its routers may have forgotten it.
        return [.. PunchPlan.Create(Situation with { RemoteCandidates = candidates, OpenPaths = null })];
    }

    private void Probe(List<Probe> plan, Timestamp now)
    {
        if (plan.Count == 0) return;
        _probing ??= new PunchAttempt(now);
        _probingTurn ??= _services.PunchQueue.Join();
        if (_probingTurn is { IsWaiting: true, IsDue: false }) _waitingProbes = [.. _waitingProbes, .. plan.Take(MaxWaitingProbes - _waitingProbes.Count)];
        else BeginProbingTurn(plan, now);
    }

    // As long as a handshake's: then the next one may begin, while the last flights go on.
    private void BeginProbingTurn(List<Probe> plan, Timestamp now)
    {
        if (_probingTurn!.TryTake()) _probingTurnEnds = now + TurnTime;
        _probing?.Add(plan, now);
    }

    private List<Probe> TakeWaiting()
    {
        var waiting = _waitingProbes;
        _waitingProbes = [];
        return waiting;
    }

    private bool TryDequeuePathProbe(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_probing is null || !IsConnected || !_probing.TryTakeProbe(now, _services.ProbePacer, _services.ProbeBudget, Connection.ProbeSize, out var probe)) return false;
        _services.Counted.Probes++;
        if (probe.Kind == ProbeKind.Opener)
        {
            buffer[0] = PacketTypes.KeepAlive;
            transmit = new Transmit(probe.Path, 1, probe.TimeToLive);
            return true;
        }
        if (!_connection.TryWriteProbe(probe.Path, IsNear(probe), now, buffer, out transmit)) return false;
        transmit = new Transmit(probe.Path, transmit.Length, probe.TimeToLive);
        return true;
    }

    private static bool IsNear(Probe probe) => probe.TimeToLive is PunchPlan.PrivateTimeToLive or PunchPlan.MiddleTimeToLive && probe.Kind != ProbeKind.Opener;
}
