using System.Buffers.Binary;
using System.Text.Json.Serialization;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

/// <summary>
/// One run of one peer: 16 random bytes drawn when the process starts. The same peer with another instance has lost
/// its state; with the same one it has only lost its connection.
/// </summary>
[JsonConverter(typeof(InstanceIdConverter))]
internal readonly record struct InstanceId(UInt128 Value)
{
    public const int ByteLength = 16;

    public static InstanceId Generate(IRandomSource random)
    {
        Span<byte> bytes = stackalloc byte[ByteLength];
        random.Fill(bytes);
        return FromBytes(bytes);
    }

    /// <summary>From the first 16 bytes.</summary>
    public static InstanceId FromBytes(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    public void CopyTo(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    public override string ToString() => Value.ToString("x32", null);
}
