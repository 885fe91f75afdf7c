using System.Security.Cryptography;

namespace Punchline.Protocols.Noise;

/// <summary>How a public key becomes a <see cref="PeerId"/>.</summary>
internal static class PeerIdDerivation
{
    /// <summary>SHA-256 over the suite's number and the public key as it goes over the wire.</summary>
    public static PeerId Derive(byte suite, ReadOnlySpan<byte> publicKey)
    {
        Span<byte> input = stackalloc byte[1 + publicKey.Length];
        input[0] = suite;
        publicKey.CopyTo(input[1..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return new PeerId(hash);
    }

    public static PeerId DeriveId<TKeyPair>(this TKeyPair keyPair)
        where TKeyPair : class, IKeyPair<TKeyPair> => Derive(TKeyPair.Suite, keyPair.PublicKey);
}
