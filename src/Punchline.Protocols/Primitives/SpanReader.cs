using System.Buffers.Binary;

namespace Punchline.Protocols.Primitives;

/// <summary>
/// Reads a packet from front to back. Every read answers false at the packet's end, and then nothing has moved: a
/// malformed packet is a result, never an exception.
/// </summary>
internal ref struct SpanReader(ReadOnlySpan<byte> source)
{
    public ReadOnlySpan<byte> Remaining { get; private set; } = source;

    public readonly bool IsEmpty => Remaining.IsEmpty;

    public bool TryReadByte(out byte value)
    {
        value = 0;
        if (!TryReadBytes(1, out var bytes)) return false;
        value = bytes[0];
        return true;
    }

    public bool TryReadUInt16(out ushort value)
    {
        value = 0;
        if (!TryReadBytes(2, out var bytes)) return false;
        value = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return true;
    }

    public bool TryReadUInt32(out uint value)
    {
        value = 0;
        if (!TryReadBytes(4, out var bytes)) return false;
        value = BinaryPrimitives.ReadUInt32BigEndian(bytes);
        return true;
    }

    public bool TryReadUInt64(out ulong value)
    {
        value = 0;
        if (!TryReadBytes(8, out var bytes)) return false;
        value = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        return true;
    }

    public bool TryReadBytes(int count, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if ((uint)count > (uint)Remaining.Length) return false;
        bytes = Remaining[..count];
        Remaining = Remaining[count..];
        return true;
    }

    /// <summary>Reads a variable-length integer of 1, 2, 4 or 8 bytes (RFC 9000 §16).</summary>
    public bool TryReadVarInt(out ulong value)
    {
        value = 0;
        if (Remaining.IsEmpty) return false;
        // RFC 9000 §16: the two most significant bits of the first byte hold the base-2 logarithm of the length.
        var length = 1 << (Remaining[0] >> 6);
        if (!TryReadBytes(length, out var bytes)) return false;
        value = (ulong)(bytes[0] & 0x3f);
        foreach (var b in bytes[1..]) value = (value << 8) | b;
        return true;
    }

    /// <summary>Reads as many bytes as the variable-length integer before them says (RFC 9000 §16).</summary>
    public bool TryReadVarIntPrefixed(out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        var before = Remaining;
        if (TryReadVarInt(out var length) && length <= int.MaxValue && TryReadBytes((int)length, out bytes)) return true;
        Remaining = before;
        return false;
    }
}
