using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Punchline.Protocols.Noise;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// The keys of one call: of these two ids in these two processes. They come from what the static keys of the two agree
/// on, so that nobody else, the server included, reads or writes a signal of the call, or is in its room.
/// </summary>
internal sealed class CallKeys
{
    private CallKeys(ReadOnlySpan<byte> pairKey)
    {
        Room = new RoomKeys(pairKey);
        SignalKey = new byte[RoomKeys.KeyLength];
        HKDF.Expand(HashAlgorithmName.SHA256, pairKey, SignalKey, "signal"u8);
    }

    /// <summary>Of the room that the two are in once the call is taken.</summary>
    public RoomKeys Room { get; }

    /// <summary>Seals <see cref="CallSignal"/>s.</summary>
    public byte[] SignalKey { get; }

    /// <summary>False where the other's key is no point of the curve.</summary>
    /// <param name="inbox">Of the inbox that the call goes through.</param>
    /// <param name="identity">Ours.</param>
    /// <param name="local">This process.</param>
    /// <param name="remote">The other.</param>
    /// <param name="remoteKey">The other's static public key.</param>
    /// <param name="keys">The same for both sides.</param>
    public static bool TryDerive(
        RoomKeys inbox, P256KeyPair identity, in IntroducedPeer local, in IntroducedPeer remote, ReadOnlySpan<byte> remoteKey, [NotNullWhen(true)] out CallKeys? keys)
    {
        keys = null;
        Span<byte> agreement = stackalloc byte[P256KeyPair.SharedSecretLength];
        if (!identity.TryAgree(remoteKey, agreement)) return false;
        keys = new CallKeys(inbox.DerivePairKey(local, remote, agreement));
        CryptographicOperations.ZeroMemory(agreement);
        return true;
    }
}
