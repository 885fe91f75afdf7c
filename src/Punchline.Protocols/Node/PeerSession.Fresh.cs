using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Fresh sockets. A router that accepts unsolicited packets gives the port of a host that speaks too late to such a packet, and moves
// the host's answers to another one, for as long as either side goes on trying: such a pair never meets by the ports that it has. A fresh socket has a
// port that nobody could spoil yet. Its reflexive address is learnt by STUN, openers leave from it, and only then does the peer hear of it,
// through the server: whatever the peer sends there comes behind the openers, however far apart the two act.
internal sealed partial class PeerSession : ISideSocketOwner
{
    private readonly List<SideSocket> _fresh = [];
    private readonly HashSet<SocketId> _offered = [];
    private Timestamp _nextFresh = Timestamp.Never;

    /// <summary>A fresh socket is open, or knows where it is seen.</summary>
    public void HandleSideSocket(SideSocket socket, Timestamp now)
    {
        if (socket == _renewal)
        {
            HandleRenewalSocket(socket, now);
        }
        else if (socket == _origin)
        {
            HandleOriginSocket(socket, now);
        }
        else if (socket.State == SideSocketState.Closed)
        {
            _fresh.Remove(socket);
        }
        else if (socket.Reflexive.Count == 0)
        {
            QueryFresh(socket, now);
        }
        else if (Search is not null && _offered.Add(socket.Id))
        {
            AddFreshPlan(socket, now);
            var reflexive = socket.Reflexive[0];
            _room.TryOffer(new PortOffer(PortOffer.TargetOf(Peer), reflexive, reflexive.Port, Sockets: 1), now);
        }
    }

    private void QueryFresh(SideSocket socket, Timestamp now)
    {
        foreach (var reflector in _services.Reflectors.TakeTwo()) _services.SideSockets.Query(socket, reflector, now);
    }

    // For a connection, or for another path of one that is silent: its ports are as easily spoiled when a router reboots.
    private PunchAttempt? Search => _punch ?? (_connection is { IsSilent: true } ? _probing : null);

    private void BeginFresh(Timestamp now) => _nextFresh = IsRemembered(WayKind.FreshSocket) ? now : UsualFresh(now);

    private Timestamp UsualFresh(Timestamp start) => start + PunchPlan.FreshDelay + (2 * (_services.ServerRoundTrip ?? TimeSpan.Zero));

    private void OpenFresh(Timestamp now)
    {
        // What is not known yet may be by then.
        _nextFresh = _punch is { } punch && _fresh.Count == 0 && UsualFresh(punch.Start) > now ? UsualFresh(punch.Start) : Timestamp.Never;
        // With a port for each destination a fresh one is worth no more than the first, and IPv6 has no ports to spoil. And somebody has to say where it is seen, and
        // only a server or a member connected to both tells the peer.
        if (Search is null || _services.Profile.IsSymmetric || _services.Reflexive.Count(seen => seen.IsIPv4) > 1 || !_services.Reflectors.HasAny || !_room.IsTold(Peer)) return;
        if (!_services.SideSockets.TryOpen(this, out var socket)) return;
        _fresh.Add(socket);
        _nextFresh = _fresh.Count < PunchPlan.MaxFreshSockets ? now + PunchPlan.FreshInterval : Timestamp.Never;
    }

    private void AddFreshPlan(SideSocket socket, Timestamp now) =>
        Search?.Add(PunchPlan.CreateFresh(Situation, socket.Id, PunchPlan.OpenerTimeToLiveOf(_services.OwnRouters, _fresh.IndexOf(socket))), now);

    // What the peer has opened meanwhile is worth trying from ours as well: both main ports may be spoiled.
    private void AddFreshPlans(Timestamp now)
    {
        if (_fresh.Count == 0 && _nextFresh != Timestamp.Never && _nextFresh > now && IsRemembered(WayKind.FreshSocket)) _nextFresh = now;
        foreach (var socket in _fresh)
        {
            if (_offered.Contains(socket.Id)) AddFreshPlan(socket, now);
        }
    }

    // All but the one that the connection stands on.
    private void CloseFresh()
    {
        _nextFresh = Timestamp.Never;
        _offered.Clear();
        _room.Withdraw(Peer);
        for (var i = _fresh.Count - 1; i >= 0; i--)
        {
            if (_connection is { IsDrained: false } connection && connection.Path.Local == _fresh[i].Id) continue;
            if (_fresh[i] == _renewal) (_renewal, _renewalEnds) = (null, Timestamp.Never);
            _services.SideSockets.Close(_fresh[i]);
            _fresh.RemoveAt(i);
        }
    }
}
