using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Stun;

/// <summary>What came of the bytes that a STUN server sent on a connection.</summary>
internal enum StunStreamOutcome
{
    /// <summary>The answer is not whole yet, or there was none to wait for.</summary>
    Waiting,

    /// <summary>The answer has our address, as the server sees it.</summary>
    Reflected,

    /// <summary>It speaks no STUN, or refuses.</summary>
    Broken,
}

/// <summary>
/// A client's side of STUN on one TCP connection (RFC 8489 §6.2.2): one binding request at a time, which is never sent again, for
/// the connection delivers it or ends.
/// </summary>
internal sealed class StunStream(IRandomSource random)
{
    /// <summary>Bytes of a request.</summary>
    public const int RequestLength = StunMessage.HeaderLength;

    private readonly byte[] _received = new byte[StunMessage.MaxLength];
    private int _length;
    private StunTransactionId? _transaction;

    /// <summary>A request is out, and its answer has not come.</summary>
    public bool IsWaiting => _transaction is not null;

    /// <summary>Writes a request, which takes the place of one that is not answered yet.</summary>
    public int WriteRequest(Span<byte> buffer)
    {
        var transaction = StunTransactionId.Generate(random);
        _transaction = transaction;
        return new StunWriter(buffer, StunClass.Request, StunMethod.Binding, transaction).Length;
    }

    /// <summary>Takes what came; <paramref name="mapped"/> is set with <see cref="StunStreamOutcome.Reflected"/>.</summary>
    public StunStreamOutcome HandleBytes(ReadOnlySpan<byte> bytes, out Endpoint mapped)
    {
        mapped = default;
        var outcome = StunStreamOutcome.Waiting;
        while (outcome != StunStreamOutcome.Broken)
        {
            var count = Math.Min(bytes.Length, _received.Length - _length);
            bytes[..count].CopyTo(_received.AsSpan(_length));
            _length += count;
            bytes = bytes[count..];
            switch (StunFraming.Inspect(_received.AsSpan(0, _length), out var whole))
            {
                case StunFrame.Invalid:
                    return StunStreamOutcome.Broken;
                case StunFrame.Incomplete:
                    return outcome;
            }
            if (Conclude(_received.AsSpan(0, whole), ref mapped) is var concluded and not StunStreamOutcome.Waiting) outcome = concluded;
            _received.AsSpan(whole.._length).CopyTo(_received);
            _length -= whole;
        }
        return outcome;
    }

    private StunStreamOutcome Conclude(ReadOnlySpan<byte> bytes, ref Endpoint mapped)
    {
        // What is no answer to the last request is passed over, as a datagram would be.
        if (!StunMessage.TryRead(bytes, out var message) || message.Method != StunMethod.Binding || message.TransactionId != _transaction) return StunStreamOutcome.Waiting;
        _transaction = null;
        return message.Class == StunClass.SuccessResponse && StunClient.TryReadMapped(message, out mapped) ? StunStreamOutcome.Reflected : StunStreamOutcome.Broken;
    }
}
