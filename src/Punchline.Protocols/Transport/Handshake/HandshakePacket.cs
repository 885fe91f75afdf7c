using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Handshake;

/// <summary>
/// The packets that carry the three Noise messages. Message 1 is also the probe that opens a NAT.
/// <code>
/// message 1  | 0xC0 | version | hint (8)          | Noise message 1 … | = 250 bytes, by padding inside the payload
///            payload: sender id (32), target id or zeros (32), attempt (8), sender's connection id (8), zeros
/// message 2  | 0xC1 | receiver connection id (8)  | Noise message 2 … | at most 250 bytes
///            payload: sender's connection id (8), transport parameters
/// message 3  | 0xC2 | receiver connection id (8)  | Noise message 3 … |
///            payload: transport parameters
/// cookie     | 0xC3 | receiver connection id (8)  | cookie (16) | = 25 bytes
/// returned   | 0xC4 | cookie (16) | message 1 (250), byte for byte | = 267 bytes
/// </code>
/// A cookie reply is what a message 1 gets instead of message 2 while answers are scarce: it comes back with the message.
/// Message 1's header is part of the prologue; the other headers only say which state a message is for, and a wrong one
/// fails to decrypt there.
/// </summary>
internal static class HandshakePacket
{
    public const byte FirstType = 0xc0;
    public const byte LastType = 0xcf;
    public const byte Message1 = 0xc0;
    public const byte Message2 = 0xc1;
    public const byte Message3 = 0xc2;
    public const byte CookieReply = 0xc3;
    public const byte CookiedMessage1 = 0xc4;

    /// <summary>The wire version that this code speaks.</summary>
    public const byte Version = 1;

    public const int HintLength = 8;
    public const int Message1HeaderLength = 1 + 1 + HintLength;
    public const int HeaderLength = 1 + sizeof(ulong);

    /// <summary>
    /// Bytes of every message 1, and the most that a message 2 may have, so that answering a forged source amplifies
    /// nothing. Twelve of them are the 3,000 bytes that an address may get before it answered.
    /// </summary>
    public const int Message1Length = 250;

    /// <summary>A tenth of what it answers.</summary>
    public const int CookieReplyLength = HeaderLength + AddressCookies.Length;

    /// <summary>What a cookie adds to message 1: its own type and itself.</summary>
    public const int CookieOverhead = 1 + AddressCookies.Length;

    public const int CookiedMessage1Length = CookieOverhead + Message1Length;

    /// <summary>No handshake packet is longer.</summary>
    public const int MaxLength = 1200;

    public static bool IsHandshake(ReadOnlySpan<byte> packet) => packet.Length > 0 && packet[0] is >= FirstType and <= LastType;

    /// <summary>Reads the hint of a message 1 of our version and of the right length.</summary>
    public static bool TryReadHint(ReadOnlySpan<byte> packet, out ulong hint)
    {
        hint = 0;
        if (packet.Length != Message1Length || packet[0] != Message1 || packet[1] != Version) return false;
        hint = BinaryPrimitives.ReadUInt64BigEndian(packet[2..]);
        return true;
    }

    /// <summary>Takes a message 1 that comes with a cookie apart.</summary>
    public static bool TryReadCookiedMessage1(ReadOnlySpan<byte> packet, out ReadOnlySpan<byte> cookie, out ReadOnlySpan<byte> message1)
    {
        cookie = default;
        message1 = default;
        if (packet.Length != CookiedMessage1Length || packet[0] != CookiedMessage1) return false;
        cookie = packet.Slice(1, AddressCookies.Length);
        message1 = packet[^Message1Length..];
        return true;
    }

    /// <summary>Writes message 1 as it goes to an address: with its cookie, where that is not empty. Returns the length.</summary>
    public static int WriteMessage1(ReadOnlySpan<byte> cookie, ReadOnlySpan<byte> message1, Span<byte> packet)
    {
        var writer = new SpanWriter(packet);
        if (!cookie.IsEmpty)
        {
            writer.WriteByte(CookiedMessage1);
            writer.WriteBytes(cookie);
        }
        writer.WriteBytes(message1);
        return writer.Length;
    }

    /// <summary>Reads the receiver's connection id of a cookie reply, and the cookie.</summary>
    public static bool TryReadCookieReply(ReadOnlySpan<byte> packet, out ulong connectionId, out ReadOnlySpan<byte> cookie)
    {
        connectionId = 0;
        cookie = default;
        if (packet.Length != CookieReplyLength || packet[0] != CookieReply) return false;
        connectionId = BinaryPrimitives.ReadUInt64BigEndian(packet[1..]);
        cookie = packet[HeaderLength..];
        return true;
    }

    public static byte[] WriteCookieReply(ulong connectionId, ReadOnlySpan<byte> cookie)
    {
        var packet = new byte[CookieReplyLength];
        packet[0] = CookieReply;
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(1), connectionId);
        cookie.CopyTo(packet.AsSpan(HeaderLength));
        return packet;
    }

    /// <summary>Reads the receiver's connection id of a message 2 or 3.</summary>
    public static bool TryReadConnectionId(ReadOnlySpan<byte> packet, out ulong connectionId)
    {
        connectionId = 0;
        if (packet.Length is < HeaderLength or > MaxLength || packet[0] is not (Message2 or Message3)) return false;
        connectionId = BinaryPrimitives.ReadUInt64BigEndian(packet[1..]);
        return true;
    }
}
