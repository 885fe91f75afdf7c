using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>
/// A point in the DHT's space of 160 bits: a node's id, a topic's hash, an item's target, or (BEP 5: "the distance metric
/// is XOR") the distance of two of them.
/// </summary>
internal readonly record struct NodeId(UInt128 High, uint Low) : IComparable<NodeId>
{
    public const int ByteLength = 20;
    public const int BitLength = ByteLength * 8;

    /// <summary>From the first 20 bytes.</summary>
    public static NodeId Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[16..]));

    /// <summary>From a string of exactly 20 bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out NodeId id)
    {
        id = bytes.Length == ByteLength ? Read(bytes) : default;
        return bytes.Length == ByteLength;
    }

    /// <summary>From 40 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? hex, out NodeId id)
    {
        id = default;
        Span<byte> bytes = stackalloc byte[ByteLength];
        if (hex is not { Length: 2 * ByteLength }
            || Convert.FromHexString(hex, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        id = Read(bytes);
        return true;
    }

    public static NodeId Generate(IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        random.Fill(bytes);
        return Read(bytes);
    }

    public static NodeId operator ^(NodeId left, NodeId right) => new(left.High ^ right.High, left.Low ^ right.Low);

    /// <summary>The leading bits that two ids have in common: 0 to 160.</summary>
    public int CommonPrefix(NodeId other)
    {
        var distance = this ^ other;
        return distance.High != 0 ? (int)UInt128.LeadingZeroCount(distance.High) : 128 + System.Numerics.BitOperations.LeadingZeroCount(distance.Low);
    }

    /// <summary>A random id that has exactly the first <paramref name="bits"/> bits, 0 to 159, in common with this one.</summary>
    public NodeId RandomAt(int bits, IRandomSource random)
    {
        var difference = Generate(random);
        // The distance begins with as many zeros, then a one.
        var (high, low) = bits < 128
            ? (((difference.High | (UInt128.One << 127)) >> bits), difference.Low)
            : (UInt128.Zero, (difference.Low | 0x8000_0000) >> (bits - 128));
        return this ^ new NodeId(high, low);
    }

    /// <summary>Writes the id's 20 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, High);
        BinaryPrimitives.WriteUInt32BigEndian(destination[16..], Low);
    }

    /// <summary>As numbers: of two distances the nearer one comes first.</summary>
    public int CompareTo(NodeId other) => High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        CopyTo(bytes);
        return Convert.ToHexStringLower(bytes);
    }
}
