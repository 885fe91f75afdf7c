using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Punchline.Protocols.Noise;

/// <summary>
/// Noise's symmetric state with its cipher state inside (Noise revision 34, §5.1 and §5.2), for AESGCM and SHA256.
/// A clone can be tried on a packet and thrown away, so that a forged one leaves no trace.
/// </summary>
internal sealed class SymmetricState
{
    public const int KeyLength = 32;
    public const int HashLength = SHA256.HashSizeInBytes;
    public const int TagLength = 16;
    private const int NonceLength = 12;

    private readonly byte[] _chainingKey = new byte[HashLength];
    private readonly byte[] _hash = new byte[HashLength];
    private readonly byte[] _key = new byte[KeyLength];
    private bool _hasKey;
    private ulong _nonce;

    public SymmetricState(ReadOnlySpan<byte> protocolName)
    {
        // §5.2: a name of at most HASHLEN bytes is padded with zeros, a longer one is hashed.
        if (protocolName.Length <= HashLength) protocolName.CopyTo(_hash);
        else SHA256.HashData(protocolName, _hash);
        _hash.CopyTo(_chainingKey, 0);
    }

    private SymmetricState(SymmetricState other)
    {
        other._chainingKey.CopyTo(_chainingKey, 0);
        other._hash.CopyTo(_hash, 0);
        other._key.CopyTo(_key, 0);
        _hasKey = other._hasKey;
        _nonce = other._nonce;
    }

    /// <summary>The running hash of all that was said: after the last message, the handshake's unique value (§11.2).</summary>
    public ReadOnlySpan<byte> HandshakeHash => _hash;

    public SymmetricState Clone() => new(this);

    public void MixHash(ReadOnlySpan<byte> data)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_hash);
        hash.AppendData(data);
        hash.GetHashAndReset(_hash);
    }

    public void MixKey(ReadOnlySpan<byte> inputKeyMaterial)
    {
        Span<byte> output = stackalloc byte[HashLength + KeyLength];
        Derive(inputKeyMaterial, output);
        output[..HashLength].CopyTo(_chainingKey);
        SetKey(output[HashLength..]);
        CryptographicOperations.ZeroMemory(output);
    }

    public void MixKeyAndHash(ReadOnlySpan<byte> inputKeyMaterial)
    {
        Span<byte> output = stackalloc byte[(2 * HashLength) + KeyLength];
        Derive(inputKeyMaterial, output);
        output[..HashLength].CopyTo(_chainingKey);
        MixHash(output.Slice(HashLength, HashLength));
        SetKey(output[(2 * HashLength)..]);
        CryptographicOperations.ZeroMemory(output);
    }

    /// <summary>
    /// Writes <paramref name="plaintext"/>, sealed where a key is set already (with 16 bytes of tag behind it), and
    /// returns the length written.
    /// </summary>
    public int EncryptAndHash(ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        if (!_hasKey)
        {
            plaintext.CopyTo(destination);
            MixHash(plaintext);
            return plaintext.Length;
        }
        var sealedLength = plaintext.Length + TagLength;
        Span<byte> nonce = stackalloc byte[NonceLength];
        WriteNonce(nonce);
        using (var aes = new AesGcm(_key, TagLength))
        {
            aes.Encrypt(nonce, plaintext, destination[..plaintext.Length], destination[plaintext.Length..sealedLength], _hash);
        }
        _nonce++;
        MixHash(destination[..sealedLength]);
        return sealedLength;
    }

    /// <summary>
    /// Opens what <see cref="EncryptAndHash"/> wrote into <paramref name="plaintext"/>, which must have its length less
    /// the tag. False where the tag does not verify: the state is then of no further use.
    /// </summary>
    public bool TryDecryptAndHash(ReadOnlySpan<byte> ciphertext, Span<byte> plaintext)
    {
        if (!_hasKey)
        {
            ciphertext.CopyTo(plaintext);
            MixHash(ciphertext);
            return true;
        }
        if (ciphertext.Length < TagLength) return false;
        Span<byte> nonce = stackalloc byte[NonceLength];
        WriteNonce(nonce);
        try
        {
            using var aes = new AesGcm(_key, TagLength);
            aes.Decrypt(nonce, ciphertext[..^TagLength], ciphertext[^TagLength..], plaintext, _hash);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
        _nonce++;
        MixHash(ciphertext);
        return true;
    }

    /// <summary>The two transport keys: the initiator's sending key, and the responder's (§5.2).</summary>
    public (byte[] Initiator, byte[] Responder) Split()
    {
        Span<byte> output = stackalloc byte[2 * KeyLength];
        Derive([], output);
        (byte[], byte[]) keys = (output[..KeyLength].ToArray(), output[KeyLength..].ToArray());
        CryptographicOperations.ZeroMemory(output);
        return keys;
    }

    // §4.3: RFC 5869's HKDF with the chaining key as salt and no info. Written out, because the platform's refuses the
    // empty input of Split where OpenSSL does.
    private void Derive(ReadOnlySpan<byte> inputKeyMaterial, Span<byte> output)
    {
        Span<byte> temporaryKey = stackalloc byte[HashLength];
        HMACSHA256.HashData(_chainingKey, inputKeyMaterial, temporaryKey);
        Span<byte> block = stackalloc byte[HashLength + 1];
        for (var counter = 1; counter * HashLength <= output.Length; counter++)
        {
            var input = counter == 1 ? block[HashLength..] : block;
            block[HashLength] = (byte)counter;
            HMACSHA256.HashData(temporaryKey, input, output.Slice((counter - 1) * HashLength, HashLength));
            output.Slice((counter - 1) * HashLength, HashLength).CopyTo(block);
        }
        CryptographicOperations.ZeroMemory(temporaryKey);
        CryptographicOperations.ZeroMemory(block);
    }

    private void SetKey(ReadOnlySpan<byte> key)
    {
        key.CopyTo(_key);
        _hasKey = true;
        _nonce = 0;
    }

    // §12.4: AESGCM's nonce is 32 bits of zeros and the counter in big-endian.
    private void WriteNonce(Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[4..], _nonce);
    }
}
