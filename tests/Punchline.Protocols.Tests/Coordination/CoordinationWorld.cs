using System.Text;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Coordination;

/// <summary>One server core, client cores on numbered connections, and a clock that only tests move.</summary>
internal sealed class CoordinationWorld
{
    public const string Host = "coordinate.example:8080";
    public static readonly byte[] Tag = [.. Enumerable.Repeat((byte)0x22, 32)];
    public static readonly byte[] CertificateKeyHash = [.. Enumerable.Repeat((byte)0x33, 32)];
    private static readonly Endpoint Stun = Endpoint.Parse("203.0.113.10:8080");

    private readonly List<Peer> _peers = [];
    private long _connections;

    public CoordinationWorld(CoordinationCapacity? capacity = null) => Server = new CoordinationServer(Random, CertificateKeyHash, capacity);

    public SeededRandom Random { get; } = new(22);

    public CoordinationServer Server { get; }

    public Timestamp Now { get; private set; } = Timestamp.FromMilliseconds(1000);

    /// <summary>Connections that the server closed, in order.</summary>
    public List<long> Closed { get; } = [];

    /// <summary>A key pair and instance that a test connects with, again and again if it likes.</summary>
    public (P256KeyPair Key, InstanceId Instance) NewIdentity() => (P256KeyPair.Generate(Random), InstanceId.Generate(Random));

    public Peer Connect(
        (P256KeyPair Key, InstanceId Instance) identity, string address = "198.51.100.1:50000", string host = Host, byte[]? tag = null, string? dialled = null,
        byte[]? certificateSeen = null, PlaceKind kind = PlaceKind.Room)
    {
        var connection = ++_connections;
        var client = new CoordinationClient(identity.Key, identity.Instance, dialled ?? host, tag ?? Tag, certificateSeen ?? CertificateKeyHash, Now);
        var peer = new Peer(this, connection, client, identity.Key.DeriveId());
        _peers.Add(peer);
        Server.HandleConnected(connection, Endpoint.Parse(address), host, tag ?? Tag, [Stun], Now, kind);
        Deliver();
        return peer;
    }

    public Peer Join((P256KeyPair Key, InstanceId Instance) identity, string address = "198.51.100.1:50000", uint generation = 1, string blob = "sealed", byte[]? tag = null, PlaceKind kind = PlaceKind.Room)
    {
        var peer = Connect(identity, address, tag: tag, kind: kind);
        peer.Client.ProvideBlob(generation, Encoding.UTF8.GetBytes(blob), Now);
        Deliver();
        return peer;
    }

    /// <summary>Everything that is under way arrives, in order, at once.</summary>
    public void Deliver()
    {
        bool moved;
        do
        {
            moved = false;
            foreach (var peer in _peers)
            {
                while (peer.Client.TryDequeueMessage(out var utf8))
                {
                    moved = true;
                    peer.Sent.Add(Encoding.UTF8.GetString(utf8.Span));
                    if (peer.IsCut) continue;
                    Server.HandleMessage(peer.Connection, utf8.Span, Now);
                }
                while (peer.Client.TryDequeueEvent(out var e)) peer.Events.Add(e);
            }
            while (Server.TryDequeueSend(out var connection, out var utf8))
            {
                moved = true;
                if (_peers.Find(p => p.Connection == connection) is not { IsCut: false } peer) continue;
                peer.Received.Add(Encoding.UTF8.GetString(utf8.Span));
                peer.Client.HandleMessage(utf8.Span, Now);
                while (peer.Client.TryDequeueEvent(out var e)) peer.Events.Add(e);
            }
            while (Server.TryDequeueClose(out var connection)) Closed.Add(connection);
        }
        while (moved);
    }

    /// <summary>Jumps from deadline to deadline until <paramref name="duration"/> has passed.</summary>
    public void Pass(TimeSpan duration)
    {
        var end = Now + duration;
        while (true)
        {
            var next = _peers.Where(p => !p.IsCut).Select(p => p.Client.NextTimeout).Append(Server.NextTimeout).Min();
            if (next > end) break;
            Now = Timestamp.Max(Now, next);
            foreach (var peer in _peers.Where(p => !p.IsCut)) peer.Client.HandleTimeout(Now);
            Server.HandleTimeout(Now);
            Deliver();
        }
        Now = end;
    }
}

internal sealed class Peer(CoordinationWorld world, long connection, CoordinationClient client, PeerId id)
{
    public long Connection { get; } = connection;

    public CoordinationClient Client { get; } = client;

    public PeerId Id { get; } = id;

    public List<string> Sent { get; } = [];

    public List<string> Received { get; } = [];

    public List<CoordinationClientEvent> Events { get; } = [];

    public bool IsCut { get; private set; }

    /// <summary>Nothing goes through any more; the server may have noticed or not.</summary>
    public void Cut(bool serverNotices)
    {
        IsCut = true;
        if (serverNotices) world.Server.HandleDisconnected(Connection);
    }

    /// <summary>What happened since the last call.</summary>
    public CoordinationClientEvent[] TakeEvents()
    {
        var events = Events.ToArray();
        Events.Clear();
        return events;
    }
}
