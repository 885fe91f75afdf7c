using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;

namespace Punchline.Protocols.Node;

/// <summary>How far a caller has come.</summary>
internal enum IncomingCallState
{
    /// <summary>It has said nothing, or is gone from the inbox and may come again.</summary>
    Silent,

    /// <summary>It rings, and waits for our answer.</summary>
    Ringing,

    /// <summary>It was told no.</summary>
    Refused,

    /// <summary>There is a room of the two.</summary>
    Taken,

    /// <summary>Withdrawn, not answered in time, or hung up.</summary>
    Over,
}

/// <summary>A caller in our inbox: one process of a peer's, from its first sign to the end of the room that we may share.</summary>
internal sealed class IncomingCall(NodeServices services, ISignalling server, CallLine line, OwnIntroduction self) : IRendezvous
{
    /// <summary>What the server gets to say that it has handed our answer on; that takes a round trip.</summary>
    public static readonly TimeSpan MaxEchoDelay = TimeSpan.FromSeconds(1);

    private IntroductionBlob? _remote;
    private uint? _echo;
    private Timestamp _introduceAt = Timestamp.Never;
    private RoomSession? _room;

    public IntroducedPeer Caller => line.Remote;

    public CallLine Line => line;

    public IncomingCallState State { get; private set; }

    /// <summary>The number that the inbox's owner has for the ring.</summary>
    public int Number { get; private set; }

    public string Name => _remote?.Name ?? "";

    /// <summary>When it has rung for long enough.</summary>
    public Timestamp RingEnds { get; private set; } = Timestamp.Never;

    /// <summary>Why it was told no.</summary>
    public CallRefusalCode Refusal { get; private set; }

    /// <summary>Whether the server has the caller in the inbox.</summary>
    public bool IsPresent { get; set; } = true;

    public bool IsServed => server.IsServed;

    public bool IsLoopback => server.IsLoopback;

    public bool IsOfTwo => true;

    public Timestamp NextTimeout => Timestamp.Min(Timestamp.Min(RingEnds, _introduceAt), line.NextTimeout);

    /// <summary>What the caller says of itself; the latest counts.</summary>
    public void HandleIntroduction(IntroductionBlob introduction, Timestamp now)
    {
        if (_remote is null || introduction.Generation > _remote.Generation) _remote = introduction;
        if (_introduceAt == Timestamp.Never) _room?.Introduce(_remote, now);
    }

    public void BeginRinging(int number, Timestamp now)
    {
        State = IncomingCallState.Ringing;
        Number = number;
        RingEnds = now + OutgoingCall.RingTime;
    }

    /// <summary>The room of the two. Our addresses go out only now.</summary>
    public RoomSession Accept(int number, RoomUse use, Timestamp now)
    {
        State = IncomingCallState.Taken;
        RingEnds = Timestamp.Never;
        var session = new RoomSession(services, number, line.Keys.Room, self, room =>
        {
            _room = room;
            return this;
        })
        {
            Use = use,
        };
        if (IsServed) session.HandleServed();
        line.Send(CallSignalType.Accept, now);
        // The caller begins when it has this, and both should begin together (PROTOCOL §5). A server that introduces two tells
        // both at once; the echo of what we say next comes when the caller hears.
        _echo = server.RequestEcho();
        _introduceAt = _echo is null ? now : now + MaxEchoDelay;
        if (_echo is null) BeginMeeting(now);
        return session;
    }

    public void Refuse(CallRefusalCode reason, Timestamp now)
    {
        State = IncomingCallState.Refused;
        RingEnds = Timestamp.Never;
        Refusal = reason;
        line.Send(CallSignalType.Refuse, now, reason);
    }

    /// <summary>It rings no more, without a word of ours.</summary>
    public void End(bool mayRingAgain = false)
    {
        State = mayRingAgain ? IncomingCallState.Silent : IncomingCallState.Over;
        RingEnds = Timestamp.Never;
    }

    /// <summary>The server has the caller again, or still: it may have missed what we said.</summary>
    public void HandlePresent(Timestamp now)
    {
        IsPresent = true;
        if (_room is null) return;
        // And not an update, which says nothing to who has missed the answer.
        line.SendAgain(CallSignalType.Accept, now);
        HandleIntroduction(_remote!, now);
    }

    /// <summary>The server has the caller no more, or another process of its.</summary>
    public void HandleAbsent(bool hasLeft, Timestamp now)
    {
        IsPresent = false;
        _room?.GiveUp(Caller.Id, hasLeft, now);
    }

    public void HandleHangUp(Timestamp now)
    {
        if (State == IncomingCallState.Taken) _room?.GiveUp(Caller.Id, hasLeft: true, now);
        End();
    }

    public void HandleEcho(uint number, Timestamp now)
    {
        if (_echo is { } awaited && number >= awaited) BeginMeeting(now);
    }

    public void HandleServed() => _room?.HandleServed();

    public void HandleServerLost(bool isNews, Timestamp now)
    {
        BeginMeeting(now);
        if (isNews) _room?.HandleServerLost(now);
    }

    public void HandleTimeout(Timestamp now)
    {
        if (now >= _introduceAt) BeginMeeting(now);
        line.HandleTimeout(now);
    }

    public void Announce(Timestamp now)
    {
        if (State == IncomingCallState.Taken) line.Announce(now);
    }

    public void Leave(Timestamp now)
    {
        _introduceAt = Timestamp.Never;
        _room = null;
        if (State == IncomingCallState.Taken) line.Send(CallSignalType.HangUp, now);
        End();
    }

    private void BeginMeeting(Timestamp now)
    {
        _echo = null;
        if (_introduceAt == Timestamp.Never) return;
        _introduceAt = Timestamp.Never;
        _room?.Introduce(_remote!, now);
    }
}
