using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;

namespace Punchline.Simulation;

/// <summary>
/// One UDP datagram under way. Routers rewrite its header; its bytes are shared by all copies and never change. The digest,
/// by which the trace knows it, is the first 8 bytes of their SHA-256.
/// </summary>
internal readonly record struct Packet(Endpoint Source, Endpoint Destination, byte TimeToLive, ReadOnlyMemory<byte> Payload, ulong Digest)
{
    /// <summary>Linux's default (net.ipv4.ip_default_ttl).</summary>
    public const byte DefaultTimeToLive = 64;

    // RFC 791 §3.1: 20 bytes of IPv4 header; RFC 768: 8 of UDP. Over IPv6 it is 40 + 8 (RFC 8200 §3).
    public int BytesOnWire => Payload.Length + (Destination.IsIPv4 ? 28 : 48);

    public static Packet Create(Endpoint source, Endpoint destination, byte timeToLive, ReadOnlySpan<byte> payload)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(payload, hash);
        var hops = timeToLive == 0 ? DefaultTimeToLive : timeToLive;
        return new Packet(source, destination, hops, payload.ToArray(), BinaryPrimitives.ReadUInt64BigEndian(hash));
    }

    /// <summary>
    /// RFC 791 §3.2 and RFC 1812 §5.3.1: a router lowers the field by one before it forwards, and discards what would leave with zero.
    /// </summary>
    public bool TryForward(out Packet forwarded)
    {
        forwarded = this with { TimeToLive = (byte)(TimeToLive - 1) };
        return TimeToLive > 1;
    }
}
