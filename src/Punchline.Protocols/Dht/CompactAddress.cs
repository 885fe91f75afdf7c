using System.Buffers.Binary;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Dht;

/// <summary>
/// Addresses as KRPC has them: address and port for a peer (BEP 5, 6 bytes; BEP 32, 18 bytes), with the id before them for a
/// node (26 or 38 bytes).
/// </summary>
internal static class CompactAddress
{
    public const int IPv4Length = 6;
    public const int IPv6Length = 18;
    public const int IPv4NodeLength = NodeId.ByteLength + IPv4Length;
    public const int IPv6NodeLength = NodeId.ByteLength + IPv6Length;

    /// <summary>From a string of exactly 6 or 18 bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Endpoint endpoint)
    {
        endpoint = default;
        return bytes.Length is IPv4Length or IPv6Length
            && Endpoint.TryFromBytes(bytes[..^2], BinaryPrimitives.ReadUInt16BigEndian(bytes[^2..]), out endpoint);
    }

    /// <summary>Writes 6 or 18 bytes, and returns how many.</summary>
    public static int Write(Endpoint endpoint, Span<byte> destination)
    {
        var length = endpoint.WriteAddress(destination);
        BinaryPrimitives.WriteUInt16BigEndian(destination[length..], endpoint.Port);
        return length + 2;
    }

    /// <summary>From 26 or 38 bytes.</summary>
    public static bool TryReadNode(ReadOnlySpan<byte> bytes, out NodeId id, out Endpoint endpoint)
    {
        (id, endpoint) = (default, default);
        if (bytes.Length is not (IPv4NodeLength or IPv6NodeLength)) return false;
        id = NodeId.Read(bytes);
        return TryRead(bytes[NodeId.ByteLength..], out endpoint);
    }

    /// <summary>Writes 26 or 38 bytes, and returns how many.</summary>
    public static int WriteNode(NodeId id, Endpoint endpoint, Span<byte> destination)
    {
        id.CopyTo(destination);
        return NodeId.ByteLength + Write(endpoint, destination[NodeId.ByteLength..]);
    }

    /// <summary>
    /// Whether a packet may go to an address on the word of a node: what belongs to nobody, to many or to another kind of service
    /// does not count, nor does a local address that a node elsewhere names.
    /// </summary>
    /// <param name="endpoint">What was named.</param>
    /// <param name="teller">Where the node is that named it; the address itself where it came from there.</param>
    public static bool IsUsable(Endpoint endpoint, Endpoint teller)
    {
        if (endpoint.Port < 1_024 && endpoint.Port != 443) return false;
        if (AddressScope.IsUnspecified(endpoint) || AddressScope.IsMulticastOrBroadcast(endpoint)) return false;
        if (AddressScope.IsLinkLocal(endpoint)) return false;
        if (AddressScope.IsLoopback(endpoint)) return AddressScope.IsLoopback(teller);
        return !AddressScope.IsPrivate(endpoint) || AddressScope.IsPrivate(teller) || AddressScope.IsLoopback(teller);
    }
}
