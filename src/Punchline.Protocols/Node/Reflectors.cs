using Punchline.Protocols.Dht;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>Who tells a socket of ours where it is seen from outside: a STUN server, or a node of the DHT.</summary>
/// <param name="Endpoint">Where it is asked.</param>
/// <param name="External">Of a node, where most nodes see us: its word counts for the port at that address. Null: a STUN server, whose word is taken.</param>
internal readonly record struct Reflector(Endpoint Endpoint, Endpoint? External = null);

/// <summary>
/// Whom side sockets ask where they are seen: STUN servers that have answered the main socket; without any, nodes of the DHT that have. Of nodes, anybody's, each
/// question is another's: one that is silent or lies spoils that question.
/// </summary>
internal sealed class Reflectors
{
    /// <summary>Nodes that a socket asks where several are to show how our router chooses its ports: with as many sockets, the mappings that two ports of a server show.</summary>
    private const int SampleNodes = 2;

    private int _next;

    /// <summary>IPv4 STUN servers that have answered, in the order in which they were named: they see what is to be known of ports.</summary>
    public IReadOnlyList<Endpoint> StunServers { get; set; } = [];

    /// <summary>IPv6 ones likewise.</summary>
    public IReadOnlyList<Endpoint> IPv6StunServers { get; set; } = [];

    public IReadOnlyList<Endpoint> StunServersOf(bool isIPv4) => isIPv4 ? StunServers : IPv6StunServers;

    /// <summary>Our node, where we are in the DHT.</summary>
    public DhtNode? Dht { get; set; }

    /// <summary>There is somebody to ask.</summary>
    public bool HasAny => StunServers.Count > 0 || Nodes.Any();

    private IEnumerable<Reflector> Nodes => Dht?.External is { Mapped: { IsIPv4: true } external } ? Dht.Observers.Select(node => new Reflector(node, external)) : [];

    /// <summary>Whom one socket of several asks that are to show how our router chooses its ports.</summary>
    public IReadOnlyList<Reflector> TakeForSample() => StunServers.Count > 0 ? Take(StunServers.Count) : Take(SampleNodes);

    /// <summary>Whom a socket asks of which nothing but its own port is wanted: a second one in case a packet is lost.</summary>
    public IReadOnlyList<Reflector> TakeTwo() => Take(2);

    /// <summary>The one by which a port is found. False where there is none.</summary>
    public bool TryTake(out Reflector reflector)
    {
        reflector = Take(1) is [var first] ? first : default;
        return reflector != default;
    }

    // Servers from the first on, nodes by turns.
    private Reflector[] Take(int count)
    {
        if (StunServers.Count > 0) return [.. StunServers.Take(count).Select(server => new Reflector(server))];
        Reflector[] nodes = [.. Nodes];
        count = Math.Min(count, nodes.Length);
        Reflector[] taken = [.. Enumerable.Range(_next, count).Select(turn => nodes[turn % nodes.Length])];
        _next += count;
        return taken;
    }
}
