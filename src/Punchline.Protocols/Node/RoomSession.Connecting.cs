using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

/// <summary>How things stand with a peer in a room, for who wants a connection to it.</summary>
internal enum MemberStanding
{
    /// <summary>It is no member now.</summary>
    Absent,

    /// <summary>It is the other side of a call, of whose addresses nothing has come yet.</summary>
    Expected,

    /// <summary>A way is being looked for, or will be when a pause is over.</summary>
    Connecting,

    /// <summary>There is a connection.</summary>
    Connected,

    /// <summary>No way was found, or the peer is not allowed; there is a reason.</summary>
    Failed,
}

// What somebody needs to know who waits for a connection.
internal sealed partial class RoomSession
{
    private bool _hasMet;

    /// <summary>Looks for a way once more where there is none and none is being looked for.</summary>
    public void Connect(PeerId peer, Timestamp now)
    {
        if (_members.Find(known => known.Session.Peer == peer) is not { } member) return;
        member.Session.Reconnect(now);
        Drain(member, now);
    }

    /// <summary>What asks addresses whether a member is there.</summary>
    public TopicContacts CreateContacts() => new(_services, this, _self);

    /// <summary>
    /// A member introduces itself, without a server. One that the server has not has no longer than it takes to connect to it, and then
    /// than it is heard.
    /// </summary>
    public void IntroduceDirectly(IntroductionBlob introduction, Timestamp now)
    {
        var known = _members.Find(member => member.Session.Peer == introduction.Id);
        var givenUpAt = known is null ? now + PunchPlan.Duration : known.GivenUpAt;
        Introduce(introduction, now);
        if (!IsServed || givenUpAt is null || _members.Find(member => member.Session.Peer == introduction.Id) is not { } member) return;
        member.GivenUpAt = givenUpAt;
        member.Session.SetKeepAlive(KeepAliveOf(member));
    }

    /// <summary>Whether there is a connection to a member.</summary>
    public bool IsConnectedTo(PeerId peer) => _members.Exists(known => known.Session.Peer == peer && known.Session.IsConnected);

    /// <summary>Whether an address is that of a member to which there is a connection.</summary>
    public bool HasConnectionAt(Endpoint address) => _members.Exists(known =>
        known.Session.IsConnected
        && (known.Session.OpenPath?.Remote == address || known.Session.Introduction.Candidates.Any(candidate => candidate.Endpoint == address)));

    /// <summary>How things stand with a peer.</summary>
    public MemberStanding StandingOf(PeerId peer, out PunchFailure? failure)
    {
        failure = null;
        if (IsStranger(peer))
        {
            failure = WhyNot(peer);
            return MemberStanding.Failed;
        }
        if (_members.Find(known => known.Session.Peer == peer)?.Session is not { } session)
            return _rendezvous.IsOfTwo && !_hasMet ? MemberStanding.Expected : MemberStanding.Absent;
        if (session.IsConnected) return MemberStanding.Connected;
        failure = session.Failure;
        return failure is null ? MemberStanding.Connecting : MemberStanding.Failed;
    }

    /// <summary>The application did something to a connection: what came of it is the room's business.</summary>
    public void HandleProgress(ApplicationConnection connection, Timestamp now)
    {
        if (_members.Find(member => member.Session.Application == connection) is { } member) Drain(member, now);
    }
}
