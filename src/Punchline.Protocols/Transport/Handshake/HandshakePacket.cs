using System.Buffers.Binary;

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
/// cookie     | 0xC3 | registered, not sent yet: dropped
/// </code>
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

    /// <summary>Reads the receiver's connection id of a message 2 or 3.</summary>
    public static bool TryReadConnectionId(ReadOnlySpan<byte> packet, out ulong connectionId)
    {
        connectionId = 0;
        if (packet.Length is < HeaderLength or > MaxLength || packet[0] is not (Message2 or Message3)) return false;
        connectionId = BinaryPrimitives.ReadUInt64BigEndian(packet[1..]);
        return true;
    }
}
