using System.Security.Cryptography;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Dht;

/// <summary>
/// The tokens without which nobody stores anything here (BEP 5): a hash of the asker's address and a secret, so that nothing is remembered for
/// whoever asks, and nobody announces an address that he does not receive at. "The secret changes every five minutes, and tokens
/// up to ten minutes old are accepted."
/// </summary>
internal sealed class AnnounceTokens(IRandomSource random)
{
    public const int TokenLength = 8;

    public static readonly TimeSpan SecretLifetime = TimeSpan.FromMinutes(5);

    private const int SecretLength = 16;
    private const int AddressLength = 16;

    private readonly byte[] _current = random.NextBytes(SecretLength);
    private readonly byte[] _previous = random.NextBytes(SecretLength);
    private Timestamp _rotated;

    /// <summary>Writes the token for an address.</summary>
    public void Write(Endpoint asker, Span<byte> token, Timestamp now)
    {
        Rotate(now);
        Compute(_current, asker, token);
    }

    public bool Verify(Endpoint asker, ReadOnlySpan<byte> token, Timestamp now)
    {
        Rotate(now);
        Span<byte> expected = stackalloc byte[TokenLength];
        Compute(_current, asker, expected);
        if (CryptographicOperations.FixedTimeEquals(expected, token)) return true;
        Compute(_previous, asker, expected);
        return CryptographicOperations.FixedTimeEquals(expected, token);
    }

    private static void Compute(ReadOnlySpan<byte> secret, Endpoint asker, Span<byte> token)
    {
        Span<byte> input = stackalloc byte[SecretLength + AddressLength];
        secret.CopyTo(input);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(input[SecretLength..], asker.Address);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        hash[..TokenLength].CopyTo(token);
    }

    private void Rotate(Timestamp now)
    {
        if (now - _rotated < SecretLifetime) return;
        // After a long silence both are too old.
        if (now - _rotated < 2 * SecretLifetime) _current.CopyTo(_previous, 0);
        else random.Fill(_previous);
        random.Fill(_current);
        _rotated = now;
    }
}
