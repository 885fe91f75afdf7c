using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Handshake;

/// <summary>
/// One attempt from our side: message 1, encrypted once and resent byte-identical to every candidate, and what comes of
/// the answer. Where our id is the higher one, message 1 is only the opener and no answer will come.
/// </summary>
internal sealed class InitiatorHandshake : IDisposable
{
    private readonly HandshakeContext _context;
    private readonly NoiseInitiator<P256KeyPair> _noise;
    private readonly byte[] _message1 = new byte[HandshakePacket.Message1Length];

    /// <param name="context">The introduction.</param>
    /// <param name="attempt">Rises with every attempt of this process towards this peer.</param>
    /// <param name="connectionId">What the peer is to write into packets to us.</param>
    /// <param name="random">For the ephemeral key.</param>
    public InitiatorHandshake(HandshakeContext context, ulong attempt, ulong connectionId, IRandomSource random)
    {
        _context = context;
        ConnectionId = connectionId;
        var header = new SpanWriter(_message1);
        header.WriteByte(HandshakePacket.Message1);
        header.WriteByte(HandshakePacket.Version);
        header.WriteUInt64(context.OutgoingHint);

        Span<byte> payload = stackalloc byte[Message1Payload.Length];
        new Message1Payload(context.LocalId, context.RemoteId, attempt, connectionId).Write(payload);
        _noise = new NoiseInitiator<P256KeyPair>(
            context.PrologueWith(header.Written), context.PresharedKey.Span, context.StaticKey, random, payload, _message1.AsSpan(header.Length));
    }

    public ulong ConnectionId { get; }

    public ReadOnlySpan<byte> Message1 => _message1;

    /// <summary>
    /// Reads an answer. When <see cref="HandshakeOutcome.Completed"/>, <paramref name="message3"/> is to be sent with
    /// every flight until a transport packet of the peer authenticates.
    /// </summary>
    public HandshakeOutcome ReadMessage2(
        ReadOnlySpan<byte> packet, ReadOnlySpan<byte> localParameters, out HandshakeResult? result, [MaybeNull] out byte[] message3)
    {
        result = null;
        message3 = null;
        // Longer than message 1 it cannot be, whoever wrote it.
        if (packet.Length > HandshakePacket.Message1Length || packet[0] != HandshakePacket.Message2) return HandshakeOutcome.Ignored;
        if (!_noise.TryReadMessage2(packet[HandshakePacket.HeaderLength..], out var final, out var payload)) return HandshakeOutcome.Ignored;
        if (PeerIdDerivation.Derive(P256KeyPair.Suite, final.RemoteStaticKey) != _context.RemoteId) return HandshakeOutcome.Impostor;
        if (payload.Length < sizeof(ulong)) return HandshakeOutcome.Ignored;
        var remoteConnectionId = BinaryPrimitives.ReadUInt64BigEndian(payload);

        message3 = new byte[HandshakePacket.HeaderLength + NoiseProtocol<P256KeyPair>.Message3Overhead + localParameters.Length];
        message3[0] = HandshakePacket.Message3;
        BinaryPrimitives.WriteUInt64BigEndian(message3.AsSpan(1), remoteConnectionId);
        var (sendKey, receiveKey) = final.WriteMessage3(localParameters, message3.AsSpan(HandshakePacket.HeaderLength));
        result = new HandshakeResult(sendKey, receiveKey, ConnectionId, remoteConnectionId, payload[sizeof(ulong)..]);
        return HandshakeOutcome.Completed;
    }

    public void Dispose() => _noise.Dispose();
}
