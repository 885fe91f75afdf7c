using System.Buffers;

namespace Punchline.Protocols.Transport;

/// <summary>Datagrams that wait, to be sent or to be taken: where one too many comes, the oldest goes (RFC 9221 §5 promises nothing).</summary>
internal sealed class DatagramQueue : IDisposable
{
    /// <summary>Datagrams that wait at most: what 100 Mbit/s of full packets bring in 25 ms.</summary>
    public const int MaxCount = 256;

    /// <summary>Bytes of them, at most.</summary>
    public const int MaxBytes = 256 << 10;

    private readonly Queue<(byte[] Buffer, int Length)> _datagrams = new();
    private int _bytes;

    public int Count => _datagrams.Count;

    /// <summary>Datagrams that were dropped for newer ones.</summary>
    public ulong Dropped { get; private set; }

    /// <summary>The length of the next one; only where there is one.</summary>
    public int NextLength => _datagrams.Peek().Length;

    public void Enqueue(ReadOnlySpan<byte> datagram)
    {
        while (_datagrams.Count > 0 && (_datagrams.Count == MaxCount || _bytes + datagram.Length > MaxBytes)) DropOldest();
        var buffer = ArrayPool<byte>.Shared.Rent(datagram.Length);
        datagram.CopyTo(buffer);
        _datagrams.Enqueue((buffer, datagram.Length));
        _bytes += datagram.Length;
    }

    /// <summary>Moves the next one into <paramref name="destination"/>, which has room for it, and returns its length.</summary>
    public int Dequeue(Span<byte> destination)
    {
        var (buffer, length) = _datagrams.Peek();
        buffer.AsSpan(0, length).CopyTo(destination);
        Drop();
        return length;
    }

    public void DropOldest()
    {
        Drop();
        Dropped++;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        while (_datagrams.Count > 0) Drop();
    }

    private void Drop()
    {
        var (buffer, length) = _datagrams.Dequeue();
        ArrayPool<byte>.Shared.Return(buffer);
        _bytes -= length;
    }
}
