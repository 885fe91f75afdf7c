using System.Buffers.Binary;
using System.Numerics;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Dht;

/// <summary>
/// BEP 42: a node's id begins with 21 bits that follow from its IP address, so that nobody chooses where in the space his
/// nodes are: an address has eight ids.
/// </summary>
internal static class SecureNodeId
{
    /// <summary>Bits that the address decides.</summary>
    public const int PrefixBits = 21;

    private const uint IPv4Mask = 0x030f_3fff;
    private const ulong IPv6Mask = 0x0103_070f_1f3f_7fff;

    /// <summary>An id for a node with this address; the port does not count.</summary>
    public static NodeId Create(Endpoint external, IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[NodeId.ByteLength];
        random.Fill(bytes);
        var prefix = Prefix(external, bytes[^1]);
        bytes[0] = (byte)(prefix >> 24);
        bytes[1] = (byte)(prefix >> 16);
        // Of the third byte, the upper five bits are the hash's and the lower three random.
        bytes[2] = (byte)(((prefix >> 8) & 0xf8) | (bytes[2] & 0x07u));
        return NodeId.Read(bytes);
    }

    /// <summary>Whether a node at this address may have this id.</summary>
    public static bool IsValid(NodeId id, Endpoint endpoint)
    {
        // BEP 42: "Any peer on a local network address is exempt from this node ID verification."
        if (AddressScope.IsPrivate(endpoint) || AddressScope.IsLoopback(endpoint) || AddressScope.IsLinkLocal(endpoint)) return true;
        return ((uint)(id.High >> 96) ^ Prefix(endpoint, (byte)id.Low)) >> (32 - PrefixBits) == 0;
    }

    // crc32c((ip & mask) | (r << 29)) for IPv4, and r << 61 over the upper half of an IPv6 address; r is the lowest three bits of the id.
    private static uint Prefix(Endpoint endpoint, byte random)
    {
        Span<byte> input = stackalloc byte[8];
        var r = random & 0x07u;
        if (endpoint.IsIPv4)
        {
            input = input[..4];
            BinaryPrimitives.WriteUInt32BigEndian(input, (endpoint.IPv4 & IPv4Mask) | (r << 29));
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(input, ((ulong)(endpoint.Address >> 64) & IPv6Mask) | ((ulong)r << 61));
        }
        // RFC 3720 appendix B.4: CRC-32C begins with all ones and ends with its complement.
        var crc = uint.MaxValue;
        foreach (var b in input) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
