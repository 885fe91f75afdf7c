using Punchline.Protocols.Primitives;
using Punchline.Protocols.Stun;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// What STUN servers see of the main socket: our candidates, and the network's profile.
internal sealed partial class NodeCore
{
    private void DrainStun(Timestamp now)
    {
        while (_stun.TryDequeueEvent(out var ended))
        {
            if (ended is not StunClientEvent.Reflected reflected) continue;
            if (reflected.Requests == 1 && !(_services.ServerRoundTrip < reflected.RoundTrip)) _services.ServerRoundTrip = reflected.RoundTrip;
            UpdateReflexive(reflected.Server, reflected.Mapped, now);
            // One server's word: a router may give another address to each.
            if (_services.Reflectors.StunServersOf(reflected.Server.IsIPv4) is [var first, ..] && first == reflected.Server) _services.KeeperOf(reflected.Server).HandleReflected(reflected.Mapped, now);
        }
    }

    private void UpdateReflexive(Endpoint server, Endpoint mapped, Timestamp now)
    {
        var isKnown = _reflexiveByServer.TryGetValue(server, out var known);
        if (isKnown && known == mapped) return;
        // The first server that says so.
        var hasMoved = isKnown && known.Address != mapped.Address && !_reflexiveByServer.Values.Any(seen => seen.Address == mapped.Address);
        _reflexiveByServer[server] = mapped;
        UpdateReflexive(now);
        if (hasMoved) RenewTcp(now);
    }

    private void UpdateReflexive(Timestamp now)
    {
        // In the order in which the servers were named, so that a run replays.
        List<Endpoint> answering = [.. _stunServers.Where(_reflexiveByServer.ContainsKey)];
        _services.Reflectors.StunServers = answering.FindAll(asked => asked.IsIPv4);
        _services.Reflectors.IPv6StunServers = answering.FindAll(asked => !asked.IsIPv4);
        var reflexive = answering.Select(asked => _reflexiveByServer[asked]).Concat(SeenByDht).Distinct().ToList();
        var hasChanged = !reflexive.SequenceEqual(_services.Reflexive);
        var isNews = !_services.OfUse(reflexive).SequenceEqual(_services.OfUse(_services.Reflexive));
        // Our address is another one, and with it perhaps all that the gateway knew.
        if (isNews && _services.Reflexive.Count > 0) _portMapper.Refresh(now);
        var wasSymmetric = _services.Profile.IsSymmetric;
        var isMappedAnew = false;
        if (hasChanged)
        {
            _services.Reflexive.Clear();
            _services.Reflexive.AddRange(reflexive);
            _forward.HandleReflexive(now);
            isMappedAnew = JudgeMapped();
        }
        _profiler.HandleObservations([.. _services.Reflectors.StunServers.Select(asked => new MappingObservation(asked, 0, _reflexiveByServer[asked]))], _dht?.External is { IsMappingDependent: true }, now);
        LearnTcpMapping(now);
        if (isNews || wasSymmetric != _services.Profile.IsSymmetric || isMappedAnew) HandleCandidatesChanged(now);
    }

    // Our router has another address, and has forgotten what stood through it.
    private void RenewTcp(Timestamp now)
    {
        ForgetTcpMapping();
        _services.TcpReflexive.Renew(now);
        foreach (var room in _rooms.Values) room.RenewTcp(now);
    }

    private void Look(Timestamp now)
    {
        _services.IsLookWanted = false;
        _nextLook = now + MinLookInterval;
        foreach (var server in _stunServers) _stun.QueryNow(server, now);
        foreach (var end in _serverEnds.Values) end.Server.Doubt(now);
    }
}
