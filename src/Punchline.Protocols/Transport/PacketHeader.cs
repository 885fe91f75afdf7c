using System.Buffers.Binary;

namespace Punchline.Protocols.Transport;

/// <summary>
/// The 13 clear bytes before a data packet's sealed frames; all of them are associated data.
/// <code>
///  0      1                             9              13
/// +------+-----------------------------+--------------+------------------+-------------+
/// | 100k | connection id (8 bytes,     | packet no.   | sealed frames    | tag         |
/// |      | chosen by the receiver)     | (low 32 bit) | (at least 1 byte)| (16 bytes)  |
/// +------+-----------------------------+--------------+------------------+-------------+
/// </code>
/// Byte 0 is 100r rrrk: k is the key phase, and r is reserved, so that a packet with any of them set is dropped.
/// </summary>
internal readonly record struct PacketHeader(ulong ConnectionId, uint TruncatedNumber, bool KeyPhase)
{
    public const int Length = 1 + 8 + 4;
    public const int TagLength = 16;

    /// <summary>Bytes of the smallest packet: it holds one frame of one byte.</summary>
    public const int MinPacketLength = Length + 1 + TagLength;

    /// <summary>The whole of a packet that makes or keeps a NAT's mapping, and is nothing else.</summary>
    public const byte KeepAlive = 0xff;

    public const byte FirstByte = 0x80;
    public const byte KeyPhaseBit = 0x01;

    public static bool TryRead(ReadOnlySpan<byte> datagram, out PacketHeader header)
    {
        header = default;
        if (datagram.Length < MinPacketLength || (datagram[0] & ~KeyPhaseBit) != FirstByte) return false;
        header = new PacketHeader(
            BinaryPrimitives.ReadUInt64BigEndian(datagram[1..]), BinaryPrimitives.ReadUInt32BigEndian(datagram[9..]), (datagram[0] & KeyPhaseBit) != 0);
        return true;
    }

    public static void Write(Span<byte> destination, in PacketHeader header)
    {
        destination[0] = (byte)(FirstByte | (header.KeyPhase ? KeyPhaseBit : 0));
        BinaryPrimitives.WriteUInt64BigEndian(destination[1..], header.ConnectionId);
        BinaryPrimitives.WriteUInt32BigEndian(destination[9..], header.TruncatedNumber);
    }

    /// <summary>
    /// The packet number that the truncated one stands for: the candidate closest to the next expected one (RFC 9000 §A.3).
    /// </summary>
    public static ulong Reconstruct(uint truncated, ulong expected)
    {
        const ulong Window = 1UL << 32;
        const ulong HalfWindow = Window / 2;
        const ulong NumberLimit = 1UL << 62;
        var candidate = (expected & ~(Window - 1)) | truncated;
        if (candidate + HalfWindow <= expected && candidate < NumberLimit - Window) return candidate + Window;
        if (candidate > expected + HalfWindow && candidate >= Window) return candidate - Window;
        return candidate;
    }
}
