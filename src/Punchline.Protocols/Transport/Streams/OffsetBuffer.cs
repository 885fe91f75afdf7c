using System.Buffers;
using System.Numerics;

namespace Punchline.Protocols.Transport.Streams;

/// <summary>
/// Bytes of a stream, addressed by their offset in it: a ring that grows by doubling, out of the shared pool. Which of its
/// offsets hold data is its owner's knowledge, and so is the limit of its growth (flow control, or the send buffer's limit).
/// </summary>
internal sealed class OffsetBuffer
{
    private const int InitialCapacity = 4_096;

    private byte[] _bytes = [];
    private int _capacity;

    /// <summary>Makes room for the offsets from <paramref name="start"/> up to <paramref name="end"/>; those held from start on are kept.</summary>
    public void Reserve(ulong start, ulong end)
    {
        var needed = checked((int)(end - start));
        if (needed <= _capacity) return;
        var capacity = Math.Max(InitialCapacity, (int)BitOperations.RoundUpToPowerOf2((uint)needed));
        var bytes = ArrayPool<byte>.Shared.Rent(capacity);
        // The whole old ring is copied, from start on: its owner alone knows which of it counts.
        for (var copied = 0; copied < _capacity;)
        {
            var from = Index(start + (ulong)copied, _capacity);
            var to = Index(start + (ulong)copied, capacity);
            var length = Math.Min(_capacity - copied, Math.Min(_capacity - from, capacity - to));
            _bytes.AsSpan(from, length).CopyTo(bytes.AsSpan(to));
            copied += length;
        }
        Release();
        _bytes = bytes;
        _capacity = capacity;
    }

    public void Write(ulong offset, ReadOnlySpan<byte> source)
    {
        if (source.IsEmpty) return;
        var at = Index(offset, _capacity);
        var first = Math.Min(source.Length, _capacity - at);
        source[..first].CopyTo(_bytes.AsSpan(at));
        source[first..].CopyTo(_bytes);
    }

    public void Read(ulong offset, Span<byte> destination)
    {
        if (destination.IsEmpty) return;
        var at = Index(offset, _capacity);
        var first = Math.Min(destination.Length, _capacity - at);
        _bytes.AsSpan(at, first).CopyTo(destination);
        _bytes.AsSpan(0, destination.Length - first).CopyTo(destination[first..]);
    }

    /// <summary>Gives the memory back; the buffer is then empty, and can be used again.</summary>
    public void Release()
    {
        if (_capacity > 0) ArrayPool<byte>.Shared.Return(_bytes);
        _bytes = [];
        _capacity = 0;
    }

    private static int Index(ulong offset, int capacity) => (int)(offset & ((ulong)capacity - 1));
}
