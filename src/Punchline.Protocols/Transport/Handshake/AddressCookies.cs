using System.Buffers.Binary;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Handshake;

/// <summary>
/// Proof that the sender of a message 1 receives what is sent to its address, without a byte kept for it (after RFC 9147
/// §5.1). The cookie is a MAC over that address, under a key that nobody else has:
/// <code>
/// cookie = HMAC-SHA256( key of this minute, address (16) | port (2) ), the first 16 bytes
/// </code>
/// It is not of one message, so that the next attempt needs no other: each one would cost packets of the few that an address may get.
/// </summary>
internal sealed class AddressCookies(IRandomSource random)
{
    /// <summary>128 bits, as long as the tag of a packet.</summary>
    public const int Length = 16;

    /// <summary>A cookie is good for one to two of these: round trips are a hundred times shorter.</summary>
    public static readonly TimeSpan KeyLifetime = TimeSpan.FromMinutes(1);

    private const int KeyLength = 32;
    private const int AddressLength = 16;

    private readonly byte[] _key = new byte[KeyLength];
    private readonly byte[] _lastKey = new byte[KeyLength];
    private Timestamp _nextKey;

    /// <summary>The cookie of a source.</summary>
    public void Write(Endpoint source, Timestamp now, Span<byte> cookie)
    {
        Rotate(now);
        Compute(_key, source, cookie);
    }

    /// <summary>Whether the cookie was given to this source in this minute or the last.</summary>
    public bool Verify(Endpoint source, ReadOnlySpan<byte> cookie, Timestamp now)
    {
        Rotate(now);
        Span<byte> expected = stackalloc byte[Length];
        Compute(_key, source, expected);
        if (CryptographicOperations.FixedTimeEquals(expected, cookie)) return true;
        Compute(_lastKey, source, expected);
        return CryptographicOperations.FixedTimeEquals(expected, cookie);
    }

    private static void Compute(ReadOnlySpan<byte> key, Endpoint source, Span<byte> cookie)
    {
        Span<byte> input = stackalloc byte[AddressLength + sizeof(ushort)];
        BinaryPrimitives.WriteUInt128BigEndian(input, source.Address);
        BinaryPrimitives.WriteUInt16BigEndian(input[AddressLength..], source.Port);
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, input, mac);
        mac[..Length].CopyTo(cookie);
    }

    // Only when somebody asks: a key that nobody used needs no successor.
    private void Rotate(Timestamp now)
    {
        if (now < _nextKey) return;
        var isStale = _nextKey == Timestamp.Zero || now >= _nextKey + KeyLifetime;
        if (isStale) random.Fill(_lastKey);
        else _key.CopyTo(_lastKey, 0);
        random.Fill(_key);
        _nextKey = now + KeyLifetime;
    }
}
