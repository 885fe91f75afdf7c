using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// Addresses to which a connection stands, over all rooms: every router on the way lets our packets through, so that meeting
/// the same peer in another room needs no opener and no lead.
/// </summary>
internal sealed class OpenPaths
{
    // A peer met in several rooms has several connections to one address. As many as there are connections.
    private readonly Dictionary<Endpoint, int> _connections = [];

    public int Count => _connections.Count;

    public bool Contains(Endpoint endpoint) => _connections.ContainsKey(endpoint);

    public void Add(Endpoint endpoint) => _connections[endpoint] = _connections.GetValueOrDefault(endpoint) + 1;

    public void Remove(Endpoint endpoint)
    {
        if (!_connections.TryGetValue(endpoint, out var count)) return;
        if (count == 1) _connections.Remove(endpoint);
        else _connections[endpoint] = count - 1;
    }
}
