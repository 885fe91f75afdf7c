using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Members that are blocked, or not on the list of those who may be connected to. They are shown, and that is all: without a session no
// packet goes to them, no hint of theirs leads anywhere, and no agreement is computed with their key.
internal sealed partial class RoomSession
{
    private readonly List<IntroductionBlob> _strangers = [];
    // Of those who were members until they were blocked: what has yet to go out is the goodbye.
    private readonly List<PeerSession> _farewells = [];

    /// <summary>Who may be connected to; null: everybody in the room.</summary>
    public IReadOnlySet<PeerId>? Allowed { get; init; }

    // The server alone has them, so without it they are gone when a silent member would be.
    private Timestamp StrangersDeadline => _strangers.Count == 0 || IsServed || _isLeaving ? Timestamp.Never : _unservedSince + SilenceLimit;

    private bool IsStranger(PeerId peer) => _strangers.Exists(stranger => stranger.Id == peer);

    /// <summary>Whether a member may be connected to.</summary>
    public bool IsAllowed(PeerId peer) => !_services.Blocked.Contains(peer) && Allowed?.Contains(peer) != false;

    /// <summary>A peer was blocked, or is not any more. To the one who is, it looks as if we had left.</summary>
    public void HandleBlocked(PeerId peer, Timestamp now)
    {
        if (IsAllowed(peer)) Readmit(peer, now);
        else if (_members.Find(member => member.Session.Peer == peer) is { } member) Dismiss(member, now);
    }

    private void Dismiss(Member member, Timestamp now)
    {
        var session = member.Session;
        TellDisconnected(member, "blocked");
        _members.Remove(member);
        member.IsForgotten = true;
        DropOther(member);
        session.Leave(CloseCodes.Left, "left", now);
        session.ClearEvents();
        if (session.IsClosing) _farewells.Add(session);
        else session.Dispose();
        _strangers.Add(session.Introduction);
        _events.Enqueue(new NodeEvent.Failed(_number, session.Peer, WhyNot(session.Peer)));
        // Others have it, and were told that we do.
        _introduceAt = Timestamp.Min(_introduceAt, now + GatheringTime);
    }

    private void Readmit(PeerId peer, Timestamp now)
    {
        if (_strangers.Find(stranger => stranger.Id == peer) is not { } introduction) return;
        _strangers.Remove(introduction);
        if (_farewells.Find(session => session.Peer == peer) is { } farewell) End(farewell);
        if (TryAdd(introduction, now, isKnown: true) is not { } member) return;
        // It took us for gone.
        Announce(now);
        Drain(member, now);
    }

    private void IntroduceStranger(IntroductionBlob introduction)
    {
        var index = _strangers.FindIndex(stranger => stranger.Id == introduction.Id);
        if (index >= 0)
        {
            _strangers[index] = introduction;
            return;
        }
        if (_strangers.Count == CoordinationLimits.MaxMembersPerRoom) return;
        _strangers.Add(introduction);
        _events.Enqueue(new NodeEvent.MemberJoined(_number, introduction.Id, introduction.Name));
        _events.Enqueue(new NodeEvent.Failed(_number, introduction.Id, WhyNot(introduction.Id)));
    }

    private PunchFailure WhyNot(PeerId stranger) => _services.Blocked.Contains(stranger) ? PunchFailure.OfBlocked : PunchFailure.OfStranger;

    private void RemoveStrangers(Predicate<PeerId> areGone, DepartureReason reason)
    {
        foreach (var stranger in _strangers.FindAll(stranger => areGone(stranger.Id))) _events.Enqueue(new NodeEvent.MemberLeft(_number, stranger.Id, reason));
        _strangers.RemoveAll(stranger => areGone(stranger.Id));
    }

    private void HandleFarewellsTimeout(Timestamp now)
    {
        for (var i = _farewells.Count - 1; i >= 0; i--)
        {
            var session = _farewells[i];
            session.HandleTimeout(now);
            session.ClearEvents();
            if (!session.IsClosing) End(session);
        }
    }

    private void End(PeerSession farewell)
    {
        _farewells.Remove(farewell);
        farewell.Dispose();
    }
}
