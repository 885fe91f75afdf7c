using Punchline.Protocols.Primitives;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Transport.ConnectionIds;

/// <summary>
/// Tells a peer that goes on with a connection of an earlier process that it is gone (RFC 9000 §10.3).
/// <code>
///  stateless reset: 0x80 or 0x81 | random bytes (13 to 25) | reset token (16)
/// </code>
/// To anybody but that peer it looks like a small data packet.
/// </summary>
internal sealed class StatelessResetResponder(StatelessResetKey key, IRandomSource random)
{
    /// <summary>The shortest packet that is answered. Every answer is shorter, so that none is ever answered with another (§10.3.3).</summary>
    public const int MinTriggerLength = 43;

    /// <summary>No shorter than the smallest data packet.</summary>
    public const int MinLength = PacketHeader.MinPacketLength;

    /// <summary>Answers that wait to be sent, at most.</summary>
    public const int MaxQueued = 16;

    // A process that restarts has some dozens of peers; each is told again with its next packet.
    private const int ResetsPerSecond = 10;
    private const int ResetBurst = 32;

    private readonly Queue<(PathAddress Path, ulong ConnectionId)> _queue = new(MaxQueued);
    private readonly Pacer _pacer = new(ResetsPerSecond, ResetBurst);
    private readonly ProbeBudget _budget = new();

    /// <summary>A data packet came for a connection that nobody here has had.</summary>
    public void HandleUnknown(PathAddress source, int length, ulong connectionId, Timestamp now)
    {
        if (length < MinTriggerLength || _queue.Count == MaxQueued) return;
        // The source may be forged: the pace bounds the process, and the budget what one address gets. It is not that of the probes,
        // or forged packets would take from who is to be punched.
        if (!_pacer.TryTake(now) || !_budget.TryTake(source.Remote, MinTriggerLength, isAnswer: true, now)) return;
        _queue.Enqueue((source, connectionId));
    }

    public bool TryDequeueTransmit(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!_queue.TryDequeue(out var answer)) return false;
        var packet = buffer[..(MinLength + random.NextInt32(MinTriggerLength - MinLength))];
        random.Fill(packet[..^ResetToken.Length]);
        packet[0] = (byte)(PacketHeader.FirstByte | (packet[0] & PacketHeader.KeyPhaseBit));
        key.CreateToken(answer.ConnectionId).Write(packet[^ResetToken.Length..]);
        transmit = new Transmit(answer.Path, packet.Length);
        return true;
    }
}
