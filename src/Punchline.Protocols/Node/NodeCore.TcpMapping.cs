using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// How our router maps TCP: asked where it matters, which is where UDP's mapping depends on the destination, or where somebody wants to know.
internal sealed partial class NodeCore
{
    private TcpMappingTest? _tcpMapping;

    // A second server is asked once the first has answered.
    private void LearnTcpMapping(Timestamp now)
    {
        if (_tcpMapping is null && (_services.Profile.IsSymmetric || _examiner is not null) && _services.TcpReflexive is { Mapped: not null, Server: { } server }
            && _stunServers.Find(other => other.IsIPv4 && other.Address != server.Address) is { Port: > 0 } second)
        {
            _tcpMapping = new TcpMappingTest(_services.Tcp, _services.Random, second, now);
        }
        var mapping = ClassifyTcpMapping();
        if (mapping == _services.Profile.TcpMapping) return;
        _services.Profile = _services.Profile with { TcpMapping = mapping };
        HandleCandidatesChanged(now);
    }

    private MappingBehavior ClassifyTcpMapping()
    {
        if (_services.TcpReflexive is not { Mapped: { } mapped, Server: { } server }) return MappingBehavior.Unknown;
        List<MappingObservation> seen = [new(server, _services.Tcp.Port, mapped)];
        if (_tcpMapping?.Mapped is { } second) seen.Add(new(_tcpMapping.Server, _services.Tcp.Port, second));
        // A router that draws ports does not happen to draw ours.
        return mapped.Port == _services.Tcp.Port && seen.TrueForAll(one => one.Mapped == mapped) ? MappingBehavior.EndpointIndependent : MappingObservations.ClassifyMapping(seen);
    }

    private void ForgetTcpMapping()
    {
        _tcpMapping?.Close();
        _tcpMapping = null;
    }
}
