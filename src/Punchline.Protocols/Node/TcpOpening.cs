using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// The hard side of a search over TCP: ports that SYNs, which die behind our own router, keep open for one peer (<see cref="TcpLinks.Hold"/>), as
/// <see cref="PortOpening"/> does with datagrams. What stands by them is the session's.
/// </summary>
/// <param name="services">The node's.</param>
/// <param name="owner">Whose connections they become.</param>
/// <param name="target">The peer's, in offers.</param>
/// <param name="peer">Where the peer's own router expects us.</param>
internal abstract class TcpOpening(NodeServices services, ITcpLinkOwner owner, ulong target, Endpoint peer)
{
    private readonly List<PathAddress> _held = [];
    private PortOffer? _newOffer;

    /// <summary>The next step.</summary>
    public virtual Timestamp NextTimeout
    {
        get => _newOffer is null ? field : Timestamp.Zero;
        protected set;
    } = Timestamp.Never;

    protected NodeServices Services => services;

    /// <summary>What the peer is to be told, once it is known; then null again.</summary>
    public PortOffer? TakeOffer()
    {
        var offer = _newOffer;
        _newOffer = null;
        return offer;
    }

    public abstract void HandleTimeout(Timestamp now);

    public virtual bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        return false;
    }

    /// <summary>One of its ports became a connection, which <see cref="Close"/> leaves alone from now on. False where it is none of its.</summary>
    public bool Release(PathAddress link) => _held.Remove(link);

    public virtual void Close()
    {
        foreach (var link in _held) services.Tcp.Close(link.Local);
        _held.Clear();
        NextTimeout = Timestamp.Never;
    }

    protected bool TryHold(int retry, Timestamp now)
    {
        if (services.Tcp.Hold(owner, peer, PeerSession.SearchDuration, services.OwnRouters, retry, now) is not { } link) return false;
        services.Counted.Probes++;
        _held.Add(link);
        return true;
    }

    protected void Offer(Endpoint address, int first, int last, int sockets) =>
        _newOffer = new PortOffer(target, address.WithPort((ushort)first), (ushort)last, (ushort)sockets) { Carrier = Carrier.Tcp };
}

/// <summary>A router that draws from a range: one port more as often as the budget allows.</summary>
internal sealed class TcpBirthdayOpening : TcpOpening
{
    private readonly int _sockets;
    private int _opened;

    /// <param name="services">The node's.</param>
    /// <param name="owner">Whose connections they become.</param>
    /// <param name="target">The peer's, in offers.</param>
    /// <param name="peer">Where the peer's own router expects us.</param>
    /// <param name="external">Our router's address.</param>
    /// <param name="plan">How many sockets.</param>
    /// <param name="now">The time.</param>
    public TcpBirthdayOpening(NodeServices services, ITcpLinkOwner owner, ulong target, Endpoint peer, Endpoint external, SearchPlan plan, Timestamp now)
        : base(services, owner, target, peer)
    {
        _sockets = plan.Sockets;
        Offer(external, services.Profile.FirstPort, services.Profile.LastPort, plan.Sockets);
        NextTimeout = now;
    }

    public override void HandleTimeout(Timestamp now)
    {
        if (now < NextTimeout) return;
        NextTimeout = Timestamp.Never;
        while (_opened < _sockets)
        {
            if (!Services.Search.TryTakeMapping(now, Carrier.Tcp))
            {
                if (!Services.Search.IsMappingsExhausted) NextTimeout = Timestamp.Max(Services.Search.NextAllowed(now), now + TimeSpan.FromMilliseconds(1));
                return;
            }
            _opened++;
            if (!TryHold(retry: 0, now)) return;
        }
    }
}

/// <summary>A router that counts: a connection to a STUN server, one port that is held, and another connection, each from a port of its own.</summary>
internal sealed class TcpBracketOpening : TcpOpening
{
    // As BracketOpening's.
    private static readonly TimeSpan StepInterval = TimeSpan.FromMilliseconds(1);

    private readonly Endpoint _server;
    private readonly int _retry;
    private TcpMappingTest? _before;
    private TcpMappingTest? _behind;
    private int _step;
    private bool _isKnown;

    /// <param name="services">The node's.</param>
    /// <param name="owner">Whose connections they become.</param>
    /// <param name="target">The peer's, in offers.</param>
    /// <param name="peer">Where the peer's own router expects us.</param>
    /// <param name="server">A server that answers STUN over TCP.</param>
    /// <param name="retry">Brackets before this one.</param>
    /// <param name="now">The time.</param>
    public TcpBracketOpening(NodeServices services, ITcpLinkOwner owner, ulong target, Endpoint peer, Endpoint server, int retry, Timestamp now)
        : base(services, owner, target, peer)
    {
        _retry = retry;
        _server = server;
        NextTimeout = now;
    }

    public override Timestamp NextTimeout
    {
        get
        {
            if (!_isKnown && _before?.Mapped is not null && _behind?.Mapped is not null) return Timestamp.Zero;
            var next = Timestamp.Min(base.NextTimeout, _before?.NextTimeout ?? Timestamp.Never);
            return Timestamp.Min(next, _behind?.NextTimeout ?? Timestamp.Never);
        }
        protected set => base.NextTimeout = value;
    }

    public override void HandleTimeout(Timestamp now)
    {
        _before?.HandleTimeout(now);
        _behind?.HandleTimeout(now);
        if (now >= base.NextTimeout) Step(now);
        if (_isKnown || _before?.Mapped is not { } before || _behind?.Mapped is not { } behind) return;
        _isKnown = true;
        if (TryBracket(before, behind, out var first, out var last)) Offer(before, first, last, TcpSearchPlan.BracketSockets);
    }

    /// <summary>The ports between two that a server saw. False for none: the router does not count; for many: it began anew, or draws; and where the addresses differ.</summary>
    public static bool TryBracket(Endpoint before, Endpoint behind, out int first, out int last)
    {
        (first, last) = before.Port < behind.Port ? (before.Port + 1, behind.Port - 1) : (behind.Port + 1, before.Port - 1);
        return before.Address == behind.Address && last - first + 1 is >= TcpSearchPlan.BracketSockets and <= PunchPlan.MaxOfferedPorts;
    }

    public override bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        return _before?.TryDequeueTransmit(buffer, out transmit) is true || _behind?.TryDequeueTransmit(buffer, out transmit) is true;
    }

    public override void Close()
    {
        base.Close();
        _before?.Close();
        _behind?.Close();
    }

    private void Step(Timestamp now)
    {
        NextTimeout = _step < 2 ? now + StepInterval : Timestamp.Never;
        switch (_step++)
        {
            case 0:
                _before = new TcpMappingTest(Services.Tcp, Services.Random, _server, now, isSide: true);
                break;
            case 1:
                Services.Search.TakeBurst(TcpSearchPlan.BracketSockets, now, Carrier.Tcp);
                TryHold(_retry, now);
                break;
            case 2:
                _behind = new TcpMappingTest(Services.Tcp, Services.Random, _server, now, isSide: true);
                break;
        }
    }
}
