using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>
/// The whole of a STUN server's mind (RFC 8489 §12, basic server behaviour): a binding request gives its source's address
/// back. There is no state, and no authentication: it would cost more than the answer.
/// </summary>
/// <remarks>
/// A request's source can be forged, so the answer must not be worth it. Requests have at least 20 bytes. A success
/// has 32 over IPv4 and 44 over IPv6 (header 20, XOR-MAPPED-ADDRESS 12 or 24), with IP and UDP headers 60 for 48 and 92
/// for 68: 1.25 and 1.35 times what came. A 420 has 32 and 2 for each unknown type, padded, where each took at least 4 in
/// the request: at most 36 for 24, which is 64 for 52 with headers (1.23). FINGERPRINT adds 8 to both sides. That is why
/// there is no SOFTWARE and no reason phrase in them. Deviates from RFC 8489 §14.8 where a request has more unknown types
/// than <see cref="MaxUnknownAttributes"/>: only the first are listed, so that the answer has a bound.
/// </remarks>
internal static class StunResponder
{
    /// <summary>At most as many unknown types are listed in a 420.</summary>
    public const int MaxUnknownAttributes = 16;

    /// <summary>Room that <see cref="TryRespond"/> needs: 20 + 8 + (4 + 2 · 16) + 8, the longest 420.</summary>
    public const int MaxResponseLength = 72;

    // What a request may carry without changing our answer; credentials are neither asked for nor looked at.
    private static readonly StunAttributeType[] Understood =
    [
        StunAttributeType.MappedAddress, StunAttributeType.XorMappedAddress, StunAttributeType.ErrorCode, StunAttributeType.UnknownAttributes,
        StunAttributeType.Username, StunAttributeType.Realm, StunAttributeType.Nonce,
        StunAttributeType.MessageIntegrity, StunAttributeType.MessageIntegritySha256,
    ];

    /// <summary>Answers a binding request; false if the datagram is anything else, and deserves no answer.</summary>
    /// <param name="datagram">What came.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="response">Room for <see cref="MaxResponseLength"/> bytes.</param>
    /// <param name="length">The answer's length.</param>
    public static bool TryRespond(ReadOnlySpan<byte> datagram, Endpoint source, Span<byte> response, out int length)
    {
        length = 0;
        if (!StunMessage.TryRead(datagram, out var request)) return false;
        // Responses are never answered, so that two servers cannot be set to talk to each other.
        if (request.Class != StunClass.Request || request.Method != StunMethod.Binding) return false;

        Span<StunAttributeType> unknown = stackalloc StunAttributeType[MaxUnknownAttributes];
        unknown = unknown[..request.CollectUnknown(Understood, unknown)];
        var writer = new StunWriter(
            response, unknown.IsEmpty ? StunClass.SuccessResponse : StunClass.ErrorResponse, StunMethod.Binding, request.TransactionId);
        if (unknown.IsEmpty)
        {
            writer.WriteXorMappedAddress(source);
        }
        else
        {
            // RFC 8489 §6.3.1: unknown comprehension-required attributes give a 420 that lists them.
            writer.WriteErrorCode(StunError.UnknownAttribute);
            writer.WriteUnknownAttributes(unknown);
        }
        // RFC 8489 §7: who sends FINGERPRINT shares its socket with another protocol, and looks for it in the response.
        if (request.HasFingerprint) writer.WriteFingerprint();
        length = writer.Length;
        return true;
    }
}
