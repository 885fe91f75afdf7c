using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Handshake;

/// <summary>A genuine message 1, before anything was spent on answering it.</summary>
/// <param name="Payload">What it says.</param>
/// <param name="Noise">The state that can answer.</param>
internal sealed record ReceivedMessage1(Message1Payload Payload, NoiseResponder<P256KeyPair> Noise)
{
    /// <summary>Opens a message 1 of this introduction. False for anything else.</summary>
    public static bool TryRead(HandshakeContext context, ReadOnlySpan<byte> packet, [NotNullWhen(true)] out ReceivedMessage1? message)
    {
        message = null;
        var prologue = context.PrologueWith(packet[..HandshakePacket.Message1HeaderLength]);
        if (!NoiseResponder<P256KeyPair>.TryReadMessage1(
                prologue, context.PresharedKey.Span, packet[HandshakePacket.Message1HeaderLength..], out var noise, out var plaintext)) return false;
        if (!Message1Payload.TryRead(plaintext, out var payload)) return false;
        if (payload.Sender != context.RemoteId || (payload.Target != default && payload.Target != context.LocalId)) return false;
        message = new ReceivedMessage1(payload, noise);
        return true;
    }
}

/// <summary>One attempt of the peer's, answered: message 2, encrypted once, and what comes of message 3.</summary>
internal sealed class ResponderHandshake : IDisposable
{
    /// <summary>Data packets that arrived before message 3 and are worth keeping.</summary>
    public const int MaxEarlyPackets = 8;

    private readonly HandshakeContext _context;
    private readonly NoiseResponderFinal<P256KeyPair> _noise;
    private readonly byte[] _message2;
    private readonly List<(PathAddress Source, byte[] Packet)> _earlyPackets = [];

    private ResponderHandshake(
        HandshakeContext context, NoiseResponderFinal<P256KeyPair> noise, byte[] message2, in Message1Payload message1, ulong connectionId)
    {
        _context = context;
        _noise = noise;
        _message2 = message2;
        RemoteConnectionId = message1.ConnectionId;
        Attempt = message1.Attempt;
        ConnectionId = connectionId;
    }

    /// <summary>Answers <paramref name="message1"/>; costs two Diffie-Hellman results. False where its ephemeral key is not valid.</summary>
    public static bool TryRespond(
        HandshakeContext context,
        ReceivedMessage1 message1,
        ulong connectionId,
        ReadOnlySpan<byte> localParameters,
        IRandomSource random,
        [NotNullWhen(true)] out ResponderHandshake? handshake)
    {
        handshake = null;
        Span<byte> payload = stackalloc byte[sizeof(ulong) + localParameters.Length];
        BinaryPrimitives.WriteUInt64BigEndian(payload, connectionId);
        localParameters.CopyTo(payload[sizeof(ulong)..]);

        var message2 = new byte[HandshakePacket.HeaderLength + NoiseProtocol<P256KeyPair>.Message2Overhead + payload.Length];
        if (message2.Length > HandshakePacket.Message1Length)
            throw new InvalidOperationException($"Message 2 would have {message2.Length} bytes, more than the {HandshakePacket.Message1Length} of message 1.");
        message2[0] = HandshakePacket.Message2;
        BinaryPrimitives.WriteUInt64BigEndian(message2.AsSpan(1), message1.Payload.ConnectionId);
        if (!message1.Noise.TryWriteMessage2(context.StaticKey, random, payload, message2.AsSpan(HandshakePacket.HeaderLength), out var noise)) return false;
        handshake = new ResponderHandshake(context, noise, message2, message1.Payload, connectionId);
        return true;
    }

    /// <summary>The peer's attempt that this answers.</summary>
    public ulong Attempt { get; }

    public ulong ConnectionId { get; }

    public ulong RemoteConnectionId { get; }

    /// <summary>The answer, also for every duplicate of its message 1.</summary>
    public ReadOnlySpan<byte> Message2 => _message2;

    /// <summary>Data packets that overtook message 3, to be given to the connection once it stands.</summary>
    public IReadOnlyList<(PathAddress Source, byte[] Packet)> EarlyPackets => _earlyPackets;

    public void HoldEarlyPacket(PathAddress source, ReadOnlySpan<byte> packet)
    {
        if (_earlyPackets.Count < MaxEarlyPackets && packet.Length <= HandshakePacket.MaxLength) _earlyPackets.Add((source, packet.ToArray()));
    }

    public HandshakeOutcome ReadMessage3(ReadOnlySpan<byte> packet, out HandshakeResult? result)
    {
        result = null;
        if (packet[0] != HandshakePacket.Message3) return HandshakeOutcome.Ignored;
        if (!_noise.TryReadMessage3(packet[HandshakePacket.HeaderLength..], out var remoteStaticKey, out var payload, out var keys))
            return HandshakeOutcome.Ignored;
        if (PeerIdDerivation.Derive(P256KeyPair.Suite, remoteStaticKey) != _context.RemoteId) return HandshakeOutcome.Impostor;
        result = new HandshakeResult(keys.SendKey, keys.ReceiveKey, ConnectionId, RemoteConnectionId, payload);
        return HandshakeOutcome.Completed;
    }

    public void Dispose() => _noise.Dispose();
}
