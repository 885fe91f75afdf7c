using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// TCP to the peer: connects until connections stand, the handshake or a path of the connection on them, and one that stays.
internal sealed partial class PeerSession : ITcpLinkOwner
{
    /// <summary>What the connections that are not chosen get, for what is under way on them (PROTOCOL §5).</summary>
    private static readonly TimeSpan SurplusTime = TimeSpan.FromSeconds(1);

    /// <summary>Before TCP is punched again whose connection broke while another path goes on; doubles.</summary>
    private static readonly TimeSpan FirstTcpPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MaxTcpPause = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Between two questions by UDP while a connection goes over TCP: at most 10 a minute go to an address that does not answer, and where
    /// both sides ask, each keeps its router open for the other.
    /// </summary>
    private static readonly TimeSpan FirstUdpPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan UdpPause = TimeSpan.FromSeconds(6);

    /// <summary>Age at which a message 1 that went over TCP gives way to a new attempt: TCP repeats by itself what is lost.</summary>
    private static readonly TimeSpan MaxMessage1AgeOverTcp = TimeSpan.FromSeconds(4);

    private readonly List<PathAddress> _connecting = [];
    private readonly List<PathAddress> _links = [];
    private TcpPunch? _tcpPunch;
    private PathAddress? _chosenLink;
    private Timestamp _surplusEnds = Timestamp.Never;
    private Timestamp _tcpAgainAt = Timestamp.Never;
    private TimeSpan _tcpPause = FirstTcpPause;
    private Timestamp _udpAgainAt = Timestamp.Never;

    private Timestamp TcpTimeout => Timestamp.Min(_tcpPunch?.NextTimeout ?? Timestamp.Never, Timestamp.Min(_surplusEnds, _tcpAgainAt));

    void ITcpLinkOwner.HandleLinkOpen(PathAddress link, Timestamp now)
    {
        if (!TryLeaveTcpSearch(link)) _connecting.Remove(link);
        if (_isLeft)
        {
            _services.Tcp.Close(link.Local);
            return;
        }
        _links.Add(link);
        Greet(link, now);
        _room.HandleProgress(this, now);
    }

    void ITcpLinkOwner.HandleLinkLost(PathAddress link, Timestamp now)
    {
        if (TryLeaveTcpSearch(link)) return;
        if (_connecting.Remove(link))
        {
            _tcpPunch?.OnFailed(link.Remote, now);
            return;
        }
        if (!_links.Remove(link)) return;
        if (_chosenLink == link) _chosenLink = null;
        if (_connection is not null)
        {
            _connection.LosePath(link, now);
            DrainConnection(now);
            // Both sides see the end of it at about the same time.
            if (_links.Count == 0 && IsConnected && _tcpPunch is null) TryTcpLater(now);
        }
        _room.HandleProgress(this, now);
    }

    /// <summary>Our address, or the peer's, is another one: the connection that stands by leads through a router that has forgotten it.</summary>
    public void RenewTcp(Timestamp now)
    {
        if (!IsConnected || _connection.Path.Local.Carrier == Carrier.Tcp) return;
        AbortLinks(now);
        BeginTcp(now);
    }

    private void BeginTcp(Timestamp now)
    {
        _tcpAgainAt = Timestamp.Never;
        if (_services.Tcp.Port == 0) return;
        EndTcpPunch();
        _tcpPunch = new TcpPunch(now);
        AddTcpPlan(now);
    }

    // Both begin with the later one's introduction of its TCP address. Before our own is out, a SYN of ours would reach a router
    // whose host does not know of us yet. IPv6's are out with the first.
    private void AddTcpPlan(Timestamp now)
    {
        if (_tcpPunch is null) return;
        var plan = PlanTcp();
        if (_services.TcpReflexive.IsExpected) plan.RemoveAll(target => target.Endpoint.IsIPv4);
        _tcpPunch.Add(plan, now);
        TellTrials(Carrier.Tcp, plan.Select(target => target.Endpoint));
    }

    private List<TcpTarget> PlanTcp() =>
        [.. TcpPunchPlan.Create(Situation).Where(target => _services.Tcp.IsOf(target.Endpoint) || (target.Endpoint.IsIPv4 && _services.HasNat64))];

    private void HandleTcpTimeout(Timestamp now)
    {
        if (now >= _tcpAgainAt) BeginTcp(now);
        if (now >= _surplusEnds)
        {
            _surplusEnds = Timestamp.Never;
            CloseLinks(but: _chosenLink, now);
        }
        while (_tcpPunch is { } punch && punch.TryTake(now, out var next))
        {
            if (_services.Tcp.Connect(this, next.Endpoint, next.TimeToLive, TcpPunchPlan.Patience, now, next.OpenerLead) is { } link) _connecting.Add(link);
            else punch.OnFailed(next.Endpoint, now);
        }
        if (_tcpPunch is { } ended && now > ended.Deadline && _connecting.Count == 0) _tcpPunch = null;
    }

    // While TCP carries the connection: has UDP come back?
    private void LookForUdp(Timestamp now)
    {
        _udpAgainAt = Timestamp.Never;
        if (!IsConnected || _connection.Path.Local.Carrier == Carrier.Udp) return;
        _udpAgainAt = now + UdpPause;
        if (_connection.IsSilent) return;
        EndProbing();
        Probe([.. PlanPaths().Where(probe => probe.Kind == ProbeKind.Handshake).DistinctBy(probe => probe.Path).Select(probe => probe with { At = TimeSpan.Zero })], now);
    }

    // Who connected begins, whoever initiates the handshake: it alone knows for which peer the connection is.
    private void Greet(PathAddress link, Timestamp now)
    {
        if (IsConnected)
        {
            _connection.AddPath(link, now);
            return;
        }
        var isUdpLikely = _services.Reflexive.Count > 0 && !IsRemembered(WayKind.Tcp)
            && Introduction.Candidates.Any(candidate => candidate is { Carrier: Carrier.Udp, Kind: CandidateKind.ServerReflexive });
        _punch?.Begin(link, isUdpLikely ? Timestamp.Max(now, _punch.Start + TcpPunchPlan.HeadStartOfUdp) : now);
    }

    private void Answer(PathAddress source, Timestamp now)
    {
        _firstAnswer ??= now;
        if (source.Local.Carrier == Carrier.Udp) TellTrials(Carrier.Udp, [source.Remote]);
        if (source.Local.Carrier == Carrier.Tcp) Greet(source, now);
        else _punch?.Answer(source, now);
    }

    // What went over TCP is answered if anybody is there: an answer that is under way is not made worthless.
    private bool IsAwaitedOverTcp(Timestamp now) => _punch?.LastOverTcp is { } last && now - last < MaxMessage1AgeOverTcp;

    // Something authentic came on a connection.
    private void Prove(PathAddress source, Timestamp now)
    {
        if (_services.Tcp.Find(source.Local) is not { } link) return;
        _services.Tcp.Prove(source, this);
        if (link.Owner != this || _links.Contains(source)) return;
        if (!TryLeaveTcpSearch(source)) _connecting.Remove(source);
        _links.Add(source);
    }

    // The initiator keeps the first connection that is good for anything, and closes the others. Its peer uses what is left.
    private void ChooseLink(PathAddress source, Timestamp now)
    {
        if (source.Local.Carrier != Carrier.Tcp || _chosenLink is not null || !_links.Contains(source)) return;
        _chosenLink = source;
        _tcpPause = FirstTcpPause;
        EndTcpPunch();
        if (_context.IsInitiator && _links.Count > 1) _surplusEnds = now + SurplusTime;
    }

    private void GreetAll(PathAddress established, Timestamp now)
    {
        foreach (var link in _links)
        {
            if (link != established) Greet(link, now);
        }
        ChooseLink(established, now);
    }

    private void TryTcpLater(Timestamp now)
    {
        _tcpAgainAt = now + _tcpPause;
        _tcpPause = _tcpPause * 2 < MaxTcpPause ? _tcpPause * 2 : MaxTcpPause;
    }

    private void EndTcpPunch()
    {
        _tcpPunch = null;
        foreach (var link in _connecting) _services.Tcp.Close(link.Local);
        _connecting.Clear();
    }

    private void CloseLinks(PathAddress? but, Timestamp now)
    {
        for (var i = _links.Count - 1; i >= 0; i--)
        {
            var link = _links[i];
            if (link == but) continue;
            _links.RemoveAt(i);
            _services.Tcp.Close(link.Local);
            _connection?.LosePath(link, now);
        }
    }

    private void AbortLinks(Timestamp now)
    {
        _chosenLink = null;
        foreach (var link in _links)
        {
            _services.Tcp.Abort(link.Local);
            _connection?.LosePath(link, now);
        }
        _links.Clear();
    }

    private void EndTcp(Timestamp now)
    {
        EndTcpPunch();
        CloseLinks(but: null, now);
        (_chosenLink, _surplusEnds, _tcpAgainAt) = (null, Timestamp.Never, Timestamp.Never);
    }
}
