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
/// A server with a <see cref="StunVantage"/> adds three addresses of 12 or 24 bytes, as RFC 5780 §6.1 demands: 68 for 20 and
/// 116 for 20, with headers 96 for 48 and 164 for 68 (2.0 and 2.4). That is its operator's choice.
/// REJECTION takes as much of the answer as of the request.
/// RESPONSE-PORT (RFC 5780 §7.5) takes the answer to another port of the same address, and as much less of it than of the request.
/// </remarks>
internal static class StunResponder
{
    /// <summary>At most as many unknown types are listed in a 420.</summary>
    public const int MaxUnknownAttributes = 16;

    /// <summary>Room that an answer without a vantage needs: 20 + 8 + (4 + 2 · 16) + 8, the longest 420.</summary>
    public const int MaxResponseLength = 72;

    /// <summary>Room for a success with four IPv6 addresses, REJECTION and FINGERPRINT: 20 + 4 · 24 + 8 + 8.</summary>
    public const int MaxVantageResponseLength = 132;

    // What a request may carry without changing our answer; credentials are neither asked for nor looked at.
    private static readonly StunAttributeType[] Understood =
    [
        StunAttributeType.MappedAddress, StunAttributeType.XorMappedAddress, StunAttributeType.ErrorCode, StunAttributeType.UnknownAttributes,
        StunAttributeType.Username, StunAttributeType.Realm, StunAttributeType.Nonce,
        StunAttributeType.MessageIntegrity, StunAttributeType.MessageIntegritySha256,
    ];

    private static readonly StunAttributeType[] UnderstoodOverUdp = [.. Understood, StunAttributeType.ResponsePort];

    private static readonly StunAttributeType[] UnderstoodWithVantage = [.. UnderstoodOverUdp, StunAttributeType.ChangeRequest];

    /// <summary>Answers a binding request where it came from, over TCP too; false if it is anything else, and deserves no answer.</summary>
    /// <param name="datagram">What came.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="response">Room for <see cref="MaxResponseLength"/> bytes.</param>
    /// <param name="length">The answer's length.</param>
    public static bool TryRespond(ReadOnlySpan<byte> datagram, Endpoint source, Span<byte> response, out int length)
    {
        length = 0;
        if (!TryReadRequest(datagram, out var request)) return false;
        if (!TryRefuse(request, Understood, response, out length))
        {
            var writer = new StunWriter(response, StunClass.SuccessResponse, StunMethod.Binding, request.TransactionId);
            writer.WriteXorMappedAddress(source);
            length = Finish(writer, request);
        }
        return true;
    }

    /// <summary>Likewise over UDP, where the client may want the answer at another port of its address (RFC 5780 §7.5).</summary>
    /// <param name="datagram">What came.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="response">Room for <see cref="MaxResponseLength"/> bytes.</param>
    /// <param name="length">The answer's length.</param>
    /// <param name="destination">Where the answer goes.</param>
    public static bool TryRespond(ReadOnlySpan<byte> datagram, Endpoint source, Span<byte> response, out int length, out Endpoint destination)
    {
        (length, destination) = (0, source);
        if (!TryReadRequest(datagram, out var request)) return false;
        if (TryRefuse(request, UnderstoodOverUdp, response, out length)) return true;
        if (!TryReadDestination(request, source, out destination)) return Refuse(request, response, out length);
        var writer = new StunWriter(response, StunClass.SuccessResponse, StunMethod.Binding, request.TransactionId);
        writer.WriteXorMappedAddress(source);
        length = Finish(writer, request);
        return true;
    }

    /// <summary>Likewise at a server with four endpoints (RFC 5780 §6.1), from any of which the client may want its answer.</summary>
    /// <param name="datagram">What came.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="vantage">The four endpoints.</param>
    /// <param name="asked">Which of them it came to.</param>
    /// <param name="response">Room for <see cref="MaxVantageResponseLength"/> bytes.</param>
    /// <param name="length">The answer's length.</param>
    /// <param name="from">Which of them the answer has to leave from.</param>
    /// <param name="destination">Where the answer goes.</param>
    public static bool TryRespond(
        ReadOnlySpan<byte> datagram, Endpoint source, in StunVantage vantage, int asked, Span<byte> response, out int length, out int from, out Endpoint destination)
    {
        (length, from, destination) = (0, asked, source);
        if (!TryReadRequest(datagram, out var request)) return false;
        if (TryRefuse(request, UnderstoodWithVantage, response, out length)) return true;
        if (request.TryFind(StunAttributeType.ChangeRequest, out var change))
        {
            if (!StunChangeRequest.TryRead(change, out var difference)) return Refuse(request, response, out length);
            from ^= difference;
        }
        if (!TryReadDestination(request, source, out destination)) return Refuse(request, response, out length);
        var writer = new StunWriter(response, StunClass.SuccessResponse, StunMethod.Binding, request.TransactionId);
        // RFC 5780 §6.1 wants both, so that clients see NATs that rewrite what looks like an address.
        writer.WriteXorMappedAddress(source);
        writer.WriteMappedAddress(source);
        writer.WriteAddress(StunAttributeType.ResponseOrigin, vantage[from]);
        writer.WriteAddress(StunAttributeType.OtherAddress, vantage[StunVantage.OtherThan(asked)]);
        if (vantage.Rejections is { } rejections && request.TryFind(StunAttributeType.Rejection, out var about) && StunRejection.TryRead(about, out var port))
            StunRejection.Write(ref writer, (ushort)(rejections.Has(source.WithPort(port)) ? 1 : 0));
        length = Finish(writer, request);
        return true;
    }

    // A destination that is refused is answered at the source.
    private static bool TryReadDestination(in StunMessage request, Endpoint source, out Endpoint destination)
    {
        destination = source;
        if (!request.TryFind(StunAttributeType.ResponsePort, out var value)) return true;
        if (!StunResponsePort.TryRead(value, out var port)) return false;
        destination = source.WithPort(port);
        return true;
    }

    private static bool Refuse(in StunMessage request, Span<byte> response, out int length)
    {
        var refusal = new StunWriter(response, StunClass.ErrorResponse, StunMethod.Binding, request.TransactionId);
        refusal.WriteErrorCode(StunError.BadRequest);
        length = Finish(refusal, request);
        return true;
    }

    // Responses are never answered, so that two servers cannot be set to talk to each other.
    private static bool TryReadRequest(ReadOnlySpan<byte> datagram, out StunMessage request) =>
        StunMessage.TryRead(datagram, out request) && request.Class == StunClass.Request && request.Method == StunMethod.Binding;

    // RFC 8489 §6.3.1: unknown comprehension-required attributes give a 420 that lists them.
    private static bool TryRefuse(in StunMessage request, ReadOnlySpan<StunAttributeType> understood, Span<byte> response, out int length)
    {
        length = 0;
        Span<StunAttributeType> unknown = stackalloc StunAttributeType[MaxUnknownAttributes];
        unknown = unknown[..request.CollectUnknown(understood, unknown)];
        if (unknown.IsEmpty) return false;
        var writer = new StunWriter(response, StunClass.ErrorResponse, StunMethod.Binding, request.TransactionId);
        writer.WriteErrorCode(StunError.UnknownAttribute);
        writer.WriteUnknownAttributes(unknown);
        length = Finish(writer, request);
        return true;
    }

    // RFC 8489 §7: who sends FINGERPRINT shares its socket with another protocol, and looks for it in the response.
    private static int Finish(StunWriter writer, in StunMessage request)
    {
        if (request.HasFingerprint) writer.WriteFingerprint();
        return writer.Length;
    }
}
