using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Tests.Transport;

/// <summary>
/// A responder's connection, and an initiator with its keys that sends whatever frames a test writes: what no honest peer would.
/// </summary>
internal sealed class ScriptedPeer
{
    private readonly PacketSealer _sealer = new(Pair.InitiatorKey, AeadLimits.Default, Timestamp.Zero);
    private readonly PacketOpener _opener = new(Pair.ResponderKey, AeadLimits.Default);
    private readonly byte[] _buffer = new byte[1_452];

    public ScriptedPeer(TransportParameters? parameters = null, AeadLimits? limits = null, TimeSpan? keepAlive = null, TransportParameters? peerParameters = null, IConnectionIdOwner? ids = null)
    {
        Now = Timestamp.FromMilliseconds(1_000);
        var local = parameters ?? TransportParameters.Default;
        Connection = new Connection(Pair.Setup(ConnectionRole.Responder, local, peerParameters ?? local, limits, keepAlive) with { ConnectionIds = ids }, Now);
    }

    public delegate void FrameAction(ref SpanWriter writer);

    public Timestamp Now { get; set; }

    /// <summary>The id that the connection's packets must carry, and the one that ours do.</summary>
    public ulong AddressedBy { get; set; } = Pair.InitiatorConnectionId;

    public ulong Addressing { get; set; } = Pair.ResponderConnectionId;

    /// <summary>What seals the test's packets.</summary>
    public PacketSealer Sealer => _sealer;

    public Connection Connection { get; }

    public Endpoint Source { get; set; } = Pair.InitiatorAddress;

    public byte[] Seal(FrameAction frames)
    {
        var packet = new byte[1_452];
        var writer = new SpanWriter(packet.AsSpan(PacketHeader.Length));
        frames(ref writer);
        var length = PacketHeader.Length + writer.Length + PacketHeader.TagLength;
        Assert.True(_sealer.TrySeal(packet.AsSpan(0, length), Addressing));
        return packet[..length];
    }

    public bool Send(FrameAction frames) => Connection.HandleDatagram(Source, Seal(frames), Now);

    public bool SendHex(string frames) => Send((ref SpanWriter writer) => writer.WriteBytes(Convert.FromHexString(frames)));

    public bool SendStream(ulong id, ulong offset, byte[] data, bool isFinal = false) => Send((ref SpanWriter writer) =>
    {
        StreamFrame.WriteHeader(ref writer, new StreamId(id), offset, data.Length, isFinal);
        writer.WriteBytes(data);
    });

    /// <summary>Everything that the connection sends now: destination, and frames in clear.</summary>
    public List<(Endpoint Destination, byte[] Frames, int Length)> Drain()
    {
        var packets = new List<(Endpoint, byte[], int)>();
        while (Connection.TryDequeueTransmit(Now, _buffer, out var transmit))
        {
            Assert.True(packets.Count < 10_000, "a connection sends without end");
            var packet = _buffer.AsSpan(0, transmit.Length);
            Assert.True(PacketHeader.TryRead(packet, out var header));
            Assert.Equal(AddressedBy, header.ConnectionId);
            var frames = new byte[transmit.Length - PacketHeader.Length - PacketHeader.TagLength];
            Assert.True(_opener.TryOpen(packet, header, header.TruncatedNumber, frames, out var key));
            if (key == KeyGeneration.Next) _opener.UpdateKey(header.TruncatedNumber, Timestamp.Never);
            packets.Add((transmit.Destination, frames, transmit.Length));
        }
        return packets;
    }

    public List<ConnectionEvent> Events()
    {
        var events = new List<ConnectionEvent>();
        while (Connection.TryDequeueEvent(out var raised)) events.Add(raised);
        return events;
    }

    public void AssertClosedWith(TransportError error)
    {
        Assert.True(Connection.IsClosed);
        Assert.Equal((CloseOrigin.Local, false, error), (Connection.CloseReason!.Origin, Connection.CloseReason.IsApplication, (TransportError)Connection.CloseReason.Code));
    }
}
