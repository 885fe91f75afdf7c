using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Tests.Noise;

/// <summary>
/// RFC 7748 §5 by big integers: neither fast nor constant in time, and only here to show that the handshake is generic
/// over its Diffie-Hellman, with vectors that other implementations published.
/// </summary>
internal sealed class X25519KeyPair : IKeyPair<X25519KeyPair>
{
    private const int Length = 32;

    private static readonly BigInteger Prime = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger A24 = 121_665;

    private readonly byte[] _privateKey;
    private readonly byte[] _publicKey;

    private X25519KeyPair(ReadOnlySpan<byte> privateKey)
    {
        _privateKey = privateKey.ToArray();
        Span<byte> basePoint = stackalloc byte[Length];
        basePoint[0] = 9;
        _publicKey = Multiply(_privateKey, basePoint);
    }

    public static string DiffieHellmanName => "25519";

    public static byte Suite => 0xfe;

    public static int PublicKeyLength => Length;

    public static int SharedSecretLength => Length;

    public ReadOnlySpan<byte> PublicKey => _publicKey;

    public static X25519KeyPair Generate(IRandomSource random) => new(random.NextBytes(Length));

    public static bool TryImport(ReadOnlySpan<byte> privateKey, [NotNullWhen(true)] out X25519KeyPair? keyPair)
    {
        keyPair = privateKey.Length == Length ? new X25519KeyPair(privateKey) : null;
        return keyPair is not null;
    }

    public bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret)
    {
        if (peerPublicKey.Length != Length) return false;
        var secret = Multiply(_privateKey, peerPublicKey);
        secret.CopyTo(sharedSecret);
        // RFC 7748 §6.1: the all-zero value is checked for, and ends the exchange.
        return secret.AsSpan().ContainsAnyExcept((byte)0);
    }

    public void Dispose() => _privateKey.AsSpan().Clear();

    /// <summary>RFC 7748 §5: the Montgomery ladder.</summary>
    public static byte[] Multiply(ReadOnlySpan<byte> scalarBytes, ReadOnlySpan<byte> uBytes)
    {
        var scalar = scalarBytes.ToArray();
        scalar[0] &= 248;
        scalar[31] &= 127;
        scalar[31] |= 64;
        var k = new BigInteger(scalar, isUnsigned: true);
        var masked = uBytes.ToArray();
        masked[31] &= 127;
        var x1 = new BigInteger(masked, isUnsigned: true) % Prime;
        var (x2, z2, x3, z3) = (BigInteger.One, BigInteger.Zero, x1, BigInteger.One);
        var swapped = false;
        for (var t = 254; t >= 0; t--)
        {
            var bit = !((k >> t) & 1).IsZero;
            if (swapped != bit) (x2, z2, x3, z3) = (x3, z3, x2, z2);
            swapped = bit;
            var a = x2 + z2;
            var b = x2 - z2;
            var aa = Reduce(a * a);
            var bb = Reduce(b * b);
            var e = aa - bb;
            var da = Reduce((x3 - z3) * a);
            var cb = Reduce((x3 + z3) * b);
            x3 = Reduce((da + cb) * (da + cb));
            z3 = Reduce(x1 * (da - cb) * (da - cb));
            x2 = Reduce(aa * bb);
            z2 = Reduce(e * (aa + (A24 * e)));
        }
        if (swapped) (x2, z2) = (x3, z3);
        var result = new byte[Length];
        Reduce(x2 * BigInteger.ModPow(z2, Prime - 2, Prime)).TryWriteBytes(result, out _, isUnsigned: true);
        return result;
    }

    private static BigInteger Reduce(BigInteger value)
    {
        var rest = value % Prime;
        return rest.Sign < 0 ? rest + Prime : rest;
    }
}
