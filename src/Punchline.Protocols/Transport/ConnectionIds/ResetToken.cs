using System.Buffers.Binary;

namespace Punchline.Protocols.Transport.ConnectionIds;

/// <summary>The 16 bytes by which a peer that has lost a connection's keys can end it (RFC 9000 §10.3); one for each connection id.</summary>
internal readonly record struct ResetToken(UInt128 Value)
{
    public const int Length = 16;

    public static ResetToken Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt128BigEndian(source));

    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    // Not for a log: who has it can end the connection.
    public override string ToString() => "reset token";
}
