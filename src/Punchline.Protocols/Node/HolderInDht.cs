using Punchline.Protocols.Coordination;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>The callee's end: it is there, and lets callers prove who they are before anything is kept of them.</summary>
internal sealed class HolderInDht : InboxInDht
{
    /// <summary>Callers in contact at once.</summary>
    public const int MaxCallers = 64;

    /// <summary>Of them, behind one address (or in one IPv6 /64): nobody keeps the others out alone.</summary>
    public const int MaxCallersOfSite = 8;

    // In the order of coming, so that a run replays.
    private readonly OrderedDictionary<Endpoint, Caller> _callers = [];
    private bool _isOpen;

    public HolderInDht(NodeServices services, DhtNode dht, IServerEnd owner, RoomKeys inbox, InstanceId instance, ushort port, Timestamp now)
        : base(services, dht, owner, inbox, instance, port, now)
    {
    }

    /// <summary>Callers in contact.</summary>
    public int CallerCount => _callers.Count;

    protected override bool IsLooking => true;

    protected override Timestamp NextBeat
    {
        get
        {
            var next = Timestamp.Never;
            foreach (var caller in _callers.Values) next = Timestamp.Min(next, caller.LastHeard + SilenceLimit);
            return next;
        }
    }

    protected override ReadOnlySpan<byte> ShownKey => Services.PublicKey.Span;

    public override Endpoint? WhereIs(PeerId peer)
    {
        Endpoint? latest = null;
        foreach (var (address, caller) in _callers)
        {
            if (caller.Peer == peer) latest = address;
        }
        return latest;
    }

    public override void HandleAsked(in DhtView view, Timestamp now)
    {
        if (_isOpen) return;
        _isOpen = true;
        Owner.HandleDhtAnswered();
    }

    protected override PeerId? FindAt(Endpoint source) => _callers.TryGetValue(source, out var caller) ? caller.Peer : null;

    protected override void HandleHello(Endpoint source, in ContactPacket contact, Timestamp now)
    {
        // Answers open our router as hellos do; what may still go there is for them.
        Asker.Rest(source);
        SendContact(ContactKind.Answer, source, contact.Cookie, now);
    }

    protected override void HandleProven(Endpoint source, in ContactPacket contact, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (contact.Kind != ContactKind.Introduction) return;
        var isKnown = _callers.TryGetValue(source, out var caller) && contact.PublicKey.SequenceEqual(caller.ShownKey);
        if (!isKnown) caller = Derive(contact.PublicKey, now);
        if (caller is null || !CallPacket.TryOpenIntroduction(packet, caller.Theirs, out var introduction) || introduction.Id == Services.Id) return;
        if (!isKnown && !TryProve(caller, introduction, now)) return;
        if (introduction.Id != caller.Peer || !CallPacket.IsProven(packet, caller.ProofKey)) return;
        if (!isKnown && !TryAdd(source, caller)) return;
        Services.ProbeBudget.Restore(source);
        Asker.Rest(source);
        caller.LastHeard = now;
        Enqueue(source, WriteIntroduction(source, contact.Cookie, caller.Ours, now));
        Tell(introduction, source, isNew: !isKnown, now);
    }

    protected override void Beat(Timestamp now)
    {
        for (var i = _callers.Count - 1; i >= 0; i--)
        {
            var (_, caller) = _callers.GetAt(i);
            if (now - caller.LastHeard < SilenceLimit) continue;
            _callers.RemoveAt(i);
            if (WhereIs(caller.Peer) is null) TellGone(caller.Peer, now);
        }
    }

    // Two agreements a newcomer, of those which it has who returns a cookie to a message 1.
    private Caller? Derive(ReadOnlySpan<byte> shownKey, Timestamp now) =>
        Services.AgreementPacer.TryTake(now, reserve: NodeServices.AgreementsForProven)
        && CallPacket.TryDeriveKey(Keys, Services.Identity, shownKey, isOurs: true, out var ours)
        && CallPacket.TryDeriveKey(Keys, Services.Identity, shownKey, isOurs: false, out var theirs)
            ? new Caller(shownKey.ToArray(), ours, theirs)
            : null;

    private bool TryProve(Caller caller, IntroductionBlob introduction, Timestamp now)
    {
        if (!Services.AgreementPacer.TryTake(now, reserve: NodeServices.AgreementsForProven)
            || !CallPacket.TryDeriveKey(Keys, Services.Identity, introduction.PublicKey.Span, isOurs: false, out var proofKey)) return false;
        (caller.Peer, caller.ProofKey) = (introduction.Id, proofKey);
        return true;
    }

    private bool TryAdd(Endpoint source, Caller caller)
    {
        if (_callers.Remove(source)) return TryAdd(source, caller);
        var site = AddressScope.SiteOf(source);
        if (_callers.Count == MaxCallers || _callers.Keys.Count(known => AddressScope.SiteOf(known) == site) == MaxCallersOfSite) return false;
        _callers.Add(source, caller);
        return true;
    }

    /// <summary>A caller, at one address.</summary>
    private sealed class Caller(byte[] shownKey, byte[] ours, byte[] theirs)
    {
        public byte[] ShownKey => shownKey;

        public byte[] Ours => ours;

        public byte[] Theirs => theirs;

        public byte[] ProofKey { get; set; } = [];

        public PeerId Peer { get; set; }

        public Timestamp LastHeard { get; set; }
    }
}
