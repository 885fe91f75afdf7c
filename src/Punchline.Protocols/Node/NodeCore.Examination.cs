using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// What the network is: asked for by people, not by connections.
internal sealed partial class NodeCore
{
    private readonly Queue<NetworkReport> _reports = new();
    private NetworkExaminer? _examiner;
    private NetworkReport? _lastReport;
    private IReadOnlyList<Endpoint?> _routers = [];
    private bool _expectsRouters;
    private bool _hearsRejections;
    private bool? _isWebOnly;

    /// <summary>
    /// Finds out what the network is; <see cref="TryDequeueReport"/> tells, with all that changes, and is complete in the end. Another examination takes the place
    /// of one that is under way.
    /// </summary>
    /// <param name="servers">STUN servers; without any, what the machine and its gateway say.</param>
    /// <param name="expectsRouters">The driver looks for the first routers, and will say <see cref="SetRouters"/>.</param>
    /// <param name="now">The time.</param>
    public void Examine(IReadOnlyList<Endpoint> servers, bool expectsRouters, Timestamp now)
    {
        _expectsRouters = expectsRouters;
        _lastReport = null;
        _isWebOnly = null;
        _searchesGateway |= _mayMapPorts;
        _examiner = new NetworkExaminer(_services, servers, now);
        foreach (var server in servers)
        {
            QueryStun(server, now);
            QueryStunOverTcp(server, now);
        }
        ProceedExamination(now);
    }

    /// <summary>The first routers on the way out, as the driver found them.</summary>
    /// <param name="routers">Null for those that are silent.</param>
    /// <param name="hearsRejections">The driver would have heard of a router that lets no UDP through, and says so (<see cref="SetUdpRejection"/>).</param>
    /// <param name="now">The time.</param>
    public void SetRouters(IReadOnlyList<Endpoint?> routers, bool hearsRejections, Timestamp now)
    {
        (_routers, _expectsRouters, _hearsRejections) = (routers, false, hearsRejections);
        CountLayers();
        ProceedExamination(now);
    }

    /// <summary>A router on the way to a STUN server says that it lets UDP to there not through.</summary>
    public void SetUdpRejection(Endpoint router, Timestamp now)
    {
        _services.UdpRejectedBy = router;
        ProceedExamination(now);
    }

    /// <summary>TCP leads to where browsers go alone, as the driver found; null: not known.</summary>
    public void SetWebOnly(bool? isWebOnly, Timestamp now)
    {
        _isWebOnly = isWebOnly;
        ProceedExamination(now);
    }

    private void CountLayers() => _services.OwnRouters = OwnRouters.Of(_routers, IsBehindSecondNat);

    public bool TryDequeueReport([NotNullWhen(true)] out NetworkReport? report) => _reports.TryDequeue(out report);

    private void ProceedExamination(Timestamp now)
    {
        if (_examiner is not { } examiner) return;
        examiner.HandleTimeout(_services.RejectsUdp, _portMapper.Status, _mayMapPorts, _expectsRouters || _forward.IsTesting || _profiler.NextTimeout != Timestamp.Never || _tcpMapping is { IsOver: false } || _tcpOverIPv6 is { IsOver: false }, now);
        foreach (var other in examiner.Others) QueryStun(other, now);
        LearnTcpMapping(now);
        var report = examiner.Complete(Describe(), _reflexiveByServer.Keys.Select(server => server.Address).ToHashSet());
        if (report.IsComplete) _examiner = null;
        if (report.IsSameAs(_lastReport)) return;
        _lastReport = report;
        _reports.Enqueue(report);
    }

    private NetworkReport Describe() => new()
    {
        // TCP that gets to where UDP does not: more than the server's absence.
        Udp = _services.Reflexive.Count > 0 ? true : _services.IsTcpSeen || _services.RejectsUdp ? false : null,
        UdpRejectedBy = _services.RejectsUdp ? _services.UdpRejectedBy : null,
        HearsRejections = _hearsRejections,
        Tcp = _services.IsTcpSeen ? true : null,
        IsWebOnly = _isWebOnly,
        HostAddresses = _services.HostAddresses,
        Reflexive = [.. _services.Reflexive],
        TcpReflexive = _services.TcpReflexive.Mapped,
        TcpReflexiveIPv6 = _services.TcpReflexiveIPv6,
        Profile = _services.Profile,
        Gateway = _portMapper.Status,
        ChosenPort = _forward.UdpPort,
        IsForwarded = _forward.IsForwarded,
        IsBehindSecondNat = IsBehindSecondNat,
        Routers = _routers,
        ServerRoundTrip = _services.ServerRoundTrip,
    };
}
