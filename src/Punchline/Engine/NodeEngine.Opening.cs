using System.Net.Sockets;
using Punchline.Protocols.Dht;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine;

// What is begun on the node, and ended: rooms, calls, the DHT, this machine's links, a look at the network.
internal sealed partial class NodeEngine
{
    /// <summary>Opens a room, a call or an inbox, and says who hears of it from its first event on.</summary>
    public int Open(Func<NodeCore, int> open, IRoomObserver observer) => Run((node, _) =>
    {
        var number = open(node);
        _rooms.Add(number, observer);
        return number;
    });

    /// <summary>Likewise in the DHT, which has been joined.</summary>
    /// <param name="open">Is given the punching socket's port as well, and the time.</param>
    /// <param name="observer">Who hears of it.</param>
    public int OpenInDht(Func<NodeCore, ushort, Timestamp, int> open, IRoomObserver observer) => Run((node, now) =>
    {
        var number = open(node, (ushort)LocalEndPoint.Port, now);
        _rooms.Add(number, observer);
        return number;
    });

    /// <summary>Takes a call that rings in an inbox. Null: it rings no more.</summary>
    public int? TryAcceptCall(int inbox, int call, RoomUse use, IRoomObserver observer) => Run<int?>((node, now) =>
    {
        if (!node.TryAcceptCall(inbox, call, now, out var room, use)) return null;
        _rooms.Add(room, observer);
        return room;
    });

    /// <summary>Members of rooms can be found on this machine's links.</summary>
    public bool HasLinks => _mdns is not null;

    /// <summary>Has the members of a room on this machine's links find us, and looks for them there.</summary>
    public void ShowOnLinks(int room, bool hasServer) => Run((node, now) =>
    {
        node.ShowOnLinks(room, hasServer, now);
        _mdns?.Start();
    });

    public void CloseRoom(int room) => Run((node, _) =>
    {
        node.CloseRoom(room);
        DrainConnections();
        _rooms.Remove(room);
    });

    /// <summary>Joins the DHT, and says who hears of it.</summary>
    public void StartDht(ReadOnlyMemory<byte> saved, bool isReadOnly, IDhtObserver observer) => Run((node, now) =>
    {
        var dht = node.StartDht(saved.Span, BoundFamilies, now);
        dht.SetReadOnly(isReadOnly, now);
        dht.SetFamilies(Families, now);
        node.SetUtc(DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch, now);
        _dht = observer;
    });

    // What the punching socket can send to.
    private DhtFamilies BoundFamilies => (BoundIPv4 is null ? DhtFamilies.None : DhtFamilies.IPv4) | (LocalEndPoint.AddressFamily == AddressFamily.InterNetworkV6 ? DhtFamilies.IPv6 : DhtFamilies.None);

    // Without an address beyond this machine's own networks, or a translator, nodes would be asked in vain.
    private DhtFamilies Families => BoundFamilies is not DhtFamilies.Both and var bound
        ? bound
        : (HasIPv6Only && !Nat64.IsKnown ? DhtFamilies.None : DhtFamilies.IPv4) | (_hostAddresses.Any(host => IsOutside(host.Endpoint)) ? DhtFamilies.IPv6 : DhtFamilies.None);

    private static bool IsOutside(Endpoint host) => !host.IsIPv4 && !AddressScope.IsLoopback(host) && !AddressScope.IsPrivate(host);

    /// <summary>Finds out what the network is.</summary>
    /// <param name="servers">STUN servers.</param>
    /// <param name="onReport">Takes note of what is known, whenever that is more, within the gate.</param>
    public void Examine(IReadOnlyList<Endpoint> servers, Action<NetworkReport> onReport) => Run((node, now) =>
    {
        _onReport = onReport;
        node.Examine(servers, expectsRouters: true, now);
    });

    /// <summary>Where the way into the DHT began; none before it was joined.</summary>
    public IReadOnlyList<string> DhtBootstrapHosts { get; set; } = [];

    /// <summary>Has the gateway forget what it maps to us, before the end.</summary>
    public ValueTask ClosePortMappingsAsync() => _gateway?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>Says nothing more to the links, before the end.</summary>
    public ValueTask CloseLinksAsync() => _mdns?.DisposeAsync() ?? ValueTask.CompletedTask;
}
