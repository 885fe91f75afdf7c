using System.Buffers.Binary;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>
/// Writes a message attribute by attribute; it is whole after each. The caller has seen to the room: a message that
/// does not fit is our own bug, and throws.
/// </summary>
internal ref struct StunWriter
{
    private readonly StunTransactionId _id;
    private SpanWriter _writer;

    /// <summary>Writes the header; there must be room for its 20 bytes.</summary>
    public StunWriter(Span<byte> destination, StunClass messageClass, StunMethod method, StunTransactionId id)
    {
        // No longer than we read, so that the copy that integrity hashes has a bound.
        _writer = new SpanWriter(destination.Length > StunMessage.MaxLength ? destination[..StunMessage.MaxLength] : destination);
        _id = id;
        _writer.WriteUInt16(StunMessageType.Encode(messageClass, method));
        _writer.WriteUInt16(0);
        _writer.WriteUInt32(StunMessage.MagicCookie);
        _writer.WriteUInt32(id.High);
        _writer.WriteUInt64(id.Low);
    }

    /// <summary>Bytes of the message so far.</summary>
    public readonly int Length => _writer.Length;

    public readonly ReadOnlySpan<byte> Written => _writer.Written;

    public void WriteAttribute(StunAttributeType type, scoped ReadOnlySpan<byte> value)
    {
        _writer.WriteUInt16((ushort)type);
        _writer.WriteUInt16((ushort)value.Length);
        value.CopyTo(_writer.Free);
        _writer.Advance(value.Length);
        // RFC 8489 §14: "The padding bits MUST be set to zero on sending".
        _writer.WriteZeros(StunAttribute.PaddedLength(value.Length) - value.Length);
        SetMessageLength(_writer.Length - StunMessage.HeaderLength);
    }

    public void WriteMappedAddress(Endpoint endpoint) => WriteAddress(StunAttributeType.MappedAddress, endpoint);

    /// <summary>Writes an address as it is: MAPPED-ADDRESS, RESPONSE-ORIGIN, OTHER-ADDRESS.</summary>
    public void WriteAddress(StunAttributeType type, Endpoint endpoint)
    {
        Span<byte> value = stackalloc byte[StunAddress.MaxLength];
        WriteAttribute(type, value[..StunAddress.Write(value, endpoint)]);
    }

    public void WriteXorMappedAddress(Endpoint endpoint)
    {
        Span<byte> value = stackalloc byte[StunAddress.MaxLength];
        WriteAttribute(StunAttributeType.XorMappedAddress, value[..StunAddress.WriteXor(value, endpoint, _id)]);
    }

    /// <summary>Writes ERROR-CODE without a reason: the code says it all, and a response stays small.</summary>
    public void WriteErrorCode(int code)
    {
        Span<byte> value = stackalloc byte[4];
        WriteAttribute(StunAttributeType.ErrorCode, value[..StunError.Write(value, code)]);
    }

    /// <summary>Writes UNKNOWN-ATTRIBUTES (RFC 8489 §14.13): a list of 16-bit types.</summary>
    public void WriteUnknownAttributes(scoped ReadOnlySpan<StunAttributeType> types)
    {
        var value = new SpanWriter(stackalloc byte[StunMessage.MaxLength]);
        foreach (var type in types) value.WriteUInt16((ushort)type);
        WriteAttribute(StunAttributeType.UnknownAttributes, value.Written);
    }

    /// <summary>Writes MESSAGE-INTEGRITY over all that was written.</summary>
    public void WriteMessageIntegrity(scoped ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[StunIntegrity.Sha1Length];
        StunIntegrity.Compute(StunAttributeType.MessageIntegrity, Written, hash.Length, key, hash);
        WriteAttribute(StunAttributeType.MessageIntegrity, hash);
    }

    /// <summary>Writes MESSAGE-INTEGRITY-SHA256 over all that was written, not truncated.</summary>
    public void WriteMessageIntegritySha256(scoped ReadOnlySpan<byte> key)
    {
        Span<byte> hash = stackalloc byte[StunIntegrity.Sha256Length];
        StunIntegrity.Compute(StunAttributeType.MessageIntegritySha256, Written, hash.Length, key, hash);
        WriteAttribute(StunAttributeType.MessageIntegritySha256, hash);
    }

    /// <summary>Writes FINGERPRINT, which must be the last attribute.</summary>
    public void WriteFingerprint()
    {
        // RFC 8489 §14.7: the header that the checksum covers already counts the attribute.
        SetMessageLength(_writer.Length - StunMessage.HeaderLength + StunAttribute.HeaderLength + StunFingerprint.ValueLength);
        Span<byte> value = stackalloc byte[StunFingerprint.ValueLength];
        BinaryPrimitives.WriteUInt32BigEndian(value, StunFingerprint.Compute(Written));
        WriteAttribute(StunAttributeType.Fingerprint, value);
    }

    private readonly void SetMessageLength(int length) =>
        BinaryPrimitives.WriteUInt16BigEndian(_writer.Written[StunMessage.LengthOffset..], (ushort)length);
}
