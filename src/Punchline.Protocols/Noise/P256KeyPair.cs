using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Noise;

/// <summary>
/// A key pair on NIST P-256 (SEC 2 §2.4.2), by the platform's own cryptography. Public keys are uncompressed points
/// (SEC 1 §2.3.3); an agreement's result is the shared point's x coordinate (SP 800-56A §5.7.1.2).
/// </summary>
internal sealed class P256KeyPair : IKeyPair<P256KeyPair>
{
    public const int PrivateKeyLength = 32;
    private const int CoordinateLength = 32;
    private const int PointLength = 1 + (2 * CoordinateLength);
    private const byte UncompressedPoint = 0x04;

    // The group's order n (SEC 2 §2.4.2): a private key is an integer from 1 to n − 1.
    private static readonly byte[] Order = Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551");

    private readonly ECDiffieHellman _key;
    private readonly byte[] _publicKey;

    private P256KeyPair(ECDiffieHellman key)
    {
        _key = key;
        var q = key.ExportParameters(includePrivateParameters: false).Q;
        _publicKey = [UncompressedPoint, .. q.X!, .. q.Y!];
    }

    public static string DiffieHellmanName => "P256";

    public static byte Suite => 1;

    public static int PublicKeyLength => PointLength;

    public static int SharedSecretLength => CoordinateLength;

    public ReadOnlySpan<byte> PublicKey => _publicKey;

    public static P256KeyPair Generate(IRandomSource random)
    {
        Span<byte> scalar = stackalloc byte[PrivateKeyLength];
        // Rejection sampling keeps the key uniform; a draw at or above n has a probability of 2^-32.
        while (true)
        {
            random.Fill(scalar);
            if (!TryImport(scalar, out var keyPair)) continue;
            CryptographicOperations.ZeroMemory(scalar);
            return keyPair;
        }
    }

    public static bool TryImport(ReadOnlySpan<byte> privateKey, [NotNullWhen(true)] out P256KeyPair? keyPair)
    {
        keyPair = null;
        if (privateKey.Length != PrivateKeyLength || !privateKey.ContainsAnyExcept((byte)0) || privateKey.SequenceCompareTo(Order) >= 0) return false;
        var scalar = privateKey.ToArray();
        keyPair = new P256KeyPair(ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar }));
        CryptographicOperations.ZeroMemory(scalar);
        return true;
    }

    /// <summary>A secret that only the holder of this key pair can make, and makes again from it alone: HKDF (RFC 5869) of the private key.</summary>
    /// <param name="info">What it is for; another purpose gives an unrelated secret.</param>
    /// <param name="secret">Filled.</param>
    public void DeriveKey(ReadOnlySpan<byte> info, Span<byte> secret)
    {
        var scalar = _key.ExportParameters(includePrivateParameters: true).D!;
        HKDF.DeriveKey(HashAlgorithmName.SHA256, scalar, secret, salt: [], info);
        CryptographicOperations.ZeroMemory(scalar);
    }

    public bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret)
    {
        if (peerPublicKey.Length != PointLength || peerPublicKey[0] != UncompressedPoint) return false;
        try
        {
            using var peer = ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint
                {
                    X = peerPublicKey.Slice(1, CoordinateLength).ToArray(),
                    Y = peerPublicKey[(1 + CoordinateLength)..].ToArray(),
                },
            });
            var secret = _key.DeriveRawSecretAgreement(peer.PublicKey);
            secret.CopyTo(sharedSecret);
            CryptographicOperations.ZeroMemory(secret);
            return true;
        }
        catch (CryptographicException)
        {
            // The platform refuses points that are not on the curve; to us that is a malformed packet.
            return false;
        }
    }

    public void Dispose() => _key.Dispose();
}
