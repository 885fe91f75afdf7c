using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;
using Punchline.Simulation.Tcp;

namespace Punchline.Simulation;

/// <summary>
/// One UDP datagram or TCP segment under way. Routers rewrite its header; its bytes are shared by all copies and never change. The digest,
/// by which the trace knows it, is the first 8 bytes of their SHA-256, a segment's behind those of its header.
/// </summary>
/// <param name="Source">Of its present place.</param>
/// <param name="Destination">Of its present place.</param>
/// <param name="TimeToLive">Routers that it may still pass.</param>
/// <param name="Payload">Of UDP or TCP.</param>
/// <param name="Digest">By which the trace knows it.</param>
/// <param name="Tcp">Null for UDP.</param>
internal readonly record struct Packet(
    Endpoint Source, Endpoint Destination, byte TimeToLive, ReadOnlyMemory<byte> Payload, ulong Digest, TcpHeader? Tcp = null)
{
    /// <summary>Linux's default (net.ipv4.ip_default_ttl).</summary>
    public const byte DefaultTimeToLive = 64;

    // RFC 791 §3.1: 20 bytes of IPv4 header, over IPv6 40 (RFC 8200 §3); RFC 768: 8 of UDP; RFC 9293 §3.1: 20 of TCP.
    public int BytesOnWire => Payload.Length + (Destination.IsIPv4 ? 20 : 40) + (Tcp is null ? 8 : 20);

    public static Packet Create(Endpoint source, Endpoint destination, byte timeToLive, ReadOnlySpan<byte> payload)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(payload, hash);
        var hops = timeToLive == 0 ? DefaultTimeToLive : timeToLive;
        return new Packet(source, destination, hops, payload.ToArray(), BinaryPrimitives.ReadUInt64BigEndian(hash));
    }

    public static Packet CreateSegment(Endpoint source, Endpoint destination, byte timeToLive, TcpHeader header, ReadOnlySpan<byte> payload)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> bytes = stackalloc byte[TcpHeader.DigestLength + payload.Length];
        header.Write(bytes);
        payload.CopyTo(bytes[TcpHeader.DigestLength..]);
        SHA256.HashData(bytes, hash);
        var hops = timeToLive == 0 ? DefaultTimeToLive : timeToLive;
        return new Packet(source, destination, hops, payload.ToArray(), BinaryPrimitives.ReadUInt64BigEndian(hash), header);
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
