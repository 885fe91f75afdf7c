using Punchline.Protocols.Coordination;
using Punchline.Protocols.Noise;
using Punchline.Simulation;

namespace Punchline.Protocols.Tests.Coordination;

public sealed class ProofOfKeyTests
{
    private static readonly P256KeyPair Peer = Import("7d7dc5f71eb29ddaf80d6214632eeae03d9058af1fb6d22ed80badb62bc1a534");
    private static readonly P256KeyPair Server = Import("0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20");
    private static readonly byte[] Nonce = Bytes(0x11, 32);
    private static readonly byte[] Tag = Bytes(0x22, 32);
    private static readonly byte[] Certificate = Bytes(0x33, 32);

    // Computed apart from this code, by Python's hashlib and hmac and P-256 in plain integers.
    private const string ExpectedMac = "202fef495603eadd1c388f454e2665065b8893fd5088f823dcbcf50c47ad95ff";

    [Fact]
    public void Is_the_MAC_that_another_implementation_computes()
    {
        var mac = new byte[ProofOfKey.MacLength];
        Assert.True(ProofOfKey.TryProve(Peer, Join(), mac));
        Assert.Equal(ExpectedMac, Convert.ToHexStringLower(mac));
        Assert.True(ProofOfKey.Verify(Server, Join(), mac));
    }

    [Fact]
    public void Is_bound_to_each_field()
    {
        var mac = Convert.FromHexString(ExpectedMac);
        var other = Bytes(0x99, 32);
        using var stranger = P256KeyPair.Generate(new SeededRandom(3));
        Assert.False(ProofOfKey.Verify(Server, Join(host: "other.example:8080"), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(nonce: other), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(tag: other), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(tag: Tag[..16]), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(certificate: other), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(certificate: []), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(peerKey: stranger.PublicKey.ToArray()), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(serverKey: stranger.PublicKey.ToArray()), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(instance: InstanceId.FromBytes(other)), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(generation: 8), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(blob: "Sealed"u8.ToArray()), mac));
        Assert.False(ProofOfKey.Verify(stranger, Join(), mac));
        Assert.False(ProofOfKey.Verify(Server, Join(), mac.AsSpan(0, 31)));
    }

    [Fact]
    public void The_negative_of_a_key_agrees_alike_and_is_refused_all_the_same()
    {
        // p − y: the other point with this x coordinate.
        var prime = new System.Numerics.BigInteger(Convert.FromHexString("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"), isUnsigned: true, isBigEndian: true);
        var y = new System.Numerics.BigInteger(Peer.PublicKey[33..], isUnsigned: true, isBigEndian: true);
        byte[] negated = [.. Peer.PublicKey[..33], .. (prime - y).ToByteArray(isUnsigned: true, isBigEndian: true)];
        byte[] ours = new byte[32], theirs = new byte[32];
        Assert.True(Server.TryAgree(Peer.PublicKey, ours));
        Assert.True(Server.TryAgree(negated, theirs));
        Assert.Equal(ours, theirs);
        Assert.False(ProofOfKey.Verify(Server, Join(peerKey: negated), Convert.FromHexString(ExpectedMac)));
    }

    [Fact]
    public void A_key_that_is_no_point_proves_nothing()
    {
        Assert.False(ProofOfKey.TryProve(Peer, Join(serverKey: new byte[65]), new byte[ProofOfKey.MacLength]));
        Assert.False(ProofOfKey.Verify(Server, Join(peerKey: new byte[5000]), Convert.FromHexString(ExpectedMac)));
    }

    private static ProvenJoin Join(
        string host = "coordinate.example:8080", byte[]? nonce = null, byte[]? tag = null, byte[]? certificate = null, byte[]? peerKey = null,
        byte[]? serverKey = null, InstanceId? instance = null, uint generation = 7, byte[]? blob = null) => new()
        {
            Host = host,
            Nonce = nonce ?? Nonce,
            Tag = tag ?? Tag,
            CertificateKeyHash = certificate ?? Certificate,
            PeerKey = peerKey ?? Peer.PublicKey,
            ServerKey = serverKey ?? Server.PublicKey,
            Instance = instance ?? InstanceId.FromBytes(Bytes(0x44, 16)),
            Generation = generation,
            Blob = blob ?? "sealed"u8.ToArray(),
        };

    private static byte[] Bytes(byte value, int count) => [.. Enumerable.Repeat(value, count)];

    private static P256KeyPair Import(string scalar)
    {
        Assert.True(P256KeyPair.TryImport(Convert.FromHexString(scalar), out var keyPair));
        return keyPair;
    }
}
