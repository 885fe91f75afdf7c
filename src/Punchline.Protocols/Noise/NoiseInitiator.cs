using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Noise;

/// <summary>The initiator between message 1 and message 2. The message is encrypted once; resending resends its bytes.</summary>
internal sealed class NoiseInitiator<TKeyPair> : IDisposable
    where TKeyPair : class, IKeyPair<TKeyPair>
{
    private readonly SymmetricState _state;
    private readonly TKeyPair _staticKey;
    private readonly TKeyPair _ephemeralKey;

    /// <summary>Writes message 1 to <paramref name="message"/>: exactly the payload and <see cref="NoiseProtocol{TKeyPair}.Message1Overhead"/> bytes.</summary>
    public NoiseInitiator(
        ReadOnlySpan<byte> prologue, ReadOnlySpan<byte> presharedKey, TKeyPair staticKey, IRandomSource random, ReadOnlySpan<byte> payload, Span<byte> message)
    {
        _staticKey = staticKey;
        _ephemeralKey = TKeyPair.Generate(random);
        _state = NoiseProtocol<TKeyPair>.Start(prologue, presharedKey);
        NoiseProtocol<TKeyPair>.MixEphemeral(_state, _ephemeralKey.PublicKey);
        _ephemeralKey.PublicKey.CopyTo(message);
        _state.EncryptAndHash(payload, message[TKeyPair.PublicKeyLength..]);
    }

    /// <summary>
    /// Reads message 2. False for a forged or malformed one, and then nothing has changed: the genuine one may follow.
    /// </summary>
    public bool TryReadMessage2(ReadOnlySpan<byte> message, [NotNullWhen(true)] out NoiseInitiatorFinal<TKeyPair>? next, [NotNullWhen(true)] out byte[]? payload)
    {
        next = null;
        payload = null;
        var payloadLength = message.Length - NoiseProtocol<TKeyPair>.Message2Overhead;
        if (payloadLength < 0) return false;
        var state = _state.Clone();
        var remoteEphemeral = message[..TKeyPair.PublicKeyLength];
        var sealedStatic = message.Slice(TKeyPair.PublicKeyLength, NoiseProtocol<TKeyPair>.SealedKeyLength);
        NoiseProtocol<TKeyPair>.MixEphemeral(state, remoteEphemeral);
        if (!NoiseProtocol<TKeyPair>.TryMixAgreement(state, _ephemeralKey, remoteEphemeral)) return false;
        var remoteStatic = new byte[TKeyPair.PublicKeyLength];
        if (!state.TryDecryptAndHash(sealedStatic, remoteStatic)) return false;
        if (!NoiseProtocol<TKeyPair>.TryMixAgreement(state, _ephemeralKey, remoteStatic)) return false;
        var plaintext = new byte[payloadLength];
        if (!state.TryDecryptAndHash(message[^(payloadLength + SymmetricState.TagLength)..], plaintext)) return false;
        payload = plaintext;
        next = new NoiseInitiatorFinal<TKeyPair>(state, _staticKey, remoteStatic, remoteEphemeral);
        return true;
    }

    public void Dispose() => _ephemeralKey.Dispose();
}

/// <summary>The initiator behind message 2: it knows whom it talks to, and has message 3 to write, once.</summary>
internal sealed class NoiseInitiatorFinal<TKeyPair>(SymmetricState state, TKeyPair staticKey, byte[] remoteStatic, ReadOnlySpan<byte> remoteEphemeral)
    where TKeyPair : class, IKeyPair<TKeyPair>
{
    private readonly byte[] _remoteEphemeral = remoteEphemeral.ToArray();

    public ReadOnlySpan<byte> RemoteStaticKey => remoteStatic;

    /// <summary>Writes message 3: exactly the payload and <see cref="NoiseProtocol{TKeyPair}.Message3Overhead"/> bytes.</summary>
    public (byte[] SendKey, byte[] ReceiveKey) WriteMessage3(ReadOnlySpan<byte> payload, Span<byte> message)
    {
        var written = state.EncryptAndHash(staticKey.PublicKey, message);
        // The remote ephemeral key agreed once already, so it is on the curve.
        if (!NoiseProtocol<TKeyPair>.TryMixAgreement(state, staticKey, _remoteEphemeral))
            throw new InvalidOperationException("A public key that was valid in message 2 is not in message 3.");
        state.EncryptAndHash(payload, message[written..]);
        return state.Split();
    }
}
