using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Transport.Streams;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>How the virtual link treats datagrams; chances from 0 to 1, drawn from the pair's seed.</summary>
internal sealed record LinkBehaviour
{
    public TimeSpan Delay { get; init; } = TimeSpan.FromMilliseconds(20);
    public double Loss { get; init; }
    public double Duplication { get; init; }

    /// <summary>Chance of a delay of up to three times the usual one on top.</summary>
    public double Reordering { get; init; }
}

/// <summary>Two connections and the link between them, in virtual time that jumps to the next arrival or deadline.</summary>
internal sealed class Pair
{
    public static readonly Endpoint InitiatorAddress = Endpoint.Parse("192.0.2.1:1000");
    public static readonly Endpoint ResponderAddress = Endpoint.Parse("198.51.100.2:2000");
    public static readonly byte[] InitiatorKey = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];
    public static readonly byte[] ResponderKey = [.. Enumerable.Range(100, 32).Select(i => (byte)i)];
    public const ulong InitiatorConnectionId = 0x1111_1111_1111_1111;
    public const ulong ResponderConnectionId = 0x2222_2222_2222_2222;

    private readonly PriorityQueue<(Side From, Side To, Endpoint Source, byte[] Bytes), (Timestamp, int)> _flying = new();
    private readonly SeededRandom _random;
    private readonly LinkBehaviour _link;
    private readonly byte[] _buffer = new byte[Connection.MaxPacketSize];
    private readonly int _maxPacketSize;
    private int _sequence;

    public Pair(ulong seed = 1, LinkBehaviour? link = null, TransportParameters? parameters = null, AeadLimits? limits = null, TimeSpan? keepAlive = null, TransportParameters? responderParameters = null, int maxPacketSize = Connection.BasePacketSize, bool hasManyIds = false, ReceiveBudget? budget = null, (MappingKeepAlive Initiator, MappingKeepAlive Responder)? mapping = null)
    {
        Seed = seed;
        _maxPacketSize = maxPacketSize;
        _random = new SeededRandom(seed);
        _link = link ?? new LinkBehaviour();
        var initiator = parameters ?? TransportParameters.Default;
        var responder = responderParameters ?? initiator;
        Now = Timestamp.FromMilliseconds(1_000);
        Initiator = new Side("initiator", InitiatorAddress, Connect(ConnectionRole.Initiator, initiator, responder, seed, firstId: 100));
        Responder = new Side("responder", ResponderAddress, Connect(ConnectionRole.Responder, responder, initiator, seed + 1_000_000, firstId: 200));

        Connection Connect(ConnectionRole role, TransportParameters local, TransportParameters remote, ulong ownSeed, ulong firstId)
        {
            var setup = Setup(role, local, remote, limits, keepAlive, ownSeed, maxPacketSize: maxPacketSize);
            return new Connection(setup with { ConnectionIds = hasManyIds ? new RecordingIdOwner(firstId) : null, ReceiveBudget = budget ?? setup.ReceiveBudget, Mapping = role == ConnectionRole.Initiator ? mapping?.Initiator : mapping?.Responder }, Now);
        }
    }

    public ulong Seed { get; }

    public Timestamp Now { get; set; }

    public Side Initiator { get; }

    public Side Responder { get; }

    /// <summary>Answers whether a datagram arrives; before the link's own chances.</summary>
    public Func<Side, byte[], bool> Passes { get; set; } = (_, _) => true;

    public static ConnectionSetup Setup(
        ConnectionRole role, TransportParameters local, TransportParameters remote, AeadLimits? limits = null, TimeSpan? keepAlive = null, ulong seed = 1, TimeSpan? rtt = null, int maxPacketSize = Connection.BasePacketSize) => new()
        {
            Role = role,
            SendKey = role == ConnectionRole.Initiator ? InitiatorKey : ResponderKey,
            ReceiveKey = role == ConnectionRole.Initiator ? ResponderKey : InitiatorKey,
            LocalParameters = local,
            RemoteParameters = remote,
            LocalConnectionId = role == ConnectionRole.Initiator ? InitiatorConnectionId : ResponderConnectionId,
            RemoteConnectionId = role == ConnectionRole.Initiator ? ResponderConnectionId : InitiatorConnectionId,
            Path = role == ConnectionRole.Initiator ? ResponderAddress : InitiatorAddress,
            Random = new SeededRandom(seed),
            HandshakeRtt = rtt ?? TimeSpan.FromMilliseconds(40),
            KeepAliveInterval = keepAlive ?? TimeSpan.Zero,
            AeadLimits = limits ?? AeadLimits.Default,
            // Sizes that tests count on; those of path MTU discovery set another.
            MaxPacketSize = maxPacketSize,
        };

    /// <summary>Answers whether a packet to this address arrives.</summary>
    public Func<Endpoint, bool> Carries { get; set; } = _ => true;

    /// <summary>Time that a packet takes between the other addresses of both.</summary>
    public TimeSpan OtherDelay { get; set; } = TimeSpan.FromMilliseconds(1);

    /// <summary>As the owner of a connection asks an address whether the peer is there.</summary>
    public void Probe(Side side, Endpoint address)
    {
        var peer = side == Initiator ? Responder : Initiator;
        Assert.True(side.Connection.TryWriteProbe(address, isNear: false, Now, _buffer, out var transmit));
        Assert.Equal(Connection.ProbeSize, transmit.Length);
        Dispatch(side, peer, transmit);
    }

    /// <summary>Runs until the condition holds; false where nothing is left to happen, or the time is over.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan? limit = null)
    {
        var end = Now + (limit ?? TimeSpan.FromSeconds(120));
        while (true)
        {
            Drain(Initiator, Responder);
            Drain(Responder, Initiator);
            if (condition()) return true;
            var next = Timestamp.Min(Initiator.Connection.NextTimeout, Responder.Connection.NextTimeout);
            if (_flying.TryPeek(out _, out var first)) next = Timestamp.Min(next, first.Item1);
            if (next > end)
            {
                Now = end;
                return false;
            }
            Now = Timestamp.Max(Now, next);
            Deliver();
            foreach (var side in (Side[])[Initiator, Responder])
            {
                if (side.Connection.NextTimeout <= Now) side.Connection.HandleTimeout(Now);
            }
        }
    }

    public void Run(TimeSpan duration) => RunUntil(() => false, duration);

    private void Drain(Side side, Side peer)
    {
        for (var packets = 0; side.Connection.TryDequeueTransmit(Now, _buffer, out var transmit); packets++)
        {
            Assert.True(packets < 10_000, "a connection sends without end");
            if (transmit.Length != 1 || _buffer[0] != PacketHeader.KeepAlive) Assert.InRange(transmit.Length, PacketHeader.MinPacketLength, _maxPacketSize);
            Dispatch(side, peer, transmit);
        }
        while (side.Connection.TryDequeueEvent(out var raised)) side.Handle(raised);
    }

    private void Dispatch(Side side, Side peer, in Transmit transmit)
    {
        var bytes = _buffer[..transmit.Length];
        side.Sent.Add((Now, transmit.Destination, bytes));
        var isOther = transmit.Destination == peer.Other;
        if ((transmit.Destination != peer.Address && !isOther) || !Carries(transmit.Destination) || !Passes(side, bytes) || _random.NextDouble() < _link.Loss) return;
        Fly(side, peer, bytes, isOther);
        if (_random.NextDouble() < _link.Duplication) Fly(side, peer, bytes, isOther);
    }

    private void Fly(Side from, Side to, byte[] bytes, bool isOther)
    {
        var delay = isOther ? OtherDelay : _link.Delay;
        if (_random.NextDouble() < _link.Reordering) delay += _link.Delay * (3 * _random.NextDouble());
        _flying.Enqueue((from, to, isOther ? from.Other!.Value : from.Address, bytes), (Now + delay, _sequence++));
    }

    private void Deliver()
    {
        while (_flying.TryPeek(out var packet, out var at) && at.Item1 <= Now)
        {
            _flying.Dequeue();
            // As the node routes it, which has nothing but the address to go by.
            if (packet.Bytes is [PacketHeader.KeepAlive]) packet.To.Connection.HandleKeepAlive(Now);
            else packet.To.Connection.HandleDatagram(packet.Source, packet.Bytes, Now);
            Drain(packet.To, packet.From);
        }
    }
}

/// <summary>One end: its connection, and an application that collects what it hears.</summary>
internal sealed class Side(string name, Endpoint address, Connection connection)
{
    private readonly byte[] _read = new byte[16_384];

    public string Name { get; } = name;

    /// <summary>Where its packets come from, and are delivered to.</summary>
    public Endpoint Address { get; set; } = address;

    /// <summary>Where it is reached as well, and its packets to the peer's other address come from.</summary>
    public Endpoint? Other { get; set; }

    public Connection Connection { get; } = connection;

    public List<(Timestamp At, Endpoint Destination, byte[] Bytes)> Sent { get; } = [];

    public List<ConnectionEvent> Events { get; } = [];

    public Dictionary<StreamId, MemoryStream> Received { get; } = [];

    public HashSet<StreamId> Finished { get; } = [];

    /// <summary>Called behind every event.</summary>
    public Action? Raised { get; set; }

    /// <summary>Reads whatever becomes readable.</summary>
    public bool ReadsAtOnce { get; set; } = true;

    /// <summary>Bytes that are written as room comes, and then the end.</summary>
    public Dictionary<StreamId, ReadOnlyMemory<byte>> Outgoing { get; } = [];

    public int Count(ConnectionEventKind kind) => Events.Count(e => e.Kind == kind);

    public void Handle(ConnectionEvent raised)
    {
        Events.Add(raised);
        if (raised.Kind == ConnectionEventKind.StreamReadable && ReadsAtOnce) ReadAll(raised.Stream);
        if (raised.Kind == ConnectionEventKind.StreamWritable) Pump(raised.Stream);
        Raised?.Invoke();
    }

    public void ReadAll(StreamId id)
    {
        if (!Received.TryGetValue(id, out var received)) Received.Add(id, received = new MemoryStream());
        while (true)
        {
            var length = Connection.Read(id, _read, out var isFinished);
            received.Write(_read, 0, length);
            if (isFinished) Finished.Add(id);
            if (length == 0 || isFinished) return;
        }
    }

    public StreamId Open(string protocol)
    {
        Assert.True(Connection.TryOpenStream(protocol, StreamDirection.Bidirectional, out var id));
        return id;
    }

    public StreamId Send(string protocol, byte[] bytes)
    {
        var id = Open(protocol);
        SendOn(id, bytes);
        return id;
    }

    public void SendOn(StreamId id, byte[] bytes)
    {
        Outgoing[id] = bytes;
        Pump(id);
    }

    public string TextOf(StreamId id) => Encoding.UTF8.GetString(Received[id].ToArray());

    private void Pump(StreamId id)
    {
        if (!Outgoing.TryGetValue(id, out var rest)) return;
        rest = rest[Connection.Write(id, rest.Span)..];
        Outgoing[id] = rest;
        if (!rest.IsEmpty) return;
        Outgoing.Remove(id);
        Connection.CompleteWrites(id);
    }
}
