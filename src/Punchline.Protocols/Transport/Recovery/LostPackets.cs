using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Recovery;

/// <summary>A packet that was declared lost, and may yet be acknowledged.</summary>
/// <param name="Number">Its number.</param>
/// <param name="SentAt">When it was sent.</param>
/// <param name="Frames">Its frames, in <see cref="SentFrames"/>.</param>
/// <param name="Path">Which path it went over.</param>
/// <param name="CongestionEvent">The <see cref="CongestionControl.Event"/> that its loss counted for.</param>
internal readonly record struct LostPacket(ulong Number, Timestamp SentAt, int Frames, PathRecovery Path, int CongestionEvent);

/// <summary>The packets that were lost last, in the order of their numbers: those of one path are declared lost in that order.</summary>
internal sealed class LostPackets
{
    /// <summary>What is remembered; the oldest is forgotten first. A quarter of a second's losses of 10 % at 500 Mbit/s are 1,300.</summary>
    public const int Limit = 1_024;

    private LostPacket[] _ring = new LostPacket[16];
    private int _head;
    private int _count;

    /// <summary>Adds a packet; where there are too many, the one with the lowest number before it comes back.</summary>
    public bool Add(in LostPacket packet, out LostPacket forgotten)
    {
        forgotten = default;
        var isFull = _count == Limit;
        if (isFull)
        {
            forgotten = _ring[_head];
            RemoveAt(0);
        }
        if (_count == _ring.Length) Grow();
        var at = _count++;
        // One of another path may come behind those with higher numbers.
        for (; at > 0 && At(at - 1).Number > packet.Number; at--) At(at) = At(at - 1);
        At(at) = packet;
        return isFull;
    }

    /// <summary>Takes out the first packet whose number lies in a range.</summary>
    public bool TryTake(ulong smallest, ulong largest, out LostPacket packet)
    {
        packet = default;
        int low = 0, high = _count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (At(middle).Number < smallest) low = middle + 1;
            else high = middle;
        }
        if (low == _count || At(low).Number > largest) return false;
        packet = At(low);
        RemoveAt(low);
        return true;
    }

    private ref LostPacket At(int index) => ref _ring[(_head + index) & (_ring.Length - 1)];

    private void RemoveAt(int index)
    {
        // Those before it move up: what is acknowledged late is mostly among the oldest.
        for (; index > 0; index--) At(index) = At(index - 1);
        _head = (_head + 1) & (_ring.Length - 1);
        _count--;
    }

    private void Grow()
    {
        var grown = new LostPacket[_ring.Length * 2];
        for (var i = 0; i < _count; i++) grown[i] = At(i);
        _ring = grown;
        _head = 0;
    }
}
