using Punchline.Protocols.PortMapping;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Finds out what a connection does not need, and people want to know: whom the router lets in, whether it hairpins. Beside the
/// mapping, which <see cref="NetworkProfiler"/> learns, and the gateway, which <see cref="PortMapper"/> asks. All at once.
/// </summary>
internal sealed class NetworkExaminer
{
    /// <summary>Servers that are asked for more than an address, in each family.</summary>
    public const int MaxServers = 4;

    /// <summary>What is not known by then is not known.</summary>
    public static readonly TimeSpan Duration = TimeSpan.FromSeconds(2.2);

    /// <summary>A gateway that has a protocol has answered by then: PCP and NAT-PMP at once, SSDP's devices within the second of MX, mostly far sooner.</summary>
    public static readonly TimeSpan GatewayTime = TimeSpan.FromMilliseconds(900);

    private readonly NodeServices _services;
    private readonly Timestamp _start;
    private readonly IReadOnlyList<Endpoint> _servers;
    private readonly List<FilteringTest> _filtering = [];
    private HairpinTest? _hairpin;
    private Timestamp _lastLook;

    /// <param name="services">The node's.</param>
    /// <param name="servers">Whom to ask.</param>
    /// <param name="now">The time.</param>
    public NetworkExaminer(NodeServices services, IReadOnlyList<Endpoint> servers, Timestamp now)
    {
        (_services, _servers, _start, _lastLook) = (services, servers, now, now);
        foreach (var family in servers.DistinctBy(server => server.Address).GroupBy(server => server.IsIPv4))
        {
            foreach (var server in family.Take(MaxServers)) _filtering.Add(new FilteringTest(services, server));
        }
    }

    public bool IsOver { get; private set; }

    /// <summary>Further endpoints of the servers, to be asked from the main socket.</summary>
    public IEnumerable<Endpoint> Others => _filtering.Where(test => test.Other is not null)
        .SelectMany(test => new[] { test.Other!.Value.WithPort(test.Server.Port), test.Other.Value });

    public Timestamp NextTimeout
    {
        get
        {
            if (IsOver) return Timestamp.Never;
            var next = _lastLook < _start + GatewayTime ? _start + GatewayTime : _start + Duration;
            foreach (var test in _filtering) next = Timestamp.Min(next, test.NextTimeout);
            return Timestamp.Min(next, _hairpin?.NextTimeout ?? Timestamp.Never);
        }
    }

    /// <summary>True where it was for one of the tests.</summary>
    public bool HandleDatagram(PathAddress source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (IsOver || !StunMessage.TryRead(datagram, out var message)) return false;
        foreach (var test in _filtering)
        {
            if (test.HandleDatagram(source, message, now)) return true;
        }
        return _hairpin?.HandleDatagram(source, message) is true;
    }

    /// <param name="isUdpRejected">A router says that no UDP gets out over IPv4: nothing is waited for there.</param>
    /// <param name="gateway">What is known of it.</param>
    /// <param name="mayHaveGateway">Somebody looks for one.</param>
    /// <param name="isElsewhereOpen">Something else that the report has is being looked at.</param>
    /// <param name="now">The time.</param>
    public void HandleTimeout(bool isUdpRejected, PortMapperStatus gateway, bool mayHaveGateway, bool isElsewhereOpen, Timestamp now)
    {
        if (IsOver) return;
        _lastLook = now;
        foreach (var test in _filtering)
        {
            if (isUdpRejected && test.Server.IsIPv4) test.Close();
            else test.HandleTimeout(now);
        }
        BeginLater(now);
        _hairpin?.HandleTimeout(now);
        var isGatewayKnown = !mayHaveGateway || gateway.Udp is not null || now >= _start + GatewayTime;
        var isDone = isGatewayKnown && !isElsewhereOpen && _filtering.TrueForAll(test => test.IsOver) && _hairpin is not { IsOver: false }
            && !_services.TcpReflexive.IsExpected && (_servers.Count == 0 || isUdpRejected || _services.Reflexive.Count > 0 || _services.IsTcpSeen);
        if (!isDone && now < _start + Duration) return;
        Close();
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (IsOver) return false;
        foreach (var test in _filtering)
        {
            if (test.TryDequeueTransmit(now, buffer, out transmit)) return true;
        }
        return _hairpin?.TryDequeueTransmit(now, buffer, out transmit) is true;
    }

    /// <summary>What the tests have found so far, in a report that has the rest.</summary>
    /// <param name="report">It.</param>
    /// <param name="answering">Addresses of servers that have answered.</param>
    public NetworkReport Complete(NetworkReport report, IReadOnlySet<UInt128> answering)
    {
        var ipv4 = BestOf(isIPv4: true);
        return report with
        {
            ServersAsked = _servers.DistinctBy(server => server.Address).Count(),
            ServersAnswered = _servers.DistinctBy(server => server.Address).Count(server => answering.Contains(server.Address)),
            HasAlternate = ipv4?.Other is not null,
            Filtering = ipv4?.Filtering ?? FilteringBehavior.Unknown,
            Unsolicited = ipv4?.Refusal ?? Refusal.Unknown,
            // A mapping that is another for each destination moves anyway.
            IsMovedByUnsolicited = report.Profile.IsSymmetric ? null : ipv4?.IsMovedByUnsolicited,
            IPv6Filtering = BestOf(isIPv4: false)?.Filtering ?? FilteringBehavior.Unknown,
            // A mapping that depends on the destination leads nobody here, hairpin or not.
            Hairpins = report.IsTranslated is false || (report.Profile.IsSymmetric && _hairpin?.Hairpins is false) ? null : _hairpin?.Hairpins,
            IsComplete = IsOver,
        };
    }

    private FilteringTest? BestOf(bool isIPv4)
    {
        var ofFamily = _filtering.FindAll(test => test.Server.IsIPv4 == isIPv4);
        return ofFamily.Find(test => test.Filtering != FilteringBehavior.Unknown) ?? ofFamily.Find(test => test.Other is not null);
    }

    // Where an answer is what to ask for next.
    private void BeginLater(Timestamp now)
    {
        if (_hairpin is null && _services.Reflectors.StunServers is [var answering, ..]) _hairpin = new HairpinTest(_services, answering);
    }

    private void Close()
    {
        IsOver = true;
        foreach (var test in _filtering) test.Close();
        _hairpin?.Close();
    }
}
