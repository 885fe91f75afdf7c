using System.Text;

namespace Punchline.Protocols.Noise;

/// <summary>
/// <c>Noise_XXpsk0_…_AESGCM_SHA256</c> (Noise revision 34, §7.5 and §9):
/// <code>
///   -> psk, e
///   &lt;- e, ee, s, es
///   -> s, se
/// </code>
/// Deviates: with P-256 a public key has 65 bytes on the wire while the shared secret that MixKey takes has 32, where
/// §4.1 knows one DHLEN for both. PROTOCOL.md argues why that is sound.
/// </summary>
internal static class NoiseProtocol<TKeyPair>
    where TKeyPair : class, IKeyPair<TKeyPair>
{
    public const int PresharedKeyLength = SymmetricState.KeyLength;

    private static readonly byte[] Name = Encoding.ASCII.GetBytes($"Noise_XXpsk0_{TKeyPair.DiffieHellmanName}_AESGCM_SHA256");

    /// <summary>Bytes that a static key takes in a message: sealed, so with a tag.</summary>
    public static int SealedKeyLength => TKeyPair.PublicKeyLength + SymmetricState.TagLength;

    /// <summary>Bytes of message 1 beyond its payload.</summary>
    public static int Message1Overhead => TKeyPair.PublicKeyLength + SymmetricState.TagLength;

    /// <summary>Bytes of message 2 beyond its payload.</summary>
    public static int Message2Overhead => TKeyPair.PublicKeyLength + SealedKeyLength + SymmetricState.TagLength;

    /// <summary>Bytes of message 3 beyond its payload.</summary>
    public static int Message3Overhead => SealedKeyLength + SymmetricState.TagLength;

    /// <summary>The state behind the token <c>psk</c>, where both sides stand before message 1's ephemeral key.</summary>
    public static SymmetricState Start(ReadOnlySpan<byte> prologue, ReadOnlySpan<byte> presharedKey)
    {
        var state = new SymmetricState(Name);
        state.MixHash(prologue);
        state.MixKeyAndHash(presharedKey);
        return state;
    }

    /// <summary>§9.2: in a handshake with a pre-shared key an ephemeral public key goes into the key as well.</summary>
    public static void MixEphemeral(SymmetricState state, ReadOnlySpan<byte> publicKey)
    {
        state.MixHash(publicKey);
        state.MixKey(publicKey);
    }

    /// <summary>Mixes in a Diffie-Hellman result. False where the peer's key is not a valid one.</summary>
    public static bool TryMixAgreement(SymmetricState state, TKeyPair ours, ReadOnlySpan<byte> theirs)
    {
        Span<byte> secret = stackalloc byte[TKeyPair.SharedSecretLength];
        if (!ours.TryAgree(theirs, secret)) return false;
        state.MixKey(secret);
        System.Security.Cryptography.CryptographicOperations.ZeroMemory(secret);
        return true;
    }
}
