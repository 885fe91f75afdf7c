using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// A router that ends a mapping at an age ends the path with it, however well it is kept. Before that a side socket takes its place: it is opened
// as a fresh one is, the peer hears of it in-band, and what is said moves over once the peer has answered there.
internal sealed partial class PeerSession
{
    /// <summary>Until the peer has answered, or that is tried anew.</summary>
    private static readonly TimeSpan RenewalTime = TimeSpan.FromSeconds(10);

    /// <summary>Behind a move: what is under way to the socket before still comes in.</summary>
    private static readonly TimeSpan Afterlife = TimeSpan.FromSeconds(3);

    private SideSocket? _renewal;
    private Timestamp _renewalEnds = Timestamp.Never;
    private Timestamp _renewNotBefore;
    private Timestamp _closeFormerAt = Timestamp.Never;
    private Timestamp _pathSince;

    private Timestamp RenewalDeadline
    {
        get
        {
            var next = Timestamp.Min(_renewalEnds, _closeFormerAt);
            return _renewal is null ? Timestamp.Min(next, RenewalDue) : next;
        }
    }

    private Timestamp RenewalDue
    {
        get
        {
            if (_services.Keeper.Lifetime?.RenewalAge is not { } age || !IsConnected || _connection.IsSilent || _connection.IsNear) return Timestamp.Never;
            var path = _connection.Path;
            if (path.Local.Carrier != Carrier.Udp || !path.Remote.IsIPv4 || IsMapped(path)) return Timestamp.Never;
            return Timestamp.Max(Born(path) + age, _renewNotBefore);
        }
    }

    // The main socket's mapping is as old as the socket, but where every destination has its own.
    private Timestamp Born(PathAddress path) =>
        path.Local != SocketId.Main ? _services.SideSockets.OpenedAt(path.Local) : _services.Profile.IsSymmetric ? _pathSince : Timestamp.Zero;

    private void HandleRenewalTimeout(Timestamp now)
    {
        if (now >= _closeFormerAt)
        {
            var isSettled = _connection is { AwaitsPeer: false, IsSilent: false };
            _closeFormerAt = IsConnected && !isSettled ? now + Afterlife : Timestamp.Never;
            if (_punch is null && isSettled) CloseFresh();
        }
        if (now >= _renewalEnds) EndRenewal(now);
        if (_renewal is not null || now < RenewalDue) return;
        _renewNotBefore = now + RenewalTime;
        if (!_services.SideSockets.TryOpen(this, out _renewal)) return;
        _fresh.Add(_renewal);
        _renewalEnds = now + RenewalTime;
    }

    // It is open, knows where it is seen, or is gone.
    private void HandleRenewalSocket(SideSocket socket, Timestamp now)
    {
        if (socket.State == SideSocketState.Closed) EndRenewal(now);
        else if (socket.Reflexive.Count == 0 && !_services.Profile.IsSymmetric && _services.Reflectors.HasAny) QueryFresh(socket, now);
        else if (_offered.Add(socket.Id)) BeginRenewal(socket, now);
    }

    private void BeginRenewal(SideSocket socket, Timestamp now)
    {
        if (!IsConnected) return;
        Candidate[] present = [new(CandidateKind.PeerReflexive, _connection.Path.Remote)];
        Probe([.. PunchPlan.CreateFresh(Situation with { RemoteCandidates = present, OpenPaths = null }, socket.Id, PunchPlan.OpenerTimeToLiveOf(_services.OwnRouters, retry: 0))], now);
        if (socket.Reflexive.Count > 0) _room.AnnounceTo(this, new Candidate(CandidateKind.ServerReflexive, socket.Reflexive[0]));
    }

    // The peer has answered at the new path: from where it is, and not from another socket of its that heard of us as well.
    private void MoveToRenewal(PathAddress path, Timestamp now)
    {
        if (_renewal is null || path.Local != _renewal.Id || _connection is not { } connection || path.Remote != connection.Path.Remote || !connection.TryMoveTo(path, now)) return;
        (_renewal, _renewalEnds) = (null, Timestamp.Never);
        _closeFormerAt = now + Afterlife;
    }

    // Where it did not succeed the path is as good as it was, and it is tried again.
    private void EndRenewal(Timestamp now)
    {
        var socket = _renewal;
        (_renewal, _renewalEnds) = (null, Timestamp.Never);
        if (socket is null) return;
        _renewNotBefore = now + RenewalTime;
        _offered.Remove(socket.Id);
        _fresh.Remove(socket);
        _services.SideSockets.Close(socket);
    }
}
