using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Transport;

/// <summary>Datagrams that wait, to be sent or to be taken: where one too many comes, the oldest goes (RFC 9221 §5 promises nothing).</summary>
internal sealed class DatagramQueue : IDisposable
{
    /// <summary>Datagrams that wait at most: what 100 Mbit/s of full packets bring in 25 ms.</summary>
    public const int MaxCount = 256;

    /// <summary>Bytes of them, at most.</summary>
    public const int MaxBytes = 256 << 10;

    // One behind the other, as if they were a stream.
    private readonly OffsetBuffer _bytes = new();
    private readonly Queue<int> _lengths = new();
    private ulong _start;
    private ulong _end;

    public int Count => _lengths.Count;

    /// <summary>Datagrams that were dropped for newer ones.</summary>
    public ulong Dropped { get; private set; }

    /// <summary>The length of the next one; only where there is one.</summary>
    public int NextLength => _lengths.Peek();

    /// <summary>Takes a datagram of at most <see cref="MaxBytes"/>.</summary>
    public void Enqueue(ReadOnlySpan<byte> datagram)
    {
        while (_lengths.Count > 0 && (_lengths.Count == MaxCount || _end - _start + (ulong)datagram.Length > MaxBytes)) DropOldest();
        _bytes.Reserve(_start, _end + (ulong)datagram.Length);
        _bytes.Write(_end, datagram);
        _end += (ulong)datagram.Length;
        _lengths.Enqueue(datagram.Length);
    }

    /// <summary>Moves the next one into <paramref name="destination"/>, which has room for it, and returns its length.</summary>
    public int Dequeue(Span<byte> destination)
    {
        var length = _lengths.Dequeue();
        _bytes.Read(_start, destination[..length]);
        _start += (ulong)length;
        return length;
    }

    public void DropOldest()
    {
        _start += (ulong)_lengths.Dequeue();
        Dropped++;
    }

    /// <summary>Gives the memory back, and forgets what waits.</summary>
    public void Dispose()
    {
        _lengths.Clear();
        _start = _end;
        _bytes.Release();
    }
}
