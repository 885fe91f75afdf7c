using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// The hard side of a search: sockets whose openers make our router, which gives every destination another port, expect one peer at as many ports.
/// Where the router counts, the ports are known to lie between two that were seen from outside; where it draws, they are anywhere in its range.
/// </summary>
internal abstract class PortOpening(NodeServices services, Endpoint peer, SearchPlan plan) : ISideSocketOwner
{
    private readonly List<SideSocket> _sockets = [];
    private readonly Queue<Transmit> _openers = new();

    public SearchPlan Plan => plan;

    /// <summary>What the peer is to be told, once it is known; then null again.</summary>
    public PortOffer? NewOffer { get; protected set; }

    /// <summary>The next step.</summary>
    public Timestamp NextTimeout
    {
        get => NewOffer is null ? field : Timestamp.Zero;
        protected set;
    } = Timestamp.Never;

    protected NodeServices Services => services;

    protected Endpoint Peer => peer;

    protected IReadOnlyList<SideSocket> Sockets => _sockets;

    public PortOffer? TakeOffer()
    {
        var offer = NewOffer;
        NewOffer = null;
        return offer;
    }

    public abstract void HandleTimeout(Timestamp now);

    public abstract void HandleSideSocket(SideSocket socket, Timestamp now);

    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        if (!_openers.TryDequeue(out transmit)) return false;
        buffer[0] = PacketTypes.KeepAlive;
        return true;
    }

    /// <summary>A path that message 1 is to try now.</summary>
    public virtual bool TryTakeHandshake(Timestamp now, out PathAddress path)
    {
        path = default;
        return false;
    }

    public bool Has(SocketId socket) => _sockets.Exists(opened => opened.Id == socket);

    /// <summary>Gives all sockets back but one, on which a connection stands; that one comes out.</summary>
    public SideSocket? Close(SocketId? keep)
    {
        SideSocket? kept = null;
        foreach (var socket in _sockets)
        {
            if (socket.Id == keep) kept = socket;
            else services.SideSockets.Close(socket);
        }
        _sockets.Clear();
        _openers.Clear();
        NextTimeout = Timestamp.Never;
        return kept;
    }

    protected bool TryOpenSocket()
    {
        if (!services.SideSockets.TryOpen(this, out var socket)) return false;
        _sockets.Add(socket);
        return true;
    }

    // The mapping is our outermost NAT's: an opener that dies before it opens nothing. One that reaches the peer's router harms where that takes it for its own, so
    // that none goes further than it has to, where that is known.
    protected void SendOpener(SideSocket socket, Endpoint destination, int retry)
    {
        services.Counted.Probes++;
        _openers.Enqueue(new Transmit(new PathAddress(socket.Id, destination), 1, PunchPlan.OpenerTimeToLiveOf(services.OwnRouters, retry)));
    }

    protected static PortOffer Offer(ulong target, Endpoint address, int first, int last, int sockets) =>
        new(target, address.WithPort((ushort)first), (ushort)last, (ushort)sockets);
}

/// <summary>A router that draws from a range: one socket more as often as the budget allows.</summary>
internal sealed class BirthdayOpening : PortOpening
{
    private int _opened;
    private int _retry = 1;
    private int _retried;

    /// <param name="services">The node's.</param>
    /// <param name="target">The peer's, in offers.</param>
    /// <param name="peer">Where the peer's own router expects us.</param>
    /// <param name="external">Our router's address.</param>
    /// <param name="plan">How many sockets.</param>
    /// <param name="now">The time.</param>
    public BirthdayOpening(NodeServices services, ulong target, Endpoint peer, Endpoint external, SearchPlan plan, Timestamp now)
        : base(services, peer, plan)
    {
        // The peer can begin while ports are still being opened: half of them are, on average, in the meantime.
        NewOffer = Offer(target, external, services.Profile.FirstPort, services.Profile.LastPort, plan.Sockets);
        NextTimeout = now;
    }

    public override void HandleTimeout(Timestamp now)
    {
        if (now < NextTimeout) return;
        NextTimeout = Timestamp.Never;
        while (_opened < Plan.Sockets && !Services.Search.IsMappingsExhausted)
        {
            if (!Services.Search.TryTakeMapping(now))
            {
                NextTimeout = Timestamp.Max(Services.Search.NextAllowed(now), now + TimeSpan.FromMilliseconds(1));
                return;
            }
            _opened++;
            if (!TryOpenSocket()) break;
        }
        while (!Services.OwnRouters.IsCertain && _retry <= PunchPlan.MaxOpenerRetries && Sockets.Count > 0)
        {
            if (!Services.Search.TryTakeRepeat(now))
            {
                NextTimeout = Timestamp.Max(Services.Search.NextAllowed(now), now + TimeSpan.FromMilliseconds(1));
                return;
            }
            if (Sockets[_retried] is { State: SideSocketState.Open } socket) SendOpener(socket, Peer, _retry);
            if (++_retried == Sockets.Count) (_retried, _retry) = (0, _retry + 1);
        }
    }

    public override void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State == SideSocketState.Open) SendOpener(socket, Peer, retry: 0);
    }
}

/// <summary>A router that counts: a question where it is seen, openers, and another question, so close together that hardly anybody comes between.</summary>
internal sealed class BracketOpening : PortOpening
{
    /// <summary>Between the steps, so that one has left before the next does: the engine's timer is no finer.</summary>
    private static readonly TimeSpan StepInterval = TimeSpan.FromMilliseconds(1);

    private readonly ulong _target;
    private readonly IReadOnlyList<Endpoint> _aims;
    private readonly Reflector _reflector;
    private readonly int _retry;
    private int _step;

    /// <summary>What lies between the two answers says nothing: there is no offer.</summary>
    public bool IsSpoiled { get; private set; }

    /// <param name="services">The node's.</param>
    /// <param name="target">The peer's, in offers.</param>
    /// <param name="aims">Where the peer's own router may expect us, one at least.</param>
    /// <param name="reflector">Who says where we are seen.</param>
    /// <param name="plan">How many sockets.</param>
    /// <param name="retry">Brackets before this one.</param>
    public BracketOpening(NodeServices services, ulong target, IReadOnlyList<Endpoint> aims, Reflector reflector, SearchPlan plan, int retry)
        : base(services, aims[0], plan)
    {
        _retry = retry;
        _target = target;
        _aims = aims;
        _reflector = reflector;
        // First and last are for the requests.
        for (var i = 0; i < plan.Sockets + 2; i++) TryOpenSocket();
    }

    public override void HandleTimeout(Timestamp now)
    {
        if (now < NextTimeout) return;
        if (_step == 0 && Services.Search.NextPortsFreeAt > now)
        {
            NextTimeout = Services.Search.NextPortsFreeAt;
            return;
        }
        NextTimeout = Timestamp.Never;
        // Until the step behind this one is over, in its own time.
        if (_step < 2) Services.Search.ReserveNextPorts(now + (2 * StepInterval));
        switch (_step++)
        {
            case 0:
                Services.SideSockets.Query(Sockets[0], _reflector, now);
                NextTimeout = now + StepInterval;
                break;
            case 1:
                Services.Search.TakeBurst(Plan.Sockets, now);
                for (var i = 0; i < Plan.Sockets; i++) SendOpener(Sockets[i + 1], _aims[i % _aims.Count], _retry);
                NextTimeout = now + StepInterval;
                break;
            case 2:
                Services.SideSockets.Query(Sockets[^1], _reflector, now);
                break;
        }
    }

    public override void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (Sockets.Count < Plan.Sockets + 2) return;
        if (_step == 0)
        {
            if (Sockets.All(opened => opened.State == SideSocketState.Open)) NextTimeout = now;
            return;
        }
        if (Sockets[0].Reflexive is not [var before, ..] || Sockets[^1].Reflexive is not [var behind, ..]) return;
        var (first, last) = before.Port < behind.Port ? (before.Port + 1, behind.Port - 1) : (behind.Port + 1, before.Port - 1);
        // Nothing between them: the router does not count after all. Too much: it began anew in between, or we have opened much else.
        IsSpoiled = before.Address != behind.Address || last - first + 1 < Plan.Sockets || last - first >= PunchPlan.MaxOfferedPorts;
        if (IsSpoiled) NextTimeout = now;
        else NewOffer = Offer(_target, before, first, last, Plan.Sockets);
    }
}
