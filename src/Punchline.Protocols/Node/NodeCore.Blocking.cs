using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

// Peers of whom this node wants nothing, in whatever room or inbox.
internal sealed partial class NodeCore
{
    /// <summary>Peers that are blocked.</summary>
    public int BlockedCount => _services.Blocked.Count;

    public bool IsBlocked(PeerId peer) => _services.Blocked.Contains(peer);

    /// <summary>Closes what there is with a peer and keeps it out of all that there is and will be; or lets it in again.</summary>
    public void SetBlocked(PeerId peer, bool isBlocked, Timestamp now)
    {
        if (isBlocked ? !_services.Blocked.Add(peer) : !_services.Blocked.Remove(peer)) return;
        foreach (var room in _rooms.Values) room.HandleBlocked(peer, now);
        if (!isBlocked) return;
        foreach (var end in _serverEnds.Values) (end as InboxSession)?.HandleBlocked(peer, now);
    }
}
