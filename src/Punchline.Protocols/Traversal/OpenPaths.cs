using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// Paths on which a connection stands, over all rooms: every router on the way lets our packets through, so that meeting
/// the same peer in another room needs no opener and no lead.
/// </summary>
internal sealed class OpenPaths
{
    // A peer met in several rooms has several connections on one path. As many as there are connections.
    private readonly Dictionary<PathAddress, int> _connections = [];

    public int Count => _connections.Count;

    public bool Contains(PathAddress path) => _connections.ContainsKey(path);

    public void Add(PathAddress path) => _connections[path] = _connections.GetValueOrDefault(path) + 1;

    public void Remove(PathAddress path)
    {
        if (!_connections.TryGetValue(path, out var count)) return;
        if (count == 1) _connections.Remove(path);
        else _connections[path] = count - 1;
    }
}
