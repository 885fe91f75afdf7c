using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>What a sent frame was, as far as its loss matters.</summary>
internal enum SentFrameKind : byte
{
    /// <summary>PING: sent again by nobody.</summary>
    Ping,

    /// <summary>DATAGRAM: neither (RFC 9221 §5.2).</summary>
    Datagram,
    Stream,
    ResetStream,
    StopSending,
    MaxData,
    MaxStreamData,
    MaxStreamsBidi,
    MaxStreamsUni,
    DataBlocked,
    StreamDataBlocked,
    StreamsBlockedBidi,
    StreamsBlockedUni,
    NewConnectionId,
    RetireConnectionId,
    Candidates,
    ObservedAddress,
}

/// <summary>One frame of a sent packet.</summary>
internal readonly record struct SentFrame(SentFrameKind Kind, TransportStream? Stream = null, StreamSegment Segment = default)
{
    /// <summary>A frame that is known by a number.</summary>
    public static SentFrame About(SentFrameKind kind, ulong sequence) => new(kind, Segment: new StreamSegment(sequence, 0, false));

    public ulong Sequence => Segment.Offset;
}

/// <summary>Told of what became of frames (RFC 9000 §13.3).</summary>
internal interface ISentFrameOwner
{
    void OnFrameAcknowledged(in SentFrame frame);

    /// <summary>The frame may be lost: what of it still matters has to be sent again.</summary>
    void OnFrameLost(in SentFrame frame);

    /// <summary>A packet is taken for lost; its frames follow. For observers: nothing depends on it.</summary>
    void OnPacketLost(ulong number)
    {
    }
}

/// <summary>
/// The frames of all packets in flight, and of those lost last, as chains in one array that is reused. It grows with the packets,
/// whose number <see cref="SentPackets.Limit"/> and <see cref="LostPackets.Limit"/> bound.
/// </summary>
internal sealed class SentFrames
{
    /// <summary>The chain without a frame.</summary>
    public const int None = -1;

    private Node[] _nodes = new Node[64];
    private int _used;
    private int _free = None;

    private record struct Node(SentFrame Frame, int Next);

    /// <summary>Puts a frame before a chain, and returns the new chain.</summary>
    public int Prepend(int chain, in SentFrame frame)
    {
        int index;
        if (_free != None)
        {
            index = _free;
            _free = _nodes[index].Next;
        }
        else
        {
            if (_used == _nodes.Length) Array.Resize(ref _nodes, _nodes.Length * 2);
            index = _used++;
        }
        _nodes[index] = new Node(frame, chain);
        return index;
    }

    public SentFrame At(int chain, out int next)
    {
        next = _nodes[chain].Next;
        return _nodes[chain].Frame;
    }

    public void Free(int chain)
    {
        while (chain != None)
        {
            var next = _nodes[chain].Next;
            _nodes[chain] = new Node(default, _free);
            _free = chain;
            chain = next;
        }
    }
}
