using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// One room: its members as the server and the direct paths know them, our own entry at the server, and the messages.
/// A member is gone only when neither the server nor a direct path has it (PROTOCOL §10).
/// </summary>
internal sealed partial class RoomSession : IDisposable
{
    /// <summary>
    /// How often connections prove themselves without a server (PROTOCOL §10). While it does that for them, they only keep their paths, and so does the
    /// connection of a call, which is nobody's presence.
    /// </summary>
    public static readonly TimeSpan UnservedKeepAlive = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which a member without a server is gone (PROTOCOL §10).</summary>
    public static readonly TimeSpan SilenceLimit = TimeSpan.FromSeconds(15);

    /// <summary>What a member that the server gave up gets to answer a ping, before it is gone.</summary>
    public static readonly TimeSpan LastChance = TimeSpan.FromSeconds(2);

    /// <summary>Events that wait for the owner before members' messages wait where they are.</summary>
    public const int MaxPendingEvents = 1_024;

    private static readonly TimeSpan MinReintroductionInterval = TimeSpan.FromSeconds(1);

    private readonly NodeServices _services;
    private readonly int _number;
    private readonly OwnIntroduction _self;
    private readonly IRendezvous _rendezvous;
    // In the order of joining, so that a run replays whatever the process's hash seed is.
    private readonly List<Member> _members = [];
    private readonly Queue<NodeEvent> _events = new();
    private readonly DepartedChats _departed = new();
    private ulong _lastSequence;
    private bool _isLeaving;
    private Timestamp _reintroducedAt;

    /// <param name="services">The node's.</param>
    /// <param name="number">What the node calls the room.</param>
    /// <param name="keys">The room's.</param>
    /// <param name="self">What we say of ourselves in it.</param>
    /// <param name="rendezvous">Makes what introduces the members to this session, which is whole but for that.</param>
    public RoomSession(NodeServices services, int number, RoomKeys keys, OwnIntroduction self, Func<RoomSession, IRendezvous> rendezvous)
    {
        _services = services;
        _number = number;
        Keys = keys;
        _self = self;
        _rendezvous = rendezvous(this);
    }

    public RoomKeys Keys { get; }

    /// <summary>What the node calls the room.</summary>
    public int Number => _number;

    /// <summary>What its connections carry on our side.</summary>
    public RoomUse Use { get; init; } = RoomUse.Chat;

    public TimeSpan KeepAliveInterval => IsServed || _rendezvous.IsOfTwo ? TimeSpan.Zero : UnservedKeepAlive;

    /// <summary>Who is not connected to before a pause is over.</summary>
    public ReconnectPauses Pauses { get; } = new();

    /// <summary>Members known, connected or not.</summary>
    public int MemberCount => _members.Count;

    /// <summary>Messages that some member has not acknowledged.</summary>
    /// <remarks>Without those to whom no way was found: theirs go out if one is found later.</remarks>
    public int Undelivered => _members.Sum(member => member.Session.IsReachable ? member.Session.Chat.Undelivered : 0);

    public Timestamp NextTimeout
    {
        get
        {
            var next = Timestamp.Min(StrangersDeadline, MutualTimeout);
            foreach (var member in _members)
            {
                next = Timestamp.Min(next, Timestamp.Min(member.Session.NextTimeout, DeadlineOf(member)));
                if (member.Other is { } other) next = Timestamp.Min(next, other.NextTimeout);
            }
            foreach (var farewell in _farewells) next = Timestamp.Min(next, farewell.NextTimeout);
            return next;
        }
    }

    /// <summary>
    /// Takes a message for every member, connected or still being connected. False where one of them has too much
    /// unacknowledged: then nothing was taken.
    /// </summary>
    public bool TrySend(ReadOnlySpan<byte> text, Timestamp now, out ulong sequence)
    {
        sequence = _lastSequence + 1;
        var frame = ChatFrame.WriteMessage(sequence, text);
        foreach (var member in _members)
        {
            if (member.Session.IsReachable && !member.Session.Chat.HasRoomFor(frame.Length)) return false;
        }
        _lastSequence = sequence;
        foreach (var member in _members)
        {
            if (!member.Session.IsReachable) member.Session.Chat.MakeRoomFor(frame.Length);
            member.Session.Send(sequence, frame);
            Drain(member, now);
        }
        return true;
    }

    /// <summary>Whether a goodbye may still have to be repeated to some member.</summary>
    public bool IsClosing => Sessions.Any(session => session.IsClosing);

    /// <summary>Says goodbye to the server and to every member.</summary>
    public void Leave(Timestamp now)
    {
        _isLeaving = true;
        _rendezvous.Leave(now);
        foreach (var session in Sessions) session.Leave(CloseCodes.Left, "left", now);
    }

    /// <summary>Packets may leave from another address from now on: they carry other ids.</summary>
    public void ChangeConnectionIds()
    {
        foreach (var session in Sessions) session.ChangeConnectionId();
    }

    /// <summary>Tells the members, of whom it concerns one, that this one is expected at some port of ours. False where there is no room for it.</summary>
    public bool TryOffer(PortOffer offer, Timestamp now)
    {
        if (!_self.TryOffer(offer)) return false;
        TellOfSelf(Announce(now), now);
        return true;
    }

    /// <summary>Tells the members, of whom it concerns one, where the search of that one's ports begins. False where there is no room for it.</summary>
    public bool TryName(SearchOrigin origin, Timestamp now)
    {
        if (!_self.TryName(origin)) return false;
        TellOfSelf(Announce(now), now);
        return true;
    }

    /// <summary>The same of a search of our ports, with the offer that follows. False where there is no room for it.</summary>
    public bool TryAgree(SearchOrigin origin) => _self.TryName(origin);

    /// <inheritdoc cref="Withdraw"/>
    public void WithdrawOrigin(PeerId peer) => _self.WithdrawOrigin(PortOffer.TargetOf(peer));

    /// <summary>A member is expected at its ports no more. That is no news: the next word of ours says it.</summary>
    public void Withdraw(PeerId peer, Carrier carrier = Carrier.Udp) => _self.Withdraw(PortOffer.TargetOf(peer), carrier);

    /// <summary>Tells one member in-band of a candidate that is of use to it alone, beside those that all know.</summary>
    public void AnnounceTo(PeerSession session, Candidate candidate)
    {
        var own = _self.Renew(AllowLoopback);
        session.Announce(own with { Candidates = [candidate, .. own.Candidates.Take(Candidate.MaxPerPeer - 1)] });
    }

    /// <summary>Our own candidates changed.</summary>
    public void HandleCandidatesChanged(Timestamp now)
    {
        foreach (var session in Sessions) session.Replan(now);
        var own = Announce(now);
        // In-band as well: whoever loses the server, or is told sooner, still has a way.
        foreach (var session in Sessions) session.Announce(own);
        TellOfSelf(own, now);
    }

    // By the rendezvous. What is returned has the generation that it got there, or a new one where nothing was sent.
    private IntroductionBlob Announce(Timestamp now)
    {
        var generation = _self.Generation;
        _rendezvous.Announce(now);
        return _self.Generation > generation ? _self.Create(AllowLoopback) : _self.Renew(AllowLoopback);
    }

    /// <summary>Our own address is another one: TCP connections that stand by are made anew.</summary>
    public void RenewTcp(Timestamp now)
    {
        foreach (var session in Sessions) session.RenewTcp(now);
    }

    /// <summary>A member's path is silent: the rendezvous introduces us anew, so that it looks for us as we do for it.</summary>
    public void Reintroduce(Timestamp now)
    {
        // Once for all members that fell silent together.
        if (now < _reintroducedAt + MinReintroductionInterval && _reintroducedAt != default) return;
        _reintroducedAt = now;
        if (!_isLeaving) TellOfSelf(Announce(now), now);
    }

    /// <summary>The network has changed, or time has passed unseen: whether the paths still work is found out.</summary>
    public void DoubtPaths()
    {
        foreach (var session in Sessions) session.DoubtPath();
    }

    public void HandleTimeout(Timestamp now)
    {
        for (var i = _members.Count - 1; i >= 0; i--)
        {
            var member = _members[i];
            member.Session.HandleTimeout(now);
            member.Other?.HandleTimeout(now);
            Drain(member, now);
            if (!member.IsForgotten && now >= DeadlineOf(member)) Remove(member, member.HasLeftServer ? DepartureReason.Left : DepartureReason.Timeout);
        }
        HandleFarewellsTimeout(now);
        HandleMutualTimeout(now);
        if (now >= StrangersDeadline) RemoveStrangers(_ => true, DepartureReason.Timeout);
    }

    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        foreach (var member in _members)
        {
            if (member.Session.TryDequeueTransmit(now, buffer, out transmit)) return true;
            if (member.Other is { } other && other.TryDequeueTransmit(now, buffer, out transmit)) return true;
        }
        foreach (var farewell in _farewells)
        {
            if (farewell.TryDequeueTransmit(now, buffer, out transmit)) return true;
        }
        transmit = default;
        return false;
    }

    public bool TryDequeueEvent(Timestamp now, [NotNullWhen(true)] out NodeEvent? nodeEvent)
    {
        if (!_events.TryDequeue(out nodeEvent)) return false;
        if (_events.Count == MaxPendingEvents - 1)
        {
            foreach (var member in _members) DrainChat(member, now);
        }
        return true;
    }

    /// <summary>A packet was handled by <paramref name="session"/>: what came of it is the room's business.</summary>
    public void HandleProgress(PeerSession session, Timestamp now)
    {
        // Without a lambda, whose closure would be an allocation a packet.
        foreach (var member in _members)
        {
            if (member.Session != session && member.Other != session) continue;
            Drain(member, now);
            return;
        }
    }

    /// <summary>A member, new or known, as it describes itself in a blob that opened.</summary>
    public void Introduce(IntroductionBlob introduction, Timestamp now)
    {
        if (introduction.Id == _services.Id) return;
        if (!IsAllowed(introduction.Id))
        {
            IntroduceStranger(introduction);
            return;
        }
        var member = _members.Find(known => known.Session.Peer == introduction.Id);
        if (member is null)
        {
            if (_members.Count == CoordinationLimits.MaxMembersPerRoom) RemoveHearsay();
            TryAdd(introduction, now);
            return;
        }
        member.GivenUpAt = null;
        member.HasLeftServer = false;
        member.Session.SetKeepAlive(KeepAliveOf(member));
        IntroduceAgain(member, introduction, now);
        Drain(member, now);
    }

    private Member? TryAdd(IntroductionBlob introduction, Timestamp now, bool isKnown = false)
    {
        if (_members.Count == CoordinationLimits.MaxMembersPerRoom || !TryCreateContext(introduction, out var context)) return null;
        var chat = _departed.Take(introduction.Instance) ?? new ChatChannel();
        var member = new Member(new PeerSession(_services, this, introduction, context, chat, now));
        _members.Add(member);
        _hasMet = true;
        if (!isKnown) _events.Enqueue(new NodeEvent.MemberJoined(_number, introduction.Id, introduction.Name));
        // What is probed is known at once.
        Drain(member, now);
        return member;
    }

    public void AddTo(ref NodeStatistics statistics)
    {
        foreach (var session in Sessions) session.AddTo(ref statistics);
    }

    public void Dispose()
    {
        foreach (var session in Sessions) session.Dispose();
        _members.Clear();
    }

    // What the handshake with a member needs (PROTOCOL §6). False where what it calls its key is no point of the curve.
    private bool TryCreateContext(IntroductionBlob remote, [NotNullWhen(true)] out HandshakeContext? context)
    {
        context = null;
        var local = _self.Peer;
        Span<byte> agreement = stackalloc byte[P256KeyPair.SharedSecretLength];
        if (!_services.Identity.TryAgree(remote.PublicKey.Span, agreement)) return false;
        context = new HandshakeContext(
            _services.Identity,
            _services.Id,
            remote.Id,
            Keys.DerivePairKey(local, remote.Peer, agreement),
            HandshakePrologue.Write(Keys.Tag, _self.Create(AllowLoopback), remote),
            Keys.DeriveHint(local, remote.Peer),
            Keys.DeriveHint(remote.Peer, local));
        CryptographicOperations.ZeroMemory(agreement);
        return true;
    }

    // When a member's silence ends it. With a server that has it there is no such moment.
    private Timestamp DeadlineOf(Member member)
    {
        if (_isLeaving) return Timestamp.Never;
        // It is there as long as another member has it.
        if (!member.Session.IsConnected && IsVouched(member.Session.Peer)) return Timestamp.Never;
        // Nobody's presence hangs on a call's connection, which may say nothing for long: only what was asked counts.
        var isOnlyKept = _rendezvous.IsOfTwo && member.Session.IsConnected;
        if (member.GivenUpAt is { } givenUpAt)
        {
            if (!member.Session.IsConnected) return givenUpAt;
            var heard = member.Session.LastHeard;
            if (member.HasLeftServer && heard <= givenUpAt) return givenUpAt + LastChance;
            if (!isOnlyKept) return Timestamp.Max(givenUpAt + LastChance, heard + SilenceLimit);
        }
        if (isOnlyKept) return member.Session.UnansweredSince + SilenceLimit;
        if (IsServed) return Timestamp.Never;
        // While there was a server it may have been silent for longer: it has been asked, and gets time to answer.
        if (member.Session.IsConnected) return Timestamp.Max(_unservedSince + LastChance, member.Session.LastHeard + SilenceLimit);
        return member.Session.IsPunching || member.Session.IsPaused ? Timestamp.Never : member.Session.LastHeard + SilenceLimit;
    }

    private sealed class Member(PeerSession session)
    {
        public PeerSession Session { get; set; } = session;

        /// <summary>Of another process of the same peer: a newer one on its way, or the older one as we take our leave of it.</summary>
        public PeerSession? Other { get; set; }

        /// <summary>When the server said that it has the member no more.</summary>
        public Timestamp? GivenUpAt { get; set; }

        /// <summary>It said so because the member left it.</summary>
        public bool HasLeftServer { get; set; }

        /// <summary>What the others were told, or would be told now, of it.</summary>
        public MemberView View { get; set; }

        /// <summary>The owner heard of a connection, and not yet of its end.</summary>
        public bool IsToldConnected { get; set; }

        /// <summary>The owner heard, or will hear nothing more, of it.</summary>
        public bool IsForgotten { get; set; }
    }
}
