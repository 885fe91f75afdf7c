using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

internal enum SentPacketState : byte
{
    Outstanding,
    Acknowledged,
    Lost,
}

/// <summary>What is remembered of a packet in flight (RFC 9002 §A.1.1).</summary>
internal struct SentPacket
{
    public ulong Number;
    public Timestamp SentAt;
    public int Size;

    /// <summary>Its frames, in <see cref="SentFrames"/>.</summary>
    public int Frames;

    /// <summary>The largest number that its ACK frame acknowledged, or <see cref="NoAck"/>.</summary>
    public ulong LargestAcknowledged;

    /// <summary>Which path it went over: only the present one's packets give RTT samples and let the window grow.</summary>
    public PathRecovery Path;

    /// <summary>A probe of path MTU discovery, whose loss says nothing of congestion (RFC 9000 §14.4).</summary>
    public bool IsPathMtuProbe;

    public SentPacketState State;

    public const ulong NoAck = ulong.MaxValue;
}

/// <summary>The ack-eliciting packets in flight, in the order of their numbers: a ring that is reused.</summary>
internal sealed class SentPackets
{
    /// <summary>
    /// Packets in flight, beyond which only probes are sent: 19 MB of packets of 1,200 bytes, 4 times the connection's first window.
    /// </summary>
    public const int Limit = 16_384;

    private SentPacket[] _ring = new SentPacket[64];
    private int _head;

    public int Count { get; private set; }

    public ref SentPacket this[int index] => ref _ring[(_head + index) & (_ring.Length - 1)];

    public void Add(in SentPacket packet)
    {
        if (Count == _ring.Length) Grow();
        this[Count++] = packet;
    }

    /// <summary>The index of the first packet whose number is not below <paramref name="number"/>.</summary>
    public int FindFirst(ulong number)
    {
        int low = 0, high = Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (this[middle].Number < number) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// <summary>Forgets the oldest packets as far as their fate is known.</summary>
    public void Trim()
    {
        while (Count > 0 && this[0].State != SentPacketState.Outstanding)
        {
            _head = (_head + 1) & (_ring.Length - 1);
            Count--;
        }
    }

    private void Grow()
    {
        var grown = new SentPacket[_ring.Length * 2];
        for (var i = 0; i < Count; i++) grown[i] = this[i];
        _ring = grown;
        _head = 0;
    }
}
