using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

// What the rendezvous says: whether there is a server, and whom it has.
internal sealed partial class RoomSession
{
    private Timestamp _unservedSince;

    /// <summary>The server has us, so its word on who is there counts.</summary>
    public bool IsServed => _rendezvous.IsServed;

    /// <summary>The server was reached on loopback, so peers on this machine are meant.</summary>
    public bool AllowLoopback => _rendezvous.IsLoopback;

    /// <summary>The server has us. Whom it has follows, and then <see cref="HandlePresent"/>.</summary>
    public void HandleServed() => _events.Enqueue(new NodeEvent.ServerJoined(_number));

    /// <summary>Nodes of the DHT answered to a search under the room's topic.</summary>
    public void HandleDhtAsked(DhtView view) => _events.Enqueue(new NodeEvent.DhtAsked(_number, view));

    /// <summary>No node of the DHT answers.</summary>
    public void HandleDhtSilent() => _events.Enqueue(new NodeEvent.DhtSilent(_number));

    /// <summary>These are all whom the server has; a direct path may still have others.</summary>
    public void HandlePresent(IReadOnlyCollection<PeerId> present, Timestamp now)
    {
        foreach (var member in _members)
        {
            if (present.Contains(member.Session.Peer)) continue;
            member.GivenUpAt ??= now;
            member.Session.Ping();
        }
        RemoveStrangers(peer => !present.Contains(peer), DepartureReason.Timeout);
        ApplyKeepAlive();
    }

    /// <summary>The server has the member no more.</summary>
    public void GiveUp(PeerId peer, bool hasLeft, Timestamp now)
    {
        RemoveStrangers(stranger => stranger == peer, hasLeft ? DepartureReason.Left : DepartureReason.Timeout);
        var member = _members.Find(known => known.Session.Peer == peer);
        if (member is null) return;
        // Whatever the server says, a direct path may know better (PROTOCOL §10): who really left has said so there as well.
        member.GivenUpAt = now;
        member.HasLeftServer = hasLeft;
        member.Session.SetKeepAlive(KeepAliveOf(member));
        member.Session.Ping();
    }

    /// <summary>Another process of this peer took our place at the server.</summary>
    public void HandleReplaced(Timestamp now)
    {
        _events.Enqueue(new NodeEvent.ServerReplaced(_number));
        GoOnUnserved(now);
    }

    public void HandleRefused(string code, string message, Timestamp now)
    {
        _events.Enqueue(new NodeEvent.ServerRefused(_number, code, message));
        GoOnUnserved(now);
    }

    /// <summary>The server is away.</summary>
    public void HandleServerLost(Timestamp now)
    {
        _events.Enqueue(new NodeEvent.ServerLost(_number));
        GoOnUnserved(now);
    }

    // Presence is the peers' own business now: each is asked for a sign of life at once.
    private void GoOnUnserved(Timestamp now)
    {
        _unservedSince = now;
        ApplyKeepAlive();
    }

    private void ApplyKeepAlive()
    {
        foreach (var member in _members) member.Session.SetKeepAlive(KeepAliveOf(member));
    }

    private TimeSpan KeepAliveOf(Member member) => member.GivenUpAt is null || _rendezvous.IsOfTwo ? KeepAliveInterval : UnservedKeepAlive;
}
