using Punchline.Protocols.Coordination;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Node;

/// <summary>The caller's end: it finds the peer that it calls, or gives up.</summary>
internal sealed class CallerInDht : InboxInDht
{
    /// <summary>How long the peer is looked for: two searches of its own, and what an answer takes.</summary>
    public static readonly TimeSpan MaxSearchTime = TimeSpan.FromSeconds(40);

    /// <summary>Where nobody stands under the topic, the peer is not there: after as many searches, and this time, for some are under other hours and end first.</summary>
    public const int MaxEmptySearches = 4;

    public static readonly TimeSpan MinSearchTime = TimeSpan.FromSeconds(12);

    private readonly PeerId _peer;
    // Of this call alone, so that whoever sits under the topic, and is not the peer, does not learn who calls.
    private readonly P256KeyPair _key;
    private readonly byte[] _shownKey;
    private Timestamp _giveUpAt;
    private int _searches;
    private Holder? _holder;

    public CallerInDht(NodeServices services, DhtNode dht, IServerEnd owner, PeerId peer, RoomKeys inbox, InstanceId instance, ushort port, Timestamp now)
        : base(services, dht, owner, inbox, instance, port, now)
    {
        _peer = peer;
        _key = P256KeyPair.Generate(services.Random);
        _shownKey = _key.PublicKey.ToArray();
        _giveUpAt = now + MaxSearchTime;
    }

    protected override bool IsLooking => _holder is not { IsMet: true };

    protected override Timestamp NextBeat => Timestamp.Min(_giveUpAt, _holder?.NextBeat ?? Timestamp.Never);

    protected override ReadOnlySpan<byte> ShownKey => _shownKey;

    public override Endpoint? WhereIs(PeerId peer) => peer == _peer && _holder is { IsMet: true } holder ? holder.Address : null;

    public override void HandleFound(Endpoint address, Timestamp now)
    {
        if (_holder?.Address != address) base.HandleFound(address, now);
    }

    public override void HandleAsked(in DhtView view, Timestamp now)
    {
        if (++_searches >= MaxEmptySearches && _holder is null && _giveUpAt != Timestamp.Never && _giveUpAt - now <= MaxSearchTime - MinSearchTime && !Asker.IsAsking) GiveUp(now);
    }

    public override void End()
    {
        base.End();
        _giveUpAt = Timestamp.Never;
        _key.Dispose();
    }

    protected override PeerId? FindAt(Endpoint source) => _holder is { IsMet: true } holder && holder.Address == source ? _peer : null;

    // Now its router lets ours in. Anybody who knows the peer's id can write one in its name, from any source: ours count to where they go as ever.
    protected override void HandleHello(Endpoint source, in ContactPacket contact, Timestamp now)
    {
        if (_holder is null && IdOf(contact.PublicKey) == _peer) Asker.Invite(source, now);
    }

    protected override void HandleProven(Endpoint source, in ContactPacket contact, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (IdOf(contact.PublicKey) != _peer) return;
        if (contact.Kind == ContactKind.Answer) HandleAnswer(source, contact, now);
        else if (contact.Kind == ContactKind.Introduction) HandleIntroduction(source, contact, packet, now);
    }

    protected override void Beat(Timestamp now)
    {
        if (now >= _giveUpAt) GiveUp(now);
        if (IsOver || _holder is not { } holder || now < holder.NextBeat) return;
        if (Owner.IsConnectedTo(_peer))
        {
            // The connection tells more than signs of life would; where it breaks, they begin again.
            (holder.LastHeard, holder.NextBeat) = (now, now + BeatInterval);
            return;
        }
        if (now - holder.LastHeard >= SilenceLimit)
        {
            Lose(holder, now);
            return;
        }
        holder.NextBeat = now + BeatInterval;
        SendIntroduction(holder, now);
    }

    // Only who is asked can say that it is there; the first to do so counts, until it falls silent.
    private void HandleAnswer(Endpoint source, in ContactPacket contact, Timestamp now)
    {
        if (_holder is not null || !Asker.TryGet(source, out _)) return;
        if (!CallPacket.TryDeriveKey(Keys, _key, contact.PublicKey, isOurs: true, out var ours)
            || !CallPacket.TryDeriveKey(Keys, _key, contact.PublicKey, isOurs: false, out var theirs)
            || !CallPacket.TryDeriveKey(Keys, Services.Identity, contact.PublicKey, isOurs: true, out var proofKey)) return;
        _holder = new Holder(source, ours, theirs, proofKey, contact.Cookie.ToArray(), now);
        // Its cookie has shown that it wants our packets: what its hellos have left of the budget might be a single one, that a lossy way swallows.
        Services.ProbeBudget.Renew(source);
        Asker.Rest(source);
        Beat(now);
    }

    private void HandleIntroduction(Endpoint source, in ContactPacket contact, ReadOnlySpan<byte> packet, Timestamp now)
    {
        if (_holder is not { } holder || holder.Address != source || !ContactPacket.TryOpenBlob(holder.Theirs, packet, out var introduction) || introduction.Id != _peer) return;
        Services.ProbeBudget.Restore(source);
        var isNew = !holder.IsMet;
        (holder.IsMet, holder.LastHeard, holder.Cookie) = (true, now, contact.Cookie.ToArray());
        _giveUpAt = Timestamp.Never;
        Asker.Clear();
        Tell(introduction, source, isNew, now);
    }

    private void Lose(Holder holder, Timestamp now)
    {
        _holder = null;
        Asker.Rest(holder.Address);
        Hurry(now);
        if (holder.IsMet) TellGone(_peer, now);
    }

    private void GiveUp(Timestamp now)
    {
        _giveUpAt = Timestamp.Never;
        Owner.HandleServerEvent(new CoordinationClientEvent.Refused(CoordinationErrorCode.Offline, ""), now);
    }

    private void SendIntroduction(Holder holder, Timestamp now)
    {
        var packet = CallPacket.Prove(WriteIntroduction(holder.Address, holder.Cookie, holder.Ours, now), holder.ProofKey);
        if (holder.IsMet || Services.ProbeBudget.TryTake(holder.Address, packet.Length, isAnswer: true, now)) Enqueue(holder.Address, packet);
    }

    /// <summary>Where the peer says that it is.</summary>
    private sealed class Holder(Endpoint address, byte[] ours, byte[] theirs, byte[] proofKey, byte[] cookie, Timestamp now)
    {
        public Endpoint Address => address;

        public byte[] Ours => ours;

        public byte[] Theirs => theirs;

        public byte[] ProofKey => proofKey;

        /// <summary>To be returned to it.</summary>
        public byte[] Cookie { get; set; } = cookie;

        public Timestamp LastHeard { get; set; } = now;

        public Timestamp NextBeat { get; set; } = now;

        /// <summary>It has proved that it is the peer.</summary>
        public bool IsMet { get; set; }
    }
}
