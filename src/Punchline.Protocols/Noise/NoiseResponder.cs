using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Noise;

/// <summary>The responder that has read message 1 and has message 2 to write, once.</summary>
internal sealed class NoiseResponder<TKeyPair>
    where TKeyPair : class, IKeyPair<TKeyPair>
{
    private readonly SymmetricState _state;
    private readonly byte[] _remoteEphemeral;

    private NoiseResponder(SymmetricState state, byte[] remoteEphemeral)
    {
        _state = state;
        _remoteEphemeral = remoteEphemeral;
    }

    /// <summary>
    /// Reads message 1, which costs no Diffie-Hellman. False where it was not sealed with this pre-shared key.
    /// </summary>
    public static bool TryReadMessage1(
        ReadOnlySpan<byte> prologue,
        ReadOnlySpan<byte> presharedKey,
        ReadOnlySpan<byte> message,
        [NotNullWhen(true)] out NoiseResponder<TKeyPair>? next,
        [NotNullWhen(true)] out byte[]? payload)
    {
        next = null;
        payload = null;
        var payloadLength = message.Length - NoiseProtocol<TKeyPair>.Message1Overhead;
        if (payloadLength < 0) return false;
        var state = NoiseProtocol<TKeyPair>.Start(prologue, presharedKey);
        var remoteEphemeral = message[..TKeyPair.PublicKeyLength];
        NoiseProtocol<TKeyPair>.MixEphemeral(state, remoteEphemeral);
        var plaintext = new byte[payloadLength];
        if (!state.TryDecryptAndHash(message[TKeyPair.PublicKeyLength..], plaintext)) return false;
        payload = plaintext;
        next = new NoiseResponder<TKeyPair>(state, remoteEphemeral.ToArray());
        return true;
    }

    /// <summary>
    /// Writes message 2: exactly the payload and <see cref="NoiseProtocol{TKeyPair}.Message2Overhead"/> bytes. False
    /// where the initiator's ephemeral key is not a valid one.
    /// </summary>
    public bool TryWriteMessage2(
        TKeyPair staticKey, IRandomSource random, ReadOnlySpan<byte> payload, Span<byte> message, [NotNullWhen(true)] out NoiseResponderFinal<TKeyPair>? next)
    {
        next = null;
        var ephemeralKey = TKeyPair.Generate(random);
        ephemeralKey.PublicKey.CopyTo(message);
        NoiseProtocol<TKeyPair>.MixEphemeral(_state, ephemeralKey.PublicKey);
        var rest = message[TKeyPair.PublicKeyLength..];
        if (!NoiseProtocol<TKeyPair>.TryMixAgreement(_state, ephemeralKey, _remoteEphemeral))
        {
            ephemeralKey.Dispose();
            return false;
        }
        rest = rest[_state.EncryptAndHash(staticKey.PublicKey, rest)..];
        if (!NoiseProtocol<TKeyPair>.TryMixAgreement(_state, staticKey, _remoteEphemeral))
            throw new InvalidOperationException("A public key agreed with one key of ours and not with another.");
        _state.EncryptAndHash(payload, rest);
        next = new NoiseResponderFinal<TKeyPair>(_state, ephemeralKey);
        return true;
    }
}

/// <summary>The responder between message 2 and message 3.</summary>
internal sealed class NoiseResponderFinal<TKeyPair>(SymmetricState state, TKeyPair ephemeralKey) : IDisposable
    where TKeyPair : class, IKeyPair<TKeyPair>
{
    /// <summary>Reads message 3. False for a forged or malformed one, and then nothing has changed.</summary>
    public bool TryReadMessage3(
        ReadOnlySpan<byte> message,
        [NotNullWhen(true)] out byte[]? remoteStaticKey,
        [NotNullWhen(true)] out byte[]? payload,
        out (byte[] SendKey, byte[] ReceiveKey) keys)
    {
        remoteStaticKey = null;
        payload = null;
        keys = default;
        var payloadLength = message.Length - NoiseProtocol<TKeyPair>.Message3Overhead;
        if (payloadLength < 0) return false;
        var attempt = state.Clone();
        var staticKey = new byte[TKeyPair.PublicKeyLength];
        if (!attempt.TryDecryptAndHash(message[..NoiseProtocol<TKeyPair>.SealedKeyLength], staticKey)) return false;
        if (!NoiseProtocol<TKeyPair>.TryMixAgreement(attempt, ephemeralKey, staticKey)) return false;
        var plaintext = new byte[payloadLength];
        if (!attempt.TryDecryptAndHash(message[NoiseProtocol<TKeyPair>.SealedKeyLength..], plaintext)) return false;
        var (initiator, responder) = attempt.Split();
        keys = (responder, initiator);
        remoteStaticKey = staticKey;
        payload = plaintext;
        return true;
    }

    public void Dispose() => ephemeralKey.Dispose();
}
