using System.Security.Cryptography;
using System.Text;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Coordination;

// What the MAC covers (PROTOCOL §2), each field behind its length in 16 bits:
//
//   +--------+-------+-----+------------------+----------+------------+----------+------------+---------------+
//   | host   | nonce | tag | certificate key  | peer key | server key | instance | generation | SHA-256(blob) |
//   | ≤ 259  | 32    | ≤ 32| hash, 32 or 0    | 65       | 65         | 16       | 4          | 32            |
//   +--------+-------+-----+------------------+----------+------------+----------+------------+---------------+

/// <summary>
/// Shows that a peer holds the key whose id it joins as: a MAC that only it and the server can compute, over everything
/// that makes this join this one. A server (or whoever ends TLS before it) that relays the proof elsewhere fails there,
/// by host, nonce or certificate; a blob swapped on the way fails too.
/// </summary>
internal static class ProofOfKey
{
    public const int MacLength = HMACSHA256.HashSizeInBytes;
    public const int CertificateKeyHashLength = SHA256.HashSizeInBytes;

    private const int FieldCount = 9;
    // An uncompressed point of P-521: more than any suite that is planned.
    private const int MaxPublicKeyBytes = 133;
    private const int MaxTranscriptBytes = (FieldCount * sizeof(ushort)) + CoordinationLimits.MaxHostLength + CoordinationLimits.NonceBytes
        + CoordinationLimits.MaxTagBytes + CertificateKeyHashLength + (2 * MaxPublicKeyBytes) + InstanceId.ByteLength + sizeof(uint) + SHA256.HashSizeInBytes;

    private static ReadOnlySpan<byte> Label => "punchline coordination proof of key v1"u8;

    /// <summary>The peer's side: writes the MAC. False where <paramref name="join"/>'s server key is none of the group.</summary>
    public static bool TryProve<TKeyPair>(TKeyPair peer, in ProvenJoin join, Span<byte> mac)
        where TKeyPair : class, IKeyPair<TKeyPair> => TryCompute(peer, join.ServerKey, join, mac);

    /// <summary>The server's side: false where the key is none of the group or the MAC is not that key's.</summary>
    public static bool Verify<TKeyPair>(TKeyPair serverEphemeral, in ProvenJoin join, ReadOnlySpan<byte> mac)
        where TKeyPair : class, IKeyPair<TKeyPair>
    {
        Span<byte> expected = stackalloc byte[MacLength];
        return TryCompute(serverEphemeral, join.PeerKey, join, expected) && CryptographicOperations.FixedTimeEquals(expected, mac);
    }

    private static bool TryCompute<TKeyPair>(TKeyPair own, ReadOnlySpan<byte> otherKey, in ProvenJoin join, Span<byte> mac)
        where TKeyPair : class, IKeyPair<TKeyPair>
    {
        Span<byte> shared = stackalloc byte[TKeyPair.SharedSecretLength];
        if (!own.TryAgree(otherKey, shared)) return false;
        Span<byte> key = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, key, salt: [], info: Label);

        var transcript = new SpanWriter(stackalloc byte[MaxTranscriptBytes]);
        Span<byte> host = stackalloc byte[CoordinationLimits.MaxHostLength];
        Span<byte> instance = stackalloc byte[InstanceId.ByteLength];
        Span<byte> blobHash = stackalloc byte[SHA256.HashSizeInBytes];
        // Hosts are ASCII: names go over the wire in their IDNA form.
        if (!Encoding.ASCII.TryGetBytes(join.Host, host, out var hostLength)) return false;
        join.Instance.CopyTo(instance);
        SHA256.HashData(join.Blob, blobHash);

        WriteField(ref transcript, host[..hostLength]);
        WriteField(ref transcript, join.Nonce);
        WriteField(ref transcript, join.Tag);
        WriteField(ref transcript, join.CertificateKeyHash);
        // The agreement's result is an x coordinate, which a point and its negative share: without the keys themselves
        // one proof would hold for two ids.
        WriteField(ref transcript, join.PeerKey);
        WriteField(ref transcript, join.ServerKey);
        WriteField(ref transcript, instance);
        transcript.WriteUInt16(sizeof(uint));
        transcript.WriteUInt32(join.Generation);
        WriteField(ref transcript, blobHash);

        HMACSHA256.HashData(key, transcript.Written, mac);
        CryptographicOperations.ZeroMemory(shared);
        CryptographicOperations.ZeroMemory(key);
        return true;
    }

    private static void WriteField(ref SpanWriter writer, ReadOnlySpan<byte> field)
    {
        writer.WriteUInt16((ushort)field.Length);
        writer.WriteBytes(field);
    }
}

/// <summary>The join that a proof of key is bound to. Lengths are within <see cref="CoordinationLimits"/>.</summary>
internal readonly ref struct ProvenJoin
{
    /// <summary>As dialled, as it stands in the Host header: lower-case, the port left out where it is the scheme's own.</summary>
    public required string Host { get; init; }

    public required ReadOnlySpan<byte> Nonce { get; init; }

    public required ReadOnlySpan<byte> Tag { get; init; }

    /// <summary>SHA-256 of the SubjectPublicKeyInfo that TLS showed; empty where a proxy ends TLS.</summary>
    public required ReadOnlySpan<byte> CertificateKeyHash { get; init; }

    public required ReadOnlySpan<byte> PeerKey { get; init; }

    public required ReadOnlySpan<byte> ServerKey { get; init; }

    public required InstanceId Instance { get; init; }

    public required uint Generation { get; init; }

    public required ReadOnlySpan<byte> Blob { get; init; }
}
