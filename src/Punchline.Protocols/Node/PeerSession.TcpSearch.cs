using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Searching ports over TCP, where one side's network lets no UDP pass and the other's router gives every destination another port of TCP's. The hard side
// holds ports open and offers them; the other side connects to them, from the port that it listens on.
internal sealed partial class PeerSession
{
    // Connects that the search made, which end with it.
    private readonly HashSet<PathAddress> _tcpTries = [];
    private TcpOpening? _tcpOpening;
    private PortScan? _tcpScan;
    private PortOffer _tcpOffer;
    private SearchPlan _tcpSearch;
    private Timestamp _tcpSearchAt = Timestamp.Never;
    private Timestamp _nextTcpScan = Timestamp.Never;
    private int _tcpBrackets;
    private int _tcpProbes;
    private bool _isTcpScanning;

    private Timestamp TcpSearchTimeout => Timestamp.Min(Timestamp.Min(_tcpSearchAt, _nextTcpScan), _tcpOpening?.NextTimeout ?? Timestamp.Never);

    // A network whose TCP is seen outside, and no UDP of its own.
    private bool IsUdpOut => (_services.TcpReflexive.Mapped is not null && !_services.Reflexive.Exists(seen => seen.IsIPv4))
        || (Introduction.Candidates.Any(candidate => candidate is { Carrier: Carrier.Tcp, Kind: CandidateKind.ServerReflexive })
            && !Introduction.Candidates.Any(candidate => candidate is { Carrier: Carrier.Udp, Kind: CandidateKind.ServerReflexive, Endpoint.IsIPv4: true }));

    private IEnumerable<PortOffer> TcpOffersToUs => Introduction.Offers.Where(offer => offer.Target == _services.Target && offer.Carrier == Carrier.Tcp);

    // With each word of either side about its network. A port that a gateway maps makes the plain punch do it.
    private void PlanTcpSearch(PunchAttempt punch, Timestamp now)
    {
        if (_services.Tcp.Port == 0) return;
        var plan = IsUdpOut && !HasMapping ? TcpSearchPlan.Create(_services.Profile, Introduction.Profile) : default;
        if (plan != _tcpSearch)
        {
            _tcpSearch = plan;
            _tcpSearchAt = plan.Kind is SearchKind.Bracket or SearchKind.Birthday ? Timestamp.Max(now, punch.Start + plan.Delay) : Timestamp.Never;
        }
        if (TcpOffersToUs.LastOrDefault() is not { Sockets: > 0 } offer || offer == _tcpOffer) return;
        if (offer.Ports <= PunchPlan.MaxOfferedPorts)
        {
            _tcpOffer = offer;
            TryPredicted(offer, now);
        }
        else if (_tcpScan is null && IsUdpOut && !TcpSearchPlan.IsHard(_services.Profile) && IsSearchable(offer.First))
        {
            _tcpOffer = offer;
            _tcpScan = new PortScan(offer, _services.Random);
            _nextTcpScan = now;
        }
    }

    // As candidates are, within what may go to their address, but without openers: the peer is expected to come by none but these.
    private void TryPredicted(PortOffer offer, Timestamp now)
    {
        for (int port = offer.First.Port; port <= offer.LastPort; port++)
        {
            var endpoint = offer.First.WithPort((ushort)port);
            if (AddressScope.IsPrivate(endpoint) || !PunchPlan.IsUsable(endpoint, _room.AllowLoopback)) continue;
            if (_services.Tcp.Connect(this, endpoint, 0, TcpSearchPlan.OfferPatience, now) is not { } link) return;
            _tcpTries.Add(link);
            _tcpProbes++;
        }
    }

    private void HandleTcpSearchTimeout(PunchAttempt punch, Timestamp now)
    {
        if (now >= _tcpSearchAt)
        {
            _tcpSearchAt = Timestamp.Never;
            BeginTcpSearch(punch, now);
        }
        if (_tcpOpening is { } opening && now >= opening.NextTimeout) opening.HandleTimeout(now);
        if (_tcpOpening?.TakeOffer() is { } offer) _room.TryOffer(offer, now);
        while (now >= _nextTcpScan) Scan(punch, now);
    }

    private void BeginTcpSearch(PunchAttempt punch, Timestamp now)
    {
        // Where the peer's router expects us.
        var peer = Introduction.Candidates.FirstOrDefault(candidate => candidate is { Kind: CandidateKind.ServerReflexive, Carrier: Carrier.Tcp, Endpoint.IsIPv4: true }
            && PunchPlan.IsUsable(candidate.Endpoint, _room.AllowLoopback));
        var target = PortOffer.TargetOf(Peer);
        if (peer.Kind == default || !_room.IsTold(Peer) || _services.TcpReflexive is not { Mapped: { } external, Server: { } server })
        {
            // Planned again with the next word about it.
            _tcpSearch = default;
        }
        else if (_tcpSearch.Kind == SearchKind.Bracket)
        {
            CloseTcpOpening();
            _tcpOpening = new TcpBracketOpening(_services, this, target, peer.Endpoint, server, _tcpBrackets, now);
            if (++_tcpBrackets < MaxBrackets) _tcpSearchAt = now + AnotherBracket;
        }
        else if (!_services.Search.TryBegin(this, now))
        {
            _tcpSearchAt = now + SearchRetryInterval;
        }
        else
        {
            punch.Prolong(now + SearchDuration);
            CloseTcpOpening();
            _tcpOpening = new TcpBirthdayOpening(_services, this, target, peer.Endpoint, external, _tcpSearch, now);
        }
    }

    // The next port of the peer's router, as often as the budget allows.
    private void Scan(PunchAttempt punch, Timestamp now)
    {
        _nextTcpScan = Timestamp.Never;
        if (_tcpScan is not { } scan) return;
        if (!_services.Search.TryBegin(this, now))
        {
            _nextTcpScan = now + SearchRetryInterval;
            return;
        }
        if (!_services.Search.TryTakeProbe(now, Carrier.Tcp))
        {
            if (!_services.Search.IsProbesExhausted) _nextTcpScan = Timestamp.Max(_services.Search.NextAllowed(now), now + TimeSpan.FromMilliseconds(1));
            return;
        }
        if (!_isTcpScanning) punch.Prolong(now + SearchDuration);
        _isTcpScanning = true;
        _tcpProbes++;
        _nextTcpScan = _services.Search.NextAllowed(now);
        _services.Counted.Probes++;
        if (_services.Tcp.Probe(this, scan.Next(), now) is { } link) _tcpTries.Add(link);
    }

    // A connect of the search stands, and is no part of it any more; or it came to nothing.
    private bool TryLeaveTcpSearch(PathAddress link) => _tcpTries.Remove(link) || _tcpOpening?.Release(link) is true;

    private void CloseTcpOpening()
    {
        if (_tcpOpening is null) return;
        _room.Withdraw(Peer, Carrier.Tcp);
        _tcpOpening.Close();
        _tcpOpening = null;
    }

    private void EndTcpSearch()
    {
        CloseTcpOpening();
        foreach (var link in _tcpTries) _services.Tcp.Close(link.Local);
        _tcpTries.Clear();
        _tcpScan = null;
        _tcpSearch = default;
        _tcpOffer = default;
        _tcpSearchAt = _nextTcpScan = Timestamp.Never;
        _tcpBrackets = _tcpProbes = 0;
        _isTcpScanning = false;
    }
}
