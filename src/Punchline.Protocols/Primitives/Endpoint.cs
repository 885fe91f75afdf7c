using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Punchline.Protocols.Primitives;

/// <summary>
/// An IP address and port as a value: what <see cref="IPEndPoint"/> is, without an allocation for each packet.
/// IPv4 addresses are held in their IPv4-mapped form (RFC 4291 §2.5.5.2), so that both families compare alike.
/// </summary>
internal readonly record struct Endpoint(UInt128 Address, ushort Port)
{
    private static readonly UInt128 MappedPrefix = (UInt128)0xffff << 32;

    public static Endpoint FromIPv4(uint address, ushort port) => new(MappedPrefix | address, port);

    /// <summary>From an endpoint whose address may be IPv4, IPv6 or IPv4-mapped IPv6. A scope id is not kept.</summary>
    public static Endpoint From(IPEndPoint endpoint) => From(endpoint.Address, (ushort)endpoint.Port);

    public static Endpoint From(IPAddress address, ushort port)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return TryFromBytes(bytes[..length], port, out var endpoint)
            ? endpoint
            : throw new ArgumentException($"{address} is neither IPv4 nor IPv6.", nameof(address));
    }

    /// <summary>From an address in network order: 4 bytes of IPv4 or 16 of IPv6.</summary>
    public static bool TryFromBytes(ReadOnlySpan<byte> address, ushort port, out Endpoint endpoint)
    {
        endpoint = address.Length switch
        {
            4 => FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(address), port),
            16 => new Endpoint(BinaryPrimitives.ReadUInt128BigEndian(address), port),
            _ => default,
        };
        return address.Length is 4 or 16;
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out Endpoint endpoint)
    {
        endpoint = default;
        if (!IPEndPoint.TryParse(text ?? "", out var parsed)) return false;
        endpoint = From(parsed);
        return true;
    }

    public static Endpoint Parse(string text) =>
        TryParse(text, out var endpoint) ? endpoint : throw new FormatException($"'{text}' is not an address and port, like 192.0.2.1:443.");

    public bool IsIPv4 => Address >> 32 == 0xffff;

    /// <summary>The address's low 32 bits: the whole address where <see cref="IsIPv4"/>.</summary>
    public uint IPv4 => (uint)Address;

    /// <summary>Bytes that <see cref="WriteAddress"/> writes: 4 or 16.</summary>
    public int AddressLength => IsIPv4 ? 4 : 16;

    public Endpoint WithPort(ushort port) => this with { Port = port };

    /// <summary>Writes the address in network order and returns its length, 4 or 16.</summary>
    public int WriteAddress(Span<byte> destination)
    {
        if (IsIPv4) BinaryPrimitives.WriteUInt32BigEndian(destination, IPv4);
        else BinaryPrimitives.WriteUInt128BigEndian(destination, Address);
        return AddressLength;
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> bytes = stackalloc byte[16];
        var length = WriteAddress(bytes);
        return new IPAddress(bytes[..length]);
    }

    public IPEndPoint ToIPEndPoint() => new(ToIPAddress(), Port);

    public override string ToString() => ToIPEndPoint().ToString();
}
