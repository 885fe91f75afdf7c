using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// What goes over the stream on which a member introduces others (PROTOCOL §10); its opener alone writes.
/// <code>
/// type (varint) | length (varint) | body
///   1 connected   targets (8 each): to whom the opener has connections; the latest counts
///   2 self        blob's plaintext: what the opener says of itself
///   3 member      address length (1): 0, 4 or 16 | address | port (2), only behind an address | blob's plaintext:
///                 what a connected member says of itself, and where the opener sees it
/// </code>
/// Frames of other types are skipped: a later version's.
/// </summary>
internal static class IntroductionFrame
{
    /// <summary>The protocol's name at the beginning of a stream.</summary>
    public const string Protocol = "punchline/introductions/1";

    public const ulong Connected = 1;
    public const ulong Self = 2;
    public const ulong Member = 3;

    /// <summary>Members that one may say it is connected to.</summary>
    public const int MaxConnected = CoordinationLimits.MaxMembersPerRoom;

    /// <summary>Bytes of a frame's body, at most: the longest address and blob.</summary>
    public const int MaxBodyBytes = 1 + 16 + 2 + IntroductionBlob.MaxLength;

    private const int TargetLength = 8;

    /// <param name="targets">The <see cref="PortOffer.TargetOf"/> of each.</param>
    public static byte[] WriteConnected(IReadOnlyCollection<ulong> targets)
    {
        var writer = new SpanWriter(stackalloc byte[MaxConnected * TargetLength]);
        foreach (var target in targets) writer.WriteUInt64(target);
        return Write(Connected, writer.Written);
    }

    public static byte[] WriteSelf(IntroductionBlob introduction)
    {
        var writer = new SpanWriter(stackalloc byte[MaxBodyBytes]);
        introduction.Write(ref writer);
        return Write(Self, writer.Written);
    }

    /// <param name="introduction">The member's.</param>
    /// <param name="seenAt">Where its packets come from; null where that is of no use to others.</param>
    public static byte[] WriteMember(IntroductionBlob introduction, Endpoint? seenAt)
    {
        var writer = new SpanWriter(stackalloc byte[MaxBodyBytes]);
        if (seenAt is { } seen)
        {
            writer.WriteByte((byte)seen.AddressLength);
            writer.Advance(seen.WriteAddress(writer.Free));
            writer.WriteUInt16(seen.Port);
        }
        else
        {
            writer.WriteByte(0);
        }
        introduction.Write(ref writer);
        return Write(Member, writer.Written);
    }

    /// <summary>Reads the targets of a frame. False where there are too many, or one is cut off.</summary>
    public static bool TryReadConnected(ReadOnlySpan<byte> body, [NotNullWhen(true)] out HashSet<ulong>? targets)
    {
        targets = null;
        if (body.Length % TargetLength != 0 || body.Length > MaxConnected * TargetLength) return false;
        targets = [];
        for (; !body.IsEmpty; body = body[TargetLength..]) targets.Add(BinaryPrimitives.ReadUInt64BigEndian(body));
        return true;
    }

    /// <summary>Reads a member, with <see cref="IntroductionBlob.SeenAt"/>. False where it is malformed.</summary>
    public static bool TryReadMember(ReadOnlySpan<byte> body, [NotNullWhen(true)] out IntroductionBlob? introduction)
    {
        introduction = null;
        var reader = new SpanReader(body);
        if (!reader.TryReadByte(out var length)) return false;
        Endpoint? seenAt = null;
        if (length > 0)
        {
            if (!reader.TryReadBytes(length, out var address) || !reader.TryReadUInt16(out var port) || !Endpoint.TryFromBytes(address, port, out var endpoint)) return false;
            seenAt = endpoint;
        }
        if (!IntroductionBlob.TryRead(reader.Remaining, out introduction)) return false;
        introduction = introduction with { SeenAt = seenAt };
        return true;
    }

    private static byte[] Write(ulong type, ReadOnlySpan<byte> body)
    {
        var frame = new byte[SpanWriter.VarIntLength(type) + SpanWriter.VarIntLength((ulong)body.Length) + body.Length];
        var writer = new SpanWriter(frame);
        writer.WriteVarInt(type);
        writer.WriteVarInt((ulong)body.Length);
        writer.WriteBytes(body);
        return frame;
    }
}
