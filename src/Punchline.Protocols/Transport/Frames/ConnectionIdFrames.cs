using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;

namespace Punchline.Protocols.Transport.Frames;

/// <summary>
/// Another id by which the sender can be addressed (RFC 9000 §19.15). Ids have 8 bytes here, always.
/// <code>
///  NEW_CONNECTION_ID: type 0x18, Sequence Number (i), Retire Prior To (i), Length (1): 8, Connection ID (8),
///                     Stateless Reset Token (16)
/// </code>
/// </summary>
internal readonly record struct NewConnectionIdFrame(ulong Sequence, ulong RetirePriorTo, ulong Id, ResetToken Token)
{
    public const int MaxLength = 1 + (2 * 8) + 1 + IdLength + ResetToken.Length;

    private const int IdLength = 8;

    /// <summary>Reads what follows the type. False for an id of another length, and where it would retire itself, too.</summary>
    public static bool TryRead(ref SpanReader reader, out NewConnectionIdFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var sequence) || !reader.TryReadVarInt(out var retirePriorTo) || !reader.TryReadByte(out var length)
            || length != IdLength || !reader.TryReadUInt64(out var id) || !reader.TryReadBytes(ResetToken.Length, out var token)) return false;
        // RFC 9000 §19.15: "Receiving a value in the Retire Prior To field that is greater than that in the Sequence Number
        // field MUST be treated as a connection error of type FRAME_ENCODING_ERROR."
        if (retirePriorTo > sequence) return false;
        frame = new NewConnectionIdFrame(sequence, retirePriorTo, id, ResetToken.Read(token));
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)FrameType.NewConnectionId);
        writer.WriteVarInt(Sequence);
        writer.WriteVarInt(RetirePriorTo);
        writer.WriteByte(IdLength);
        writer.WriteUInt64(Id);
        Token.Write(writer.Free);
        writer.Advance(ResetToken.Length);
    }
}

/// <summary>
/// An id of the receiver's that the sender uses no more (RFC 9000 §19.16).
/// <code>
///  RETIRE_CONNECTION_ID: type 0x19, Sequence Number (i)
/// </code>
/// </summary>
internal readonly record struct RetireConnectionIdFrame(ulong Sequence)
{
    public const int MaxLength = 1 + 8;

    public static bool TryRead(ref SpanReader reader, out RetireConnectionIdFrame frame)
    {
        frame = default;
        if (!reader.TryReadVarInt(out var sequence)) return false;
        frame = new RetireConnectionIdFrame(sequence);
        return true;
    }

    public void Write(ref SpanWriter writer)
    {
        writer.WriteByte((byte)FrameType.RetireConnectionId);
        writer.WriteVarInt(Sequence);
    }
}
