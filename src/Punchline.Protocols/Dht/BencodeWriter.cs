using System.Globalization;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>
/// Writes bencoded values (BEP 3). The caller writes a dictionary's keys in their order, each with its value behind it, and
/// has seen to the room: out of order or past the end is our own bug.
/// </summary>
internal ref struct BencodeWriter(Span<byte> destination)
{
    private SpanWriter _writer = new(destination);

    /// <summary>Bytes written so far.</summary>
    public readonly int Length => _writer.Length;

    /// <summary>Bytes of a string's encoding.</summary>
    public static int BytesLength(int count) => DigitsOf(count) + 1 + count;

    public void BeginDictionary() => _writer.WriteByte((byte)'d');

    public void BeginList() => _writer.WriteByte((byte)'l');

    /// <summary>Ends the list or dictionary that was begun last.</summary>
    public void End() => _writer.WriteByte((byte)'e');

    public void WriteInteger(long value)
    {
        _writer.WriteByte((byte)'i');
        WriteDigits(value);
        _writer.WriteByte((byte)'e');
    }

    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        WriteDigits(bytes.Length);
        _writer.WriteByte((byte)':');
        _writer.WriteBytes(bytes);
    }

    /// <summary>Writes what is bencoded already.</summary>
    public void WriteEncoded(scoped ReadOnlySpan<byte> encoding) => _writer.WriteBytes(encoding);

    public void Write(scoped ReadOnlySpan<byte> key, scoped ReadOnlySpan<byte> bytes)
    {
        WriteBytes(key);
        WriteBytes(bytes);
    }

    public void Write(scoped ReadOnlySpan<byte> key, long value)
    {
        WriteBytes(key);
        WriteInteger(value);
    }

    public void Write(scoped ReadOnlySpan<byte> key, NodeId id)
    {
        Span<byte> bytes = stackalloc byte[NodeId.ByteLength];
        id.CopyTo(bytes);
        Write(key, bytes);
    }

    private static int DigitsOf(int count) => count switch { < 10 => 1, < 100 => 2, < 1_000 => 3, < 10_000 => 4, _ => 5 };

    private void WriteDigits(long value)
    {
        value.TryFormat(_writer.Free, out var length, default, CultureInfo.InvariantCulture);
        _writer.Advance(length);
    }
}
