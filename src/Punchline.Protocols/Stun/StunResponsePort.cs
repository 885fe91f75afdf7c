using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>
/// The value of RESPONSE-PORT (RFC 5780 §7.5): the answer goes to another port of the address that the request came from. So whoever asks
/// from one socket learns whether a mapping of another still lets the server in (§4.6), without a packet of its own renewing that.
/// </summary>
/// <remarks><code>
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |             Port              |               0               |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// </code></remarks>
internal static class StunResponsePort
{
    public const int Length = 4;

    /// <summary>Below are the well-known ports, of services that nobody's mapping is at; as for candidates, 443 is one that is served (PROTOCOL §5).</summary>
    public const ushort LowestPort = 1024;

    private const ushort Https = 443;

    /// <summary>False for a value of another length, and for a port that gets no answers.</summary>
    public static bool TryRead(ReadOnlySpan<byte> value, out ushort port)
    {
        var reader = new SpanReader(value);
        // §7.5 does not say whether the two bytes of padding are the value's; both are seen.
        return reader.TryReadUInt16(out port) && reader.Remaining.Length is 0 or 2 && port is >= LowestPort or Https;
    }

    public static void Write(Span<byte> destination, ushort port)
    {
        var writer = new SpanWriter(destination);
        writer.WriteUInt16(port);
        writer.WriteUInt16(0);
    }
}
