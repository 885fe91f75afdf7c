using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>
/// Our inbox: callers ring in it, and the owner answers. Nobody learns an address of ours there but whose call was taken
/// (PROTOCOL §2); that this peer is there, whoever knows its id learns.
/// </summary>
internal sealed class InboxSession : IServerEnd
{
    /// <summary>Calls that wait for an answer at once. A person has one ear; a program answers as they come.</summary>
    public const int MaxRinging = 16;

    /// <summary>
    /// Callers remembered, there or gone: all that may be there, those whose rooms live on, and some more, so that a
    /// signal of somebody who just left is not taken a second time.
    /// </summary>
    public const int MaxCallers = 512;

    private readonly NodeServices _services;
    private readonly int _number;
    private readonly string _name;
    private readonly IReadOnlySet<PeerId>? _allowed;
    private readonly RoomKeys _keys;
    private readonly InstanceId _instance;
    private readonly Pacer _pacer = new(CoordinationLimits.HolderSignalsPerSecond / 2.0, CoordinationLimits.HolderSignalBurst / 2);
    // In the order of coming, so that a run replays.
    private readonly OrderedDictionary<IntroducedPeer, IncomingCall> _callers = [];
    private readonly Queue<NodeEvent> _events = new();
    private readonly ISignalling _signalling;
    private uint _generation;
    private int _lastCall;

    /// <param name="services">The node's.</param>
    /// <param name="number">What the node calls the inbox.</param>
    /// <param name="name">What callers see once their call is taken.</param>
    /// <param name="allowed">Who may ring; null: anyone.</param>
    /// <param name="carry">What takes the server's place, if anything does.</param>
    public InboxSession(NodeServices services, int number, string name, IReadOnlySet<PeerId>? allowed, Func<InboxSession, RoomKeys, InstanceId, ISignalling>? carry = null)
    {
        _services = services;
        _number = number;
        _name = name;
        _allowed = allowed;
        _keys = RoomKeys.OfInbox(services.Id);
        _instance = InstanceId.Generate(services.Random);
        Server = new ServerEntry(services, this, _keys.Tag, _instance);
        _signalling = carry?.Invoke(this, _keys, _instance) ?? Server;
    }

    public ServerEntry Server { get; }

    public Timestamp NextTimeout
    {
        get
        {
            var next = Server.NextTimeout;
            foreach (var call in _callers.Values) next = Timestamp.Min(next, call.NextTimeout);
            return next;
        }
    }

    /// <summary>Callers remembered.</summary>
    public int CallerCount => _callers.Count;

    /// <summary>Takes a call that rings. Null: it rings no more.</summary>
    /// <param name="call">Its number.</param>
    /// <param name="room">What the room of the two is to be called.</param>
    /// <param name="use">What their connection is to carry.</param>
    /// <param name="now">The time.</param>
    public RoomSession? Accept(int call, int room, RoomUse use, Timestamp now) => FindRinging(call)?.Accept(room, use, now);

    /// <summary>Does not take a call. One that rings no more needs no answer.</summary>
    public void Refuse(int call, CallRefusalCode reason, Timestamp now) => FindRinging(call)?.Refuse(reason, now);

    /// <summary>A peer is blocked: what rings of it is refused.</summary>
    public void HandleBlocked(PeerId peer, Timestamp now)
    {
        foreach (var call in _callers.Values)
        {
            if (call.State != IncomingCallState.Ringing || call.Caller.Id != peer) continue;
            call.Refuse(CallRefusalCode.Refused, now);
            _events.Enqueue(new NodeEvent.CallWithdrawn(_number, call.Number));
        }
    }

    public void HandleServerConnected(Timestamp now)
    {
        var blob = OwnIntroduction.WithoutAddresses(_services, _instance, ++_generation);
        Server.Announce(_generation, blob.Seal(_keys, _services.Random), now);
    }

    public void HandleServerEvent(CoordinationClientEvent serverEvent, Timestamp now)
    {
        switch (serverEvent)
        {
            case CoordinationClientEvent.Welcomed welcomed:
                _events.Enqueue(new NodeEvent.ServerJoined(_number));
                foreach (var call in _callers.Values) call.HandleServed();
                foreach (var entry in welcomed.Members) Meet(entry, now);
                // Who left while we were away from the server.
                foreach (var call in _callers.Values.Where(call => call.IsPresent && welcomed.Members.All(entry => entry.Id != call.Caller.Id)))
                    HandleAbsent(call, hasLeft: false, now);
                break;
            case CoordinationClientEvent.MemberJoined joined:
                Meet(joined.Member, now);
                break;
            case CoordinationClientEvent.MemberUpdated updated:
                Meet(updated.Member, now);
                break;
            case CoordinationClientEvent.MemberLeft left:
                if (FindPresent(left.Id) is { } leaver) HandleAbsent(leaver, left.Reason == MemberLeftReason.Left, now);
                break;
            case CoordinationClientEvent.Signalled signalled:
                if (FindPresent(signalled.From) is { } caller && caller.Line.TryOpen(signalled.Data.Span, out var signal)) HandleSignal(caller, signal, now);
                break;
            case CoordinationClientEvent.Echoed echoed:
                foreach (var call in _callers.Values) call.HandleEcho(echoed.Number, now);
                break;
            case CoordinationClientEvent.Replaced:
                _events.Enqueue(new NodeEvent.ServerReplaced(_number));
                GoOnUnserved(now);
                break;
            case CoordinationClientEvent.Refused refused:
                _events.Enqueue(new NodeEvent.ServerRefused(_number, refused.Code, refused.Message));
                GoOnUnserved(now);
                break;
        }
    }

    public void HandleServerLost(bool isNews, Timestamp now)
    {
        if (isNews) _events.Enqueue(new NodeEvent.ServerLost(_number));
        foreach (var call in _callers.Values) call.HandleServerLost(isNews, now);
    }

    public void HandleTimeout(Timestamp now)
    {
        Server.HandleTimeout(now);
        foreach (var call in _callers.Values)
        {
            call.HandleTimeout(now);
            // The caller gives up at the same moment, so that nobody need be told.
            if (now >= call.RingEnds) Withdraw(call);
        }
    }

    public void HandleDhtAnswered() => _events.Enqueue(new NodeEvent.ServerJoined(_number));

    public void HandleDhtSilent() => _events.Enqueue(new NodeEvent.DhtSilent(_number));

    public void Leave(Timestamp now)
    {
        foreach (var call in _callers.Values) Withdraw(call);
        _signalling.Leave(now);
        GoOnUnserved(now);
    }

    public bool TryDequeueEvent([NotNullWhen(true)] out NodeEvent? nodeEvent) => _events.TryDequeue(out nodeEvent);

    // A caller, as the server introduces it. A blob that does not open, or speaks for another, is a mistake of the server's or
    // an attack: there is no such caller.
    private void Meet(MemberEntry entry, Timestamp now)
    {
        if (!IntroductionBlob.TryOpen(entry.Blob, _keys, out var introduction)) return;
        if (introduction.Id != entry.Id || introduction.Instance != entry.Instance || introduction.Id == _services.Id) return;
        // Another process of the same peer: what the older one rang for is not wanted any more.
        if (FindPresent(introduction.Id) is { } older && older.Caller != introduction.Peer) HandleAbsent(older, hasLeft: false, now);
        if (_callers.TryGetValue(introduction.Peer, out var known))
        {
            known.HandlePresent(now);
            return;
        }
        var self = new OwnIntroduction(_services, _instance, _name);
        if (!TryMakeRoom() || !CallKeys.TryDerive(_keys, _services.Identity, self.Peer, introduction.Peer, introduction.PublicKey.Span, out var keys)) return;
        var line = new CallLine(_services, _signalling, self, keys, introduction.Peer, _pacer);
        _callers.Add(introduction.Peer, new IncomingCall(_services, _signalling, line, self));
    }

    // The oldest go first of those who are gone and share no room with us.
    private bool TryMakeRoom()
    {
        if (_callers.Count < MaxCallers) return true;
        foreach (var (peer, call) in _callers)
        {
            if (call.IsPresent || call.State == IncomingCallState.Taken) continue;
            _callers.Remove(peer);
            return true;
        }
        return false;
    }

    private void HandleSignal(IncomingCall caller, CallSignal signal, Timestamp now)
    {
        switch (signal.Type)
        {
            case CallSignalType.Ring:
                HandleRing(caller, signal.Introduction!, now);
                break;
            case CallSignalType.Update:
                caller.HandleIntroduction(signal.Introduction!, now);
                break;
            case CallSignalType.HangUp when caller.State == IncomingCallState.Ringing:
                Withdraw(caller);
                break;
            case CallSignalType.HangUp:
                caller.HandleHangUp(now);
                break;
        }
    }

    private void HandleRing(IncomingCall caller, IntroductionBlob introduction, Timestamp now)
    {
        caller.HandleIntroduction(introduction, now);
        switch (caller.State)
        {
            case IncomingCallState.Silent when _services.Blocked.Contains(caller.Caller.Id) || _allowed?.Contains(caller.Caller.Id) == false:
                caller.Refuse(CallRefusalCode.Refused, now);
                break;
            case IncomingCallState.Silent when _callers.Values.Count(call => call.State == IncomingCallState.Ringing) == MaxRinging:
                caller.Line.SendAgain(CallSignalType.Refuse, now, CallRefusalCode.Busy);
                break;
            case IncomingCallState.Silent:
                caller.BeginRinging(++_lastCall, now);
                _events.Enqueue(new NodeEvent.CallRang(_number, caller.Number, caller.Caller.Id, caller.Name));
                break;
            // It rings again because it has not heard our answer.
            case IncomingCallState.Taken:
                caller.Line.SendAgain(CallSignalType.Accept, now);
                break;
            case IncomingCallState.Refused:
                caller.Line.SendAgain(CallSignalType.Refuse, now, caller.Refusal);
                break;
            case IncomingCallState.Over:
                caller.Line.SendAgain(CallSignalType.HangUp, now);
                break;
        }
    }

    private void HandleAbsent(IncomingCall call, bool hasLeft, Timestamp now)
    {
        // Who only lost the server comes back, and rings anew.
        Withdraw(call, mayRingAgain: !hasLeft);
        call.HandleAbsent(hasLeft, now);
    }

    private void Withdraw(IncomingCall call, bool mayRingAgain = false)
    {
        if (call.State != IncomingCallState.Ringing) return;
        call.End(mayRingAgain);
        _events.Enqueue(new NodeEvent.CallWithdrawn(_number, call.Number));
    }

    // Calls that were taken go on by themselves.
    private void GoOnUnserved(Timestamp now)
    {
        foreach (var call in _callers.Values) call.HandleServerLost(isNews: true, now);
    }

    private IncomingCall? FindRinging(int number)
    {
        foreach (var call in _callers.Values)
        {
            if (call.State == IncomingCallState.Ringing && call.Number == number) return call;
        }
        return null;
    }

    private IncomingCall? FindPresent(PeerId id)
    {
        foreach (var call in _callers.Values)
        {
            if (call.IsPresent && call.Caller.Id == id) return call;
        }
        return null;
    }
}
