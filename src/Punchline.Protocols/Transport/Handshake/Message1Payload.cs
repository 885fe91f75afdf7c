using Punchline.Protocols.Noise;
using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Handshake;

/// <summary>What message 1 says under its seal. The ids are claims until a static key proves them.</summary>
/// <param name="Sender">Who sends.</param>
/// <param name="Target">Who is meant; all zeros where the sender does not know.</param>
/// <param name="Attempt">Rises with every attempt, so that a replayed old one is told apart.</param>
/// <param name="ConnectionId">What the receiver is to write into packets to the sender.</param>
internal readonly record struct Message1Payload(PeerId Sender, PeerId Target, ulong Attempt, ulong ConnectionId)
{
    private const int FieldsLength = (2 * PeerId.ByteLength) + (2 * sizeof(ulong));

    /// <summary>With the padding that gives every message 1 the same length.</summary>
    public static int Length => HandshakePacket.Message1Length - HandshakePacket.Message1HeaderLength - NoiseProtocol<P256KeyPair>.Message1Overhead;

    public void Write(Span<byte> destination)
    {
        var writer = new SpanWriter(destination);
        Sender.CopyTo(writer.Free);
        writer.Advance(PeerId.ByteLength);
        Target.CopyTo(writer.Free);
        writer.Advance(PeerId.ByteLength);
        writer.WriteUInt64(Attempt);
        writer.WriteUInt64(ConnectionId);
        writer.WriteZeros(destination.Length - FieldsLength);
    }

    public static bool TryRead(ReadOnlySpan<byte> payload, out Message1Payload value)
    {
        value = default;
        var reader = new SpanReader(payload);
        if (!reader.TryReadBytes(PeerId.ByteLength, out var sender) || !reader.TryReadBytes(PeerId.ByteLength, out var target)
            || !reader.TryReadUInt64(out var attempt) || !reader.TryReadUInt64(out var connectionId)) return false;
        value = new Message1Payload(new PeerId(sender), new PeerId(target), attempt, connectionId);
        return true;
    }
}
