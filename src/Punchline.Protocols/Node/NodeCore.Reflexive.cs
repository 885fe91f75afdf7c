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
        }
    }

    private void UpdateReflexive(Endpoint server, Endpoint mapped, Timestamp now)
    {
        if (_reflexiveByServer.TryGetValue(server, out var known) && known == mapped) return;
        _reflexiveByServer[server] = mapped;
        UpdateReflexive(now);
    }

    private void UpdateReflexive(Timestamp now)
    {
        // In the order in which the servers were named, so that a run replays.
        List<Endpoint> answering = [.. _stunServers.Where(_reflexiveByServer.ContainsKey)];
        _services.AnsweringStunServers = answering;
        var reflexive = answering.Select(asked => _reflexiveByServer[asked]).Concat(SeenByDht).Distinct().ToList();
        var hasChanged = !reflexive.SequenceEqual(_services.Reflexive);
        // What it gives every destination its own of is of no use to a peer: one shows the address.
        var isNews = hasChanged && !(_services.Profile.IsSymmetric && _services.Reflexive is [var first, ..] && reflexive.Count > 0 && reflexive[0] == first);
        // Our address is another one, and with it perhaps all that the gateway knew.
        if (isNews && _services.Reflexive.Count > 0) _portMapper.Refresh(now);
        var (wasSymmetric, wasMapped) = (_services.Profile.IsSymmetric, _services.Mapped);
        if (hasChanged)
        {
            _services.Reflexive.Clear();
            _services.Reflexive.AddRange(reflexive);
            _services.Mapped = JudgeMapped();
        }
        _profiler.HandleObservations([.. answering.Select(asked => new MappingObservation(asked, 0, _reflexiveByServer[asked]))], now);
        if (isNews || wasSymmetric != _services.Profile.IsSymmetric || wasMapped != _services.Mapped) HandleCandidatesChanged(now);
    }

    private void Look(Timestamp now)
    {
        _services.IsLookWanted = false;
        _nextLook = now + MinLookInterval;
        foreach (var server in _stunServers) _stun.QueryNow(server, now);
        foreach (var end in _serverEnds.Values) end.Server.Doubt(now);
    }
}
