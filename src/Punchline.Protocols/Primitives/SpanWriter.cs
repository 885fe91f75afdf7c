using System.Buffers.Binary;

namespace Punchline.Protocols.Primitives;

/// <summary>
/// Writes a packet from front to back. The caller has seen to the room (<see cref="Free"/>, <see cref="VarIntLength"/>):
/// writing past the end is our own bug, and throws.
/// </summary>
internal ref struct SpanWriter(Span<byte> destination)
{
    /// <summary>The largest variable-length integer: 2^62 − 1 (RFC 9000 §16).</summary>
    public const ulong MaxVarInt = (1UL << 62) - 1;

    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes written so far.</summary>
    public int Length { get; private set; }

    public readonly Span<byte> Written => _destination[..Length];

    /// <summary>The room that is left.</summary>
    public readonly Span<byte> Free => _destination[Length..];

    public void WriteByte(byte value)
    {
        Free[0] = value;
        Length++;
    }

    public void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(Free, value);
        Length += 2;
    }

    public void WriteUInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(Free, value);
        Length += 4;
    }

    public void WriteUInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(Free, value);
        Length += 8;
    }

    public void WriteBytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Free);
        Length += bytes.Length;
    }

    public void WriteZeros(int count)
    {
        Free[..count].Clear();
        Length += count;
    }

    /// <summary>Counts bytes that were written into <see cref="Free"/> directly.</summary>
    public void Advance(int count)
    {
        if ((uint)count > (uint)(_destination.Length - Length)) throw new ArgumentOutOfRangeException(nameof(count));
        Length += count;
    }

    /// <summary>Writes a variable-length integer in the fewest bytes (RFC 9000 §16).</summary>
    /// <exception cref="ArgumentOutOfRangeException">Above <see cref="MaxVarInt"/>.</exception>
    public void WriteVarInt(ulong value)
    {
        switch (VarIntLength(value))
        {
            case 1: WriteByte((byte)value); break;
            case 2: WriteUInt16((ushort)(value | 0x4000)); break;
            case 4: WriteUInt32((uint)value | 0x8000_0000); break;
            default: WriteUInt64(value | 0xc000_0000_0000_0000); break;
        }
    }

    /// <summary>Bytes that <see cref="WriteVarInt"/> takes for a value: 1, 2, 4 or 8.</summary>
    public static int VarIntLength(ulong value) => value switch
    {
        < 1UL << 6 => 1,
        < 1UL << 14 => 2,
        < 1UL << 30 => 4,
        <= MaxVarInt => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(value), value, "A variable-length integer holds at most 62 bits."),
    };
}
