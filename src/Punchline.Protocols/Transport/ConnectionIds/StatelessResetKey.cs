using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Punchline.Protocols.Transport.ConnectionIds;

/// <summary>
/// Makes the reset token of each connection id (RFC 9000 §10.3.2) from a key that a restarted process has again:
/// <code>
/// token = HMAC-SHA256( key, connection id (8) ), the first 16 bytes
/// </code>
/// </summary>
/// <param name="key">Of this identity, and nobody else's.</param>
internal sealed class StatelessResetKey(ReadOnlySpan<byte> key)
{
    public const int Length = 32;

    private readonly byte[] _key = key.ToArray();

    public ResetToken CreateToken(ulong connectionId)
    {
        Span<byte> input = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(input, connectionId);
        return new ResetToken(Compute(input));
    }

    /// <summary>
    /// What a peer's token is looked up by. RFC 9000 §10.3.1: how long a comparison takes must not tell how much of a token was
    /// right; of a keyed hash it tells nothing. Ids have 8 bytes and tokens 16, so that neither is ever taken for the other.
    /// </summary>
    public UInt128 Digest(ReadOnlySpan<byte> token) => Compute(token);

    private UInt128 Compute(ReadOnlySpan<byte> input)
    {
        Span<byte> mac = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, input, mac);
        return BinaryPrimitives.ReadUInt128BigEndian(mac);
    }
}
