using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>The DHT's node on the punching socket, where the owner wants one: where its answers say that we are, there peers reach us.</summary>
internal sealed partial class NodeCore
{
    private DhtNode? _dht;

    /// <summary>Null before <see cref="StartDht"/>. Commands only: its packets, timers and events are this node's.</summary>
    public DhtNode? Dht => _dht;

    private IEnumerable<Endpoint> SeenByDht => _dht?.External is { IsMappingDependent: false } view ? [view.Mapped] : [];

    /// <summary>Joins the DHT as a read-only node, with what an earlier run saved. Once.</summary>
    public DhtNode StartDht(ReadOnlySpan<byte> saved, Timestamp now)
    {
        if (_dht is not null) throw new InvalidOperationException("The DHT's node runs already.");
        _dht = new DhtNode(_services.Random);
        _dht.Load(saved, now);
        return _dht;
    }

    public bool TryDequeueDhtEvent(Timestamp now, [NotNullWhen(true)] out DhtEvent? dhtEvent)
    {
        dhtEvent = null;
        if (_dht is null || !_dht.TryDequeueEvent(out dhtEvent)) return false;
        if (dhtEvent is DhtEvent.ExternalSeen) UpdateReflexive(now);
        return true;
    }
}
