using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>Goes through the attributes of a message that was read, less those that integrity tells a receiver to ignore.</summary>
internal ref struct StunAttributeEnumerator(ReadOnlySpan<byte> message)
{
    private readonly int _messageLength = message.Length;
    private SpanReader _reader = new(message[StunMessage.HeaderLength..]);
    private bool _afterIntegrity;
    private bool _afterIntegritySha256;
    private StunAttribute _current;

    public readonly StunAttribute Current => _current;

    /// <summary>Where the current attribute's header begins in the message.</summary>
    public readonly int Offset => _messageLength - _reader.Remaining.Length - _current.Length;

    public readonly StunAttributeEnumerator GetEnumerator() => this;

    public bool MoveNext()
    {
        while (StunAttribute.TryRead(ref _reader, out _current))
        {
            if (IsIgnored(_current.Type)) continue;
            _afterIntegrity |= _current.Type == StunAttributeType.MessageIntegrity;
            _afterIntegritySha256 |= _current.Type == StunAttributeType.MessageIntegritySha256;
            return true;
        }
        return false;
    }

    // RFC 8489 §14.5: behind MESSAGE-INTEGRITY everything is ignored but MESSAGE-INTEGRITY-SHA256 and FINGERPRINT;
    // §14.6: behind MESSAGE-INTEGRITY-SHA256 everything but FINGERPRINT. Nothing there was authenticated.
    private readonly bool IsIgnored(StunAttributeType type) =>
        (_afterIntegrity || _afterIntegritySha256)
        && type != StunAttributeType.Fingerprint
        && (_afterIntegritySha256 || type != StunAttributeType.MessageIntegritySha256);
}
