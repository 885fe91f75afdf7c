using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// A call on its way out: it joins the peer's inbox at the server, rings, and once the peer takes it there is a room of the
/// two, which then hears through here of the peer's new candidates and whether it is there.
/// </summary>
internal sealed class OutgoingCall : IServerEnd, IRendezvous
{
    /// <summary>How long a call rings, on either side.</summary>
    public static readonly TimeSpan RingTime = TimeSpan.FromSeconds(60);

    private readonly NodeServices _services;
    private readonly int _number;
    private readonly PeerId _peer;
    private readonly RoomKeys _inbox;
    private readonly OwnIntroduction _self;
    private readonly RoomUse _use;
    private readonly Pacer _pacer = new(CoordinationLimits.CallerSignalsPerSecond / 2.0, CoordinationLimits.CallerSignalBurst / 2);
    private readonly Queue<NodeEvent> _events = new();
    private readonly ISignalling _signalling;
    private uint _generation;
    private CallLine? _line;
    private IntroductionBlob? _remote;
    private Timestamp _connectedAt;
    private Timestamp _ringAt = Timestamp.Never;
    private Timestamp _ringEnds = Timestamp.Never;
    private bool _isOver;

    /// <param name="services">The node's.</param>
    /// <param name="number">What the node calls the call, and then its room.</param>
    /// <param name="peer">Whom to call.</param>
    /// <param name="name">What we call ourselves.</param>
    /// <param name="use">What the connection is to carry.</param>
    /// <param name="carry">What takes the server's place, if anything does.</param>
    public OutgoingCall(NodeServices services, int number, PeerId peer, string name, RoomUse use, Func<OutgoingCall, RoomKeys, InstanceId, ISignalling>? carry = null)
    {
        _use = use;
        _services = services;
        _number = number;
        _peer = peer;
        _inbox = RoomKeys.OfInbox(peer);
        _self = new OwnIntroduction(services, InstanceId.Generate(services.Random), name);
        Server = new ServerEntry(services, this, _inbox.Tag, _self.Peer.Instance);
        _signalling = carry?.Invoke(this, _inbox, _self.Peer.Instance) ?? Server;
    }

    public ServerEntry Server { get; }

    /// <summary>Of the two; null before the peer has taken the call.</summary>
    public RoomSession? Room { get; private set; }

    public bool IsServed => _signalling.IsServed;

    public bool IsLoopback => _signalling.IsLoopback;

    public bool IsOfTwo => true;

    public Timestamp NextTimeout =>
        Timestamp.Min(Timestamp.Min(Server.NextTimeout, _line?.NextTimeout ?? Timestamp.Never), Timestamp.Min(_ringAt, _ringEnds));

    public void HandleServerConnected(Timestamp now)
    {
        _connectedAt = now;
        var blob = OwnIntroduction.WithoutAddresses(_services, _self.Peer.Instance, ++_generation);
        Server.Announce(_generation, blob.Seal(_inbox, _services.Random), now);
    }

    public void HandleServerEvent(CoordinationClientEvent serverEvent, Timestamp now)
    {
        switch (serverEvent)
        {
            case CoordinationClientEvent.Welcomed welcomed:
                if (Room is null) _events.Enqueue(new NodeEvent.ServerJoined(_number));
                else Room.HandleServed();
                HandleWelcome(welcomed.Members, now);
                break;
            case CoordinationClientEvent.MemberJoined joined:
                TryMeet(joined.Member, now);
                break;
            case CoordinationClientEvent.MemberUpdated updated:
                TryMeet(updated.Member, now);
                break;
            case CoordinationClientEvent.MemberLeft left when left.Id == _peer:
                if (Room is null) End(CallEnding.Offline, now);
                else Room.GiveUp(_peer, left.Reason == MemberLeftReason.Left, now);
                break;
            case CoordinationClientEvent.Signalled signalled when signalled.From == _peer:
                HandleSignal(signalled.Data.Span, now);
                break;
            case CoordinationClientEvent.Replaced:
                if (Room is null) _events.Enqueue(new NodeEvent.ServerReplaced(_number));
                else Room.HandleReplaced(now);
                break;
            case CoordinationClientEvent.Refused refused:
                HandleRefused(refused, now);
                break;
        }
    }

    // Who is offline may come.
    public bool OutlastsRefusal(string code) => string.Equals(code, CoordinationErrorCode.Offline, StringComparison.Ordinal);

    public void HandleDhtSilent()
    {
        if (Room is null) _events.Enqueue(new NodeEvent.DhtSilent(_number));
    }

    public bool IsConnectedTo(PeerId peer) => Room?.IsConnectedTo(peer) is true;

    public void HandleServerLost(bool isNews, Timestamp now)
    {
        _ringAt = Timestamp.Never;
        if (!isNews) return;
        if (Room is not null) Room.HandleServerLost(now);
        else if (!_isOver) _events.Enqueue(new NodeEvent.ServerLost(_number));
    }

    public void HandleCandidatesChanged(Timestamp now)
    {
        // With a room, it is the room that says so.
        if (Room is not null || _isOver) return;
        if (_ringAt != Timestamp.Never) Ring(now);
        else Announce(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        Server.HandleTimeout(now);
        if (now >= _ringEnds) End(CallEnding.NoAnswer, now);
        if (now >= _ringAt) Ring(now);
        _line?.HandleTimeout(now);
    }

    public void Announce(Timestamp now)
    {
        if (_ringEnds != Timestamp.Never || Room is not null) _line?.Announce(now);
    }

    public void Leave(Timestamp now)
    {
        _isOver = true;
        (_ringAt, _ringEnds) = (Timestamp.Never, Timestamp.Never);
        _line?.Send(CallSignalType.HangUp, now);
        _line = null;
        _signalling.Leave(now);
    }

    public bool TryDequeueEvent([NotNullWhen(true)] out NodeEvent? nodeEvent) => _events.TryDequeue(out nodeEvent);

    private void HandleWelcome(IReadOnlyList<MemberEntry> members, Timestamp now)
    {
        var isThere = false;
        foreach (var member in members) isThere |= TryMeet(member, now);
        if (isThere) return;
        if (Room is null) End(CallEnding.Offline, now);
        else Room.HandlePresent([], now);
    }

    // The holder, as the server introduces it. A blob that does not open, or whose key is not that of the id that we dialled, is
    // a mistake of the server's or an attack: then the peer is not there.
    private bool TryMeet(MemberEntry entry, Timestamp now)
    {
        if (_isOver || !IntroductionBlob.TryOpen(entry.Blob, _inbox, out var holder)) return false;
        if (entry.Id != _peer || holder.Id != _peer || holder.Instance != entry.Instance) return false;
        if (_line is not null && _line.Remote.Instance == holder.Instance)
        {
            // It may have missed what we said.
            if (Room is not null)
            {
                _line.SendAgain(CallSignalType.Update, now);
                Room.Introduce(_remote!, now);
            }
            else if (_ringEnds == Timestamp.Never) Ring(now);
            else _line.SendAgain(CallSignalType.Ring, now);
            return true;
        }
        // The call is with another process of the peer's. Whether that still lives, the direct path knows.
        if (Room is not null) return false;
        if (!CallKeys.TryDerive(_inbox, _services.Identity, _self.Peer, holder.Peer, holder.PublicKey.Span, out var keys)) return false;
        _line = new CallLine(_services, _signalling, _self, keys, holder.Peer, _pacer);
        _ringAt = _services.IsReflexiveKnown ? now : Timestamp.Max(now, _connectedAt + RoomAtServer.MaxJoinDelay);
        if (_ringAt <= now) Ring(now);
        return true;
    }

    private void Ring(Timestamp now)
    {
        _ringAt = Timestamp.Never;
        if (_ringEnds == Timestamp.Never)
        {
            _ringEnds = now + RingTime;
            _events.Enqueue(new NodeEvent.CallRings(_number));
        }
        _line?.Send(CallSignalType.Ring, now);
    }

    private void HandleSignal(ReadOnlySpan<byte> data, Timestamp now)
    {
        if (_line is null || !_line.TryOpen(data, out var signal)) return;
        switch (signal.Type)
        {
            case CallSignalType.Accept when Room is null:
                (_ringAt, _ringEnds) = (Timestamp.Never, Timestamp.Never);
                _events.Enqueue(new NodeEvent.CallTaken(_number));
                Room = new RoomSession(_services, _number, _line.Keys.Room, _self, _ => this) { Use = _use };
                Introduce(Room, signal.Introduction!, now);
                break;
            case CallSignalType.Accept or CallSignalType.Update when Room is not null:
                Introduce(Room, signal.Introduction!, now);
                break;
            case CallSignalType.Refuse when Room is null:
                End(signal.Refusal == CallRefusalCode.Busy ? CallEnding.Busy : CallEnding.Refused, now);
                break;
            case CallSignalType.HangUp when Room is null:
                End(CallEnding.Refused, now);
                break;
            case CallSignalType.HangUp:
                _line = null;
                _isOver = true;
                Room.GiveUp(_peer, hasLeft: true, now);
                break;
        }
    }

    private void Introduce(RoomSession room, IntroductionBlob introduction, Timestamp now)
    {
        if (_remote is null || introduction.Generation > _remote.Generation) _remote = introduction;
        room.Introduce(_remote, now);
    }

    private void HandleRefused(CoordinationClientEvent.Refused refused, Timestamp now)
    {
        switch (refused.Code)
        {
            // It rang there already, or was taken: the server has come back before the peer did, and is asked again.
            case CoordinationErrorCode.Offline when _line is not null:
                break;
            case CoordinationErrorCode.Offline:
                End(CallEnding.Offline, now);
                break;
            case CoordinationErrorCode.RoomFull when Room is null:
                End(CallEnding.Busy, now);
                break;
            default:
                if (Room is null) _events.Enqueue(new NodeEvent.ServerRefused(_number, refused.Code, refused.Message));
                else Room.HandleRefused(refused.Code, refused.Message, now);
                break;
        }
    }

    private void End(CallEnding ending, Timestamp now)
    {
        if (_isOver) return;
        _events.Enqueue(new NodeEvent.CallEnded(_number, _peer, ending));
        Leave(now);
    }
}
