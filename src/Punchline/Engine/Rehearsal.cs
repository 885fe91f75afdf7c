using Punchline.Protocols.Coordination;
using Punchline.Protocols.Node;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Rooms;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine;

/// <summary>
/// A meeting of two throw-away nodes in memory, once a process, while the real one still waits for its server. A fresh
/// process compiles its code and loads its cryptography on first use, which takes tens of milliseconds; punching wants
/// both sides to act within a few milliseconds of their introduction, lest a packet reach a router that is not open yet.
/// </summary>
internal static class Rehearsal
{
    private const string Host = "localhost:1";

    // Enough for a join, a handshake and a message with its acknowledgement; each is a few exchanges.
    private const int MaxRounds = 40;

    /// <summary>Begins when it is first asked for.</summary>
    public static Task Played { get; } = Task.Run(Play);

    private static void Play()
    {
        var random = SystemRandomSource.Instance;
        var server = new CoordinationServer(random);
        var keys = new RoomKeys(random.NextBytes(RoomKeys.KeyLength));
        using var first = new Actor(1, keys, random);
        using var second = new Actor(2, keys, random);
        Actor[] actors = [first, second];
        var now = Timestamp.Zero;
        foreach (var actor in actors)
        {
            server.HandleConnected(actor.Number, actor.Endpoint.WithPort(0), Host, keys.Tag, [], now);
            actor.Node.HandleServerConnected(actor.Room, Host, [], isLoopback: true, now);
        }
        var buffer = new byte[2048];
        for (var round = 0; round < MaxRounds; round++)
        {
            // A tenth of a second at a time passes the join's wait for STUN and an opener's lead alike.
            now += TimeSpan.FromMilliseconds(100);
            foreach (var actor in actors) Step(actor, actor == first ? second : first, server, buffer, now);
            while (server.TryDequeueSend(out var to, out var utf8)) actors[to - 1].Node.HandleServerMessage(actors[to - 1].Room, utf8.Span, now);
            if (first.Node.CountUndelivered(first.Room) == 0 && round > MaxRounds / 2) break;
            if (round == MaxRounds / 2) first.Node.TrySend(first.Room, "rehearsal"u8, now, out _);
        }
    }

    private static void Step(Actor actor, Actor other, CoordinationServer server, byte[] buffer, Timestamp now)
    {
        actor.Node.HandleTimeout(now);
        while (actor.Node.TryDequeueServerMessage(out _, out var utf8)) server.HandleMessage(actor.Number, utf8.Span, now);
        while (actor.Node.TryDequeueTransmit(now, buffer, out var transmit)) other.Node.HandleDatagram(actor.Endpoint, buffer.AsSpan(0, transmit.Length), now);
        while (actor.Node.TryDequeueEvent(actor.Room, now, out _))
        {
            // Nobody is told.
        }
    }

    private sealed class Actor : IDisposable
    {
        private readonly P256KeyPair _identity;

        public Actor(int number, RoomKeys keys, IRandomSource random)
        {
            Number = number;
            // TEST-NET-1 (RFC 5737) and different subnets, so that it goes as between strangers' networks.
            Endpoint = Endpoint.FromIPv4(0xc0000200 + ((uint)number * 64), 40_000);
            _identity = P256KeyPair.Generate(random);
            Node = new NodeCore(_identity, random);
            Node.SetHostAddresses([new HostAddress(Endpoint, 32)], Timestamp.Zero);
            Room = Node.OpenRoom(keys, "rehearsal");
        }

        public int Number { get; }

        public Endpoint Endpoint { get; }

        public NodeCore Node { get; }

        public int Room { get; }

        public void Dispose()
        {
            Node.Dispose();
            _identity.Dispose();
        }
    }
}
