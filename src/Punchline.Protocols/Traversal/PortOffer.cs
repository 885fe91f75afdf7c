using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// Ports at which a peer expects one other: openers to that one have left through all of them, or through some that only its router
/// knows. What is sent there needs no opener in front of it, and nobody else is meant.
/// <code>
/// target (8) | address length (1): 4 or 16 | address | first port (2) | last port (2) | sockets (2)
/// </code>
/// </summary>
/// <param name="Target">The <see cref="TargetOf"/> of whom it is for.</param>
/// <param name="First">The address, and the first of the ports.</param>
/// <param name="LastPort">The last of them.</param>
/// <param name="Sockets">How many of the ports lead to a socket; no more than there are ports.</param>
internal readonly record struct PortOffer(ulong Target, Endpoint First, ushort LastPort, ushort Sockets)
{
    /// <summary>Offers of one peer, at most: two for each of those that are punched at once.</summary>
    public const int MaxPerPeer = 2 * PunchQueue.MaxAtOnce;

    /// <summary>Bytes of one, at most.</summary>
    public const int MaxLength = 8 + 1 + 16 + (3 * 2);

    /// <summary>What its ports are of. TCP's offers are a list of their own.</summary>
    public Carrier Carrier { get; init; }

    public int Ports => LastPort - First.Port + 1;

    /// <summary>The beginning of an id, which tells the members of a room apart.</summary>
    public static ulong TargetOf(PeerId id)
    {
        Span<byte> bytes = stackalloc byte[PeerId.ByteLength];
        id.CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteUInt64(Target);
        writer.WriteByte((byte)First.AddressLength);
        writer.Advance(First.WriteAddress(writer.Free));
        writer.WriteUInt16(First.Port);
        writer.WriteUInt16(LastPort);
        writer.WriteUInt16(Sockets);
    }

    /// <summary>Reads one. False where it is cut off, has no such address, or speaks of no port or of more sockets than ports.</summary>
    public static bool TryRead(ref SpanReader reader, out PortOffer offer)
    {
        offer = default;
        if (!reader.TryReadUInt64(out var target) || !reader.TryReadByte(out var length) || !reader.TryReadBytes(length, out var address)
            || !reader.TryReadUInt16(out var first) || !reader.TryReadUInt16(out var last) || !reader.TryReadUInt16(out var sockets)
            || !Endpoint.TryFromBytes(address, first, out var endpoint)) return false;
        if (last < first || sockets == 0 || sockets > last - first + 1) return false;
        offer = new PortOffer(target, endpoint, last, sockets);
        return true;
    }
}
