using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Members that are not on the list of those who may be connected to. They are shown, and that is all: without a session no
// packet goes to them, no hint of theirs leads anywhere, and no agreement is computed with their key.
internal sealed partial class RoomSession
{
    private readonly List<PeerId> _strangers = [];

    /// <summary>Who may be connected to; null: everybody in the room.</summary>
    public IReadOnlySet<PeerId>? Allowed { get; init; }

    // The server alone has them, so without it they are gone when a silent member would be.
    private Timestamp StrangersDeadline => _strangers.Count == 0 || IsServed || _isLeaving ? Timestamp.Never : _unservedSince + SilenceLimit;

    private bool IsStranger(PeerId peer) => _strangers.Contains(peer);

    /// <summary>Whether a member may be connected to.</summary>
    public bool IsAllowed(PeerId peer) => Allowed is null || Allowed.Contains(peer);

    private void IntroduceStranger(IntroductionBlob introduction)
    {
        if (_strangers.Contains(introduction.Id) || _strangers.Count == CoordinationLimits.MaxMembersPerRoom) return;
        _strangers.Add(introduction.Id);
        _events.Enqueue(new NodeEvent.MemberJoined(_number, introduction.Id, introduction.Name));
        _events.Enqueue(new NodeEvent.Failed(_number, introduction.Id, PunchFailure.OfStranger));
    }

    private void RemoveStrangers(Predicate<PeerId> areGone, DepartureReason reason)
    {
        foreach (var peer in _strangers.FindAll(areGone)) _events.Enqueue(new NodeEvent.MemberLeft(_number, peer, reason));
        _strangers.RemoveAll(areGone);
    }
}
