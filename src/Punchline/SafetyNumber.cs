using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;

namespace Punchline;

/// <summary>
/// Digits for two people to compare by another way, a call for instance: where both see the same, nobody sits between
/// their peers.
/// </summary>
public static class SafetyNumber
{
    private const int GroupLength = 5;

    // Each peer has digits of its own, and both stand side by side: somebody in the middle needs a key whose 20 digits are
    // another's, which is 10^20 = 2^66 keys, and cannot look for any two that match. 64 bits are called enough elsewhere too.
    private const int DigitsOfAPeer = 20;

    private static readonly BigInteger Modulus = BigInteger.Pow(10, DigitsOfAPeer);

    /// <summary>Eight groups of five digits, the same on both sides.</summary>
    public static string Of(PeerId one, PeerId other) => one < other ? $"{DigitsOf(one)} {DigitsOf(other)}" : $"{DigitsOf(other)} {DigitsOf(one)}";

    private static string DigitsOf(PeerId peer)
    {
        Span<byte> id = stackalloc byte[PeerId.ByteLength];
        peer.CopyTo(id);
        // 256 bits to 10^20: no digit is likelier than another by more than 2^-189.
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData([.. "punchline safety number 1"u8, .. id], hash);
        var digits = (new BigInteger(hash, isUnsigned: true, isBigEndian: true) % Modulus).ToString(CultureInfo.InvariantCulture).PadLeft(DigitsOfAPeer, '0');
        return string.Join(' ', digits.Chunk(GroupLength).Select(group => new string(group)));
    }
}
