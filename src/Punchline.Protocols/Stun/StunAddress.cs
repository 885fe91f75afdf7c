using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>
/// The values of MAPPED-ADDRESS and XOR-MAPPED-ADDRESS (RFC 8489 §14.1, §14.2), of which the second hides the address
/// from NATs that rewrite whatever looks like one.
/// </summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |0 0 0 0 0 0 0 0|    Family     |    Port (XOR cookie's top)    |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |   Address: 32 bits (XOR cookie) or 128 (XOR cookie, transaction id)
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code></remarks>
internal static class StunAddress
{
    public const int MaxLength = PrefixLength + 16;
    private const int PrefixLength = 4;
    private const byte FamilyIPv4 = 0x01;
    private const byte FamilyIPv6 = 0x02;
    private const ushort PortMask = (ushort)(StunMessage.MagicCookie >> 16);

    /// <summary>Reads MAPPED-ADDRESS.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out Endpoint endpoint)
    {
        endpoint = default;
        if (value.Length < PrefixLength) return false;
        var expected = value[1] switch { FamilyIPv4 => 4, FamilyIPv6 => 16, _ => -1 };
        return value.Length - PrefixLength == expected
            && Endpoint.TryFromBytes(value[PrefixLength..], BinaryPrimitives.ReadUInt16BigEndian(value[2..]), out endpoint);
    }

    /// <summary>Reads XOR-MAPPED-ADDRESS.</summary>
    public static bool TryReadXor(ReadOnlySpan<byte> value, StunTransactionId id, out Endpoint endpoint)
    {
        if (!TryRead(value, out endpoint)) return false;
        // The family on the wire decides how much is masked: a masked IPv6 address may look like a mapped IPv4 one.
        var mask = value[1] == FamilyIPv4 ? StunMessage.MagicCookie : Mask128(id);
        endpoint = new Endpoint(endpoint.Address ^ mask, (ushort)(endpoint.Port ^ PortMask));
        return true;
    }

    /// <summary>Writes MAPPED-ADDRESS's value and returns its length, 8 or 20.</summary>
    public static int Write(Span<byte> destination, Endpoint endpoint)
    {
        destination[0] = 0;
        destination[1] = endpoint.IsIPv4 ? FamilyIPv4 : FamilyIPv6;
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], endpoint.Port);
        return PrefixLength + endpoint.WriteAddress(destination[PrefixLength..]);
    }

    /// <summary>Writes XOR-MAPPED-ADDRESS's value and returns its length, 8 or 20.</summary>
    public static int WriteXor(Span<byte> destination, Endpoint endpoint, StunTransactionId id)
    {
        var length = Write(destination, endpoint);
        BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)(endpoint.Port ^ PortMask));
        if (endpoint.IsIPv4) BinaryPrimitives.WriteUInt32BigEndian(destination[PrefixLength..], endpoint.IPv4 ^ StunMessage.MagicCookie);
        else BinaryPrimitives.WriteUInt128BigEndian(destination[PrefixLength..], endpoint.Address ^ Mask128(id));
        return length;
    }

    private static UInt128 Mask128(StunTransactionId id) => ((UInt128)StunMessage.MagicCookie << 96) | ((UInt128)id.High << 64) | id.Low;
}
