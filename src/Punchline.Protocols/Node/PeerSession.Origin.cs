using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// Where a search of ports begins. The plain punch has taken packets of the hard side's main socket to the other side's main port; where that side's router takes them
// for its own, the port that they came from is spoiled: the first packet there leaves from another port, and all that follow do as well. A search that meets it
// before any of 256 others, which is once in 257, finds nothing more. So the easy side tries from a fresh socket, of whose port nobody but the hard side's openers
// knows.
internal sealed partial class PeerSession
{
    /// <summary>
    /// Where the plain punch has led to nothing by then, the fresh socket is opened: early enough for the hard side to know of it when its own search begins.
    /// </summary>
    private static readonly TimeSpan OriginDelay = TimeSpan.FromMilliseconds(150);

    // As the easy side.
    private SideSocket? _origin;
    private SearchOrigin? _namedOrigin;
    private Timestamp _originAt = Timestamp.Never;

    // As the hard side: where the peer tried from when we last searched, a socket that is closed now.
    private SearchOrigin? _spentOrigin;

    // What the peer has named for us.
    private SearchOrigin? PeersOrigin => Introduction.Origins.FirstOrDefault(origin => origin.Target == _services.Target) is { Port: > 0 } origin && origin != _spentOrigin ? origin : null;

    // Behind the profile of the hard side, which may have to come to us and not only to it: STUN's answer and the word of it are two round trips to the server more.
    private TimeSpan OriginTime => OriginDelay + (3 * (_services.ServerRoundTrip ?? TimeSpan.Zero));

    // The hard side's openers have left for the socket's port, and no word before says so.
    private SocketId ScanSocket => _origin is not null && _namedOrigin is { } named && Introduction.Origins.Contains(named with { Target = _services.Target }) ? _origin.Id : SocketId.Main;

    private void PlanOrigin(PunchAttempt punch, Timestamp now)
    {
        if (_origin is not null || _originAt != Timestamp.Never || SearchPlan.Create(Introduction.Profile, _services.Profile).Kind != SearchKind.Birthday) return;
        _originAt = IsRemembered(WayKind.Search) ? now : Timestamp.Max(now, punch.Start + OriginDelay);
    }

    private void OpenOrigin()
    {
        _originAt = Timestamp.Never;
        // As a fresh socket: see there.
        if (_services.Profile.IsSymmetric || _services.Reflexive.Count(seen => seen.IsIPv4) > 1 || !_services.Reflectors.HasAny || !_room.IsTold(Peer)) return;
        if (_services.SideSockets.TryOpen(this, out var socket)) _origin = socket;
    }

    private void HandleOriginSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State == SideSocketState.Closed)
        {
            _origin = null;
        }
        else if (socket.Reflexive is not [var seen, ..])
        {
            QueryFresh(socket, now);
        }
        else if (_namedOrigin is null && _services.ExternalIPv4?.Address == seen.Address)
        {
            _namedOrigin = new SearchOrigin(PortOffer.TargetOf(Peer), seen.Port);
            _room.TryName(_namedOrigin.Value, now);
        }
    }

    // Where our openers go, at the peer's router; from then on the peer is to try from there, or else from where it always was.
    private Endpoint AgreeOnOrigin(Endpoint peer)
    {
        if (PeersOrigin is not { } origin || peer.WithPort(origin.Port) is var endpoint && !PunchPlan.IsUsable(endpoint, _room.AllowLoopback)) return peer;
        _room.WithdrawOrigin(Peer);
        if (!_room.TryAgree(origin with { Target = PortOffer.TargetOf(Peer) })) return peer;
        _spentOrigin = origin;
        return endpoint;
    }

    private void EndOrigin()
    {
        (_originAt, _namedOrigin) = (Timestamp.Never, null);
        _room.WithdrawOrigin(Peer);
        if (_origin is not { } origin) return;
        _origin = null;
        if (_connection is { IsDrained: false } connection && connection.Path.Local == origin.Id) _fresh.Add(origin);
        else _services.SideSockets.Close(origin);
    }
}
