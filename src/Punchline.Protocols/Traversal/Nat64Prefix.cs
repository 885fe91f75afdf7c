using System.Diagnostics.CodeAnalysis;
using System.Net;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Traversal;

/// <summary>
/// The prefix under which a network's translator (RFC 6146) takes IPv6 packets to IPv4 addresses, and how those stand behind it.
/// </summary>
/// <remarks>RFC 6052 §2.2; u is zero, and so is the suffix.<code>
/// /32:  prefix 32 | IPv4 address 32               | u | suffix 56
/// /40:  prefix 40 | its first 24                  | u | its last 8  | suffix 48
/// /48:  prefix 48 | its first 16                  | u | its last 16 | suffix 40
/// /56:  prefix 56 | its first 8                   | u | its last 24 | suffix 32
/// /64:  prefix 64                                 | u | IPv4 address 32 | suffix 24
/// /96:  prefix 96                                     | IPv4 address 32
/// </code></remarks>
internal sealed record Nat64Prefix
{
    /// <summary>A name with IPv4 addresses only, which are known: who gets IPv6 ones for it reads the prefix off them (RFC 7050 §3).</summary>
    public const string ProbedName = "ipv4only.arpa";

    // RFC 7050 §2.2: 192.0.0.170 and 192.0.0.171.
    private const uint WellKnownFirst = 0xc000_00aa;
    private const uint WellKnownSecond = 0xc000_00ab;

    // Bits 64 to 71.
    private const int ReservedByte = 8;

    private readonly UInt128 _prefix;

    /// <param name="prefix">Its address; what stands behind <paramref name="length"/> bits is not read.</param>
    /// <param name="length">Bits: 32, 40, 48, 56, 64 or 96.</param>
    public Nat64Prefix(Endpoint prefix, int length)
    {
        if (!Lengths.Contains(length)) throw new ArgumentOutOfRangeException(nameof(length), length, "RFC 6052 has prefixes of 32, 40, 48, 56, 64 and 96 bits.");
        Length = length;
        _prefix = prefix.Address >> (128 - length) << (128 - length);
    }

    /// <summary>The longest first: a shorter one would take a part of a longer one's prefix for an address.</summary>
    private static ReadOnlySpan<int> Lengths => [96, 64, 56, 48, 40, 32];

    public int Length { get; }

    /// <summary>Reads a prefix off what the network's name server gave as IPv6 addresses of <see cref="ProbedName"/>.</summary>
    public static bool TryDiscover(IEnumerable<IPAddress> answers, [NotNullWhen(true)] out Nat64Prefix? prefix)
    {
        foreach (var answer in answers)
        {
            var endpoint = Endpoint.From(answer, 0);
            if (endpoint.IsIPv4) continue;
            foreach (var length in Lengths)
            {
                prefix = new Nat64Prefix(endpoint, length);
                if (prefix.TryExtract(endpoint, out var embedded) && embedded.IPv4 is WellKnownFirst or WellKnownSecond) return true;
            }
        }
        prefix = null;
        return false;
    }

    /// <summary>Where packets to an IPv4 endpoint go.</summary>
    public Endpoint Embed(Endpoint ipv4)
    {
        var (position, shift) = (Length / 8, 24);
        var address = _prefix;
        for (; shift >= 0; shift -= 8, position++)
        {
            if (position == ReservedByte) position++;
            address |= (UInt128)(byte)(ipv4.IPv4 >> shift) << (120 - (8 * position));
        }
        return new Endpoint(address, ipv4.Port);
    }

    /// <summary>Whom a packet from the translator is really from. False for any other's.</summary>
    public bool TryExtract(Endpoint translated, out Endpoint ipv4)
    {
        var address = 0u;
        for (var (position, read) = (Length / 8, 0); read < 4; position++, read++)
        {
            if (position == ReservedByte) position++;
            address = (address << 8) | (byte)(translated.Address >> (120 - (8 * position)));
        }
        ipv4 = Endpoint.FromIPv4(address, translated.Port);
        // All the rest has to be as it would be: prefix, reserved byte and suffix.
        return Embed(ipv4) == translated;
    }
}
