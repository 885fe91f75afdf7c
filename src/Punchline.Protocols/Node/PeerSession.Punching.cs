using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// An attempt to reach the peer: its turn, its plan, and its end without success.
internal sealed partial class PeerSession
{
    /// <summary>
    /// From a failed attempt to the next, and twice as long after each, up to <see cref="LongestRetryPause"/>. Both sides' attempts began and ended together, and the next do as well:
    /// therefore nothing about it is random. A search may begin anew then: see <see cref="SearchBudget.Pause"/>.
    /// </summary>
    public static readonly TimeSpan RetryPause = SearchBudget.Pause;

    public static readonly TimeSpan LongestRetryPause = 16 * RetryPause;

    private Timestamp _retryAt = Timestamp.Never;
    private int _failures;
    private PunchProgress? _progress;

    private void StartAttempt(Timestamp learnedAt, Timestamp now)
    {
        EndInitiator();
        _attemptLearnedAt = learnedAt;
        _chosenLink = null;
        Failure = null;
        _retryAt = Timestamp.Never;
        _attempt = ++_services.LastAttempt;
        _heardFromPeer = false;
        _impostorAnswered = false;
        _isHopeless = false;
        _told.Clear();
        _progress = null;
        _punch = null;
        // Whoever has to look for a way does not know that the old one is open.
        SetOpenPath(null);
        _turn ??= _services.PunchQueue.Join();
        BeginPunch(now);
    }

    // Where it is this peer's turn: at once, as a rule.
    private void BeginPunch(Timestamp now)
    {
        if (_turn is null || (_turn.IsWaiting && !_turn.TryTake())) return;
        _turnEnds = now + TurnTime;
        _punch = new PunchAttempt(now);
        if (_services is { RejectsUdp: true, UdpRejectedBy: { } router } && _services.Tcp.Port != 0) Tell(PunchProgress.OfRejectedUdp(router));
        AddPlan(now);
        BeginFresh(now);
        BeginTcp(now);
        foreach (var link in _links) Greet(link, now);
        // Openers need no handshake, so they are on their way before the key pair of message 1 is made.
    }

    // Each word once an attempt, however often a plan is made anew.
    private void Tell(PunchProgress progress)
    {
        if (progress == _progress) return;
        _progress = progress;
        _events.Enqueue(new PeerSessionEvent.Trying(progress));
    }

    private void EndPunch()
    {
        _punch = null;
        EndSearch();
        CloseFresh();
        EndTurn();
    }

    private void EndTurn()
    {
        _turn?.End();
        _turn = null;
        _turnEnds = Timestamp.Never;
    }

    private PunchSituation Situation => new(_services.HostAddresses, _services.AllReflexive, Introduction.Candidates, _room.AllowLoopback)
    {
        ServerRoundTrip = _services.ServerRoundTrip,
        OpenPaths = _services.OpenPaths,
        Offers = [.. OffersToUs],
        HasNat64 = _services.HasNat64,
        OwnRouters = _services.OwnRouters,
    };

    private void AddPlan(Timestamp now)
    {
        var plan = PunchPlan.Create(Situation);
        _punch?.Add(plan, now);
        TellTrials(Carrier.Udp, plan.Select(probe => probe.Destination));
        AddFreshPlans(now);
        PlanSearch(now);
    }

    private void FailAttempt(PunchAttempt punch, Timestamp now)
    {
        var observations = new PunchObservations(punch.ProbesSent, punch.Targets, _heardFromPeer, _services.Reflexive.Count > 0 || !_services.AsksStun, _impostorAnswered)
        {
            Lasted = now - punch.Start,
            IsHopeless = _isHopeless,
            TcpConnects = _services.Tcp.Port == 0 ? 0 : PlanTcp().Count + _tcpProbes,
            IsTcpHopeless = TcpPunchPlan.IsHopeless(_services.Profile, Introduction.Profile),
            IsSearched = punch.IsScanning || _opening is BirthdayOpening || _tcpScan is not null || _tcpOpening is not null,
            Chance = _search.Chance,
            UdpRejectedBy = _services.RejectsUdp ? _services.UdpRejectedBy : null,
            IsOfAnotherFamily = PunchTargets.AreOfAnotherFamily(Situation),
        };
        var hasAwaitedTurn = HasAwaitedTurn(punch);
        ForgetWay();
        EndPunch();
        EndInitiator();
        var failure = PunchFailure.Explain(observations);
        ObserveFailed(failure, now);
        Failure = failure;
        // What has no way by what is known is tried with the next word of either side only.
        // Where the budget alone was in the way, a minute is what it takes.
        var doublings = hasAwaitedTurn ? 0 : Math.Min(_failures, 8);
        var pause = TimeSpan.FromTicks(Math.Min(RetryPause.Ticks << doublings, LongestRetryPause.Ticks));
        if (!hasAwaitedTurn) _failures++;
        if (failure.MayPass) _retryAt = now + pause;
        _events.Enqueue(new PeerSessionEvent.Failed(failure));
    }
}
