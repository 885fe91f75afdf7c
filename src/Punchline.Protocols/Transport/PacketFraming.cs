using System.Buffers.Binary;

namespace Punchline.Protocols.Transport;

/// <summary>
/// Packets one behind the other on a TCP connection: the same that are datagrams on UDP.
/// <code>
///  0        2
/// +--------+-----------------------+
/// | length | packet, 1 to 16,384   |
/// +--------+-----------------------+
/// </code>
/// Takes bytes as they come, and keeps only what is not a whole packet yet.
/// </summary>
internal sealed class PacketFraming
{
    /// <summary>Bytes before each packet.</summary>
    public const int PrefixLength = 2;

    /// <summary>The largest packet.</summary>
    public const int MaxPacket = 16_384;

    private byte[] _partial = [];
    private int _length;

    /// <summary>The largest packet that is taken: less than <see cref="MaxPacket"/> from whom nothing has been authentic yet.</summary>
    public int Limit { get; set; } = MaxPacket;

    /// <summary>Bytes kept of a packet that is not whole.</summary>
    public int Kept => _length;

    /// <summary>Puts the prefix before a packet that stands at the buffer's beginning, and returns the length of both.</summary>
    public static int Frame(Span<byte> buffer, int length)
    {
        buffer[..length].CopyTo(buffer[PrefixLength..]);
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)length);
        return PrefixLength + length;
    }

    /// <summary>Takes the next whole packet off the beginning of what came.</summary>
    /// <param name="bytes">What came, and behind the call what is left of it: nothing, where false is returned.</param>
    /// <param name="packet">Good until the next call.</param>
    /// <param name="isBroken">No packet is that long: there is no finding the next.</param>
    public bool TryTake(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> packet, out bool isBroken)
    {
        packet = default;
        isBroken = false;
        if (_length > 0) return TryComplete(ref bytes, out packet, out isBroken);
        if (bytes.Length >= PrefixLength)
        {
            var length = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            isBroken = length == 0 || length > Limit;
            if (isBroken) return false;
            if (bytes.Length >= PrefixLength + length)
            {
                packet = bytes.Slice(PrefixLength, length);
                bytes = bytes[(PrefixLength + length)..];
                return true;
            }
        }
        Keep(ref bytes, bytes.Length);
        return false;
    }

    // What is kept grows to the prefix first, which says how much more it takes.
    private bool TryComplete(ref ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> packet, out bool isBroken)
    {
        packet = default;
        isBroken = false;
        if (_length < PrefixLength) Keep(ref bytes, PrefixLength - _length);
        if (_length < PrefixLength) return false;
        var length = BinaryPrimitives.ReadUInt16BigEndian(_partial);
        isBroken = length == 0 || length > Limit;
        if (isBroken) return false;
        Keep(ref bytes, PrefixLength + length - _length);
        if (_length < PrefixLength + length) return false;
        packet = _partial.AsSpan(PrefixLength, length);
        _length = 0;
        return true;
    }

    private void Keep(ref ReadOnlySpan<byte> bytes, int count)
    {
        count = Math.Min(count, bytes.Length);
        if (_length + count > _partial.Length) Array.Resize(ref _partial, _length + count <= SmallPacket ? SmallPacket : PrefixLength + MaxPacket);
        bytes[..count].CopyTo(_partial.AsSpan(_length));
        _length += count;
        bytes = bytes[count..];
    }

    // Handshakes and chat fit: an idle connection holds no more.
    private const int SmallPacket = 2_048;
}
