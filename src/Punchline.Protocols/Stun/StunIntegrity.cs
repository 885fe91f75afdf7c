using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Punchline.Protocols.Stun;

/// <summary>
/// MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256 (RFC 8489 §14.5, §14.6): a keyed hash over the message before the
/// attribute, whose header counts the message as if the attribute were its last.
/// </summary>
internal static class StunIntegrity
{
    public const int Sha1Length = HMACSHA1.HashSizeInBytes;
    public const int Sha256Length = HMACSHA256.HashSizeInBytes;

    /// <summary>Whether the message has a MESSAGE-INTEGRITY and it is right.</summary>
    public static bool Verify(in StunMessage message, ReadOnlySpan<byte> key) =>
        Verify(message, key, StunAttributeType.MessageIntegrity);

    /// <summary>Whether the message has a MESSAGE-INTEGRITY-SHA256 and it is right.</summary>
    public static bool VerifySha256(in StunMessage message, ReadOnlySpan<byte> key) =>
        Verify(message, key, StunAttributeType.MessageIntegritySha256);

    /// <summary>Hashes the bytes before an attribute, under a header that counts the attribute as the last.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "RFC 8489 §14.5 defines MESSAGE-INTEGRITY with HMAC-SHA1; as a MAC it still stands.")]
    public static void Compute(StunAttributeType type, ReadOnlySpan<byte> covered, int valueLength, ReadOnlySpan<byte> key, Span<byte> hash)
    {
        // Hashed from a copy, because the length in the header is another than the message's.
        Span<byte> copy = stackalloc byte[StunMessage.MaxLength];
        copy = copy[..covered.Length];
        covered.CopyTo(copy);
        var length = covered.Length + StunAttribute.HeaderLength + valueLength - StunMessage.HeaderLength;
        BinaryPrimitives.WriteUInt16BigEndian(copy[StunMessage.LengthOffset..], (ushort)length);
        if (type == StunAttributeType.MessageIntegrity) HMACSHA1.HashData(key, copy, hash);
        else HMACSHA256.HashData(key, copy, hash);
    }

    private static bool Verify(in StunMessage message, ReadOnlySpan<byte> key, StunAttributeType type)
    {
        var attributes = message.Attributes;
        while (attributes.MoveNext())
        {
            if (attributes.Current.Type != type) continue;
            var value = attributes.Current.Value;
            if (!IsLength(type, value.Length)) return false;
            Span<byte> hash = stackalloc byte[Sha256Length];
            Compute(type, message.Bytes[..attributes.Offset], value.Length, key, hash);
            return CryptographicOperations.FixedTimeEquals(hash[..value.Length], value);
        }
        return false;
    }

    // RFC 8489 §14.6: "The value must be the full 32 bytes unless the STUN Usage explicitly specifies that truncation is
    // allowed." None of ours does.
    private static bool IsLength(StunAttributeType type, int length) =>
        length == (type == StunAttributeType.MessageIntegrity ? Sha1Length : Sha256Length);
}
