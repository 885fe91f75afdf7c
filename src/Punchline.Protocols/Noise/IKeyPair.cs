using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Noise;

/// <summary>
/// A Diffie-Hellman key pair as Noise sees it (Noise revision 34, §4.1): the handshake is generic over it, so a second
/// suite is a second implementation of this interface. Not thread-safe.
/// </summary>
internal interface IKeyPair<TSelf> : IDisposable
    where TSelf : class, IKeyPair<TSelf>
{
    /// <summary>The group's name inside the Noise protocol name.</summary>
    static abstract string DiffieHellmanName { get; }

    /// <summary>The suite's number in ids and on the wire (registry in PROTOCOL.md).</summary>
    static abstract byte Suite { get; }

    /// <summary>Bytes of a public key on the wire.</summary>
    static abstract int PublicKeyLength { get; }

    /// <summary>Bytes of an agreement's result, which goes into MixKey.</summary>
    static abstract int SharedSecretLength { get; }

    static abstract TSelf Generate(IRandomSource random);

    /// <summary>False where <paramref name="privateKey"/> is no private key of the group.</summary>
    static abstract bool TryImport(ReadOnlySpan<byte> privateKey, [NotNullWhen(true)] out TSelf? keyPair);

    ReadOnlySpan<byte> PublicKey { get; }

    /// <summary>
    /// Writes DH(this, <paramref name="peerPublicKey"/>) to <paramref name="sharedSecret"/>. False where the peer's key
    /// is not a valid one of the group: not on the curve, of the wrong length, or at infinity.
    /// </summary>
    bool TryAgree(ReadOnlySpan<byte> peerPublicKey, Span<byte> sharedSecret);
}
