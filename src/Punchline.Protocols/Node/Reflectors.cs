using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

/// <summary>Who tells a socket of ours where it is seen from outside.</summary>
/// <param name="Endpoint">Where it is asked.</param>
internal readonly record struct Reflector(Endpoint Endpoint);

/// <summary>Whom side sockets ask where they are seen: those who have answered the main socket.</summary>
internal sealed class Reflectors
{
    /// <summary>IPv4 STUN servers that have answered, in the order in which they were named: they see what is to be known of ports.</summary>
    public IReadOnlyList<Endpoint> StunServers { get; set; } = [];

    /// <summary>There is somebody to ask.</summary>
    public bool HasAny => StunServers.Count > 0;

    /// <summary>Whom one socket of several asks that are to show how our router chooses its ports.</summary>
    public IReadOnlyList<Reflector> TakeForSample() => [.. StunServers.Select(server => new Reflector(server))];

    /// <summary>Whom a socket asks of which nothing but its own port is wanted: a second one in case a packet is lost.</summary>
    public IReadOnlyList<Reflector> TakeTwo() => [.. StunServers.Take(2).Select(server => new Reflector(server))];

    /// <summary>The one by which a port is found. False where there is none.</summary>
    public bool TryTake(out Reflector reflector)
    {
        reflector = StunServers is [var first, ..] ? new Reflector(first) : default;
        return HasAny;
    }
}
