using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport.Streams;

/// <summary>
/// The receiving part of a stream (RFC 9000 §3.2): puts the pieces in order within the window that was granted.
/// </summary>
internal sealed class ReceivingPart(ulong window, ulong maxWindow = ReceiveCredit.MaxStreamWindow)
{
    /// <summary>
    /// Separate pieces that a stream may hold. The largest window is 14,400 packets, which leave at most 7,200 gaps; one that
    /// sends crumbs to burn our time is closed.
    /// </summary>
    public const int MaxPieces = 8_192;

    private readonly OffsetBuffer _buffer = new();
    private readonly OffsetRanges _received = new();
    private ReceiveCredit _credit = new(window, maxWindow);
    private ulong _read;
    private ulong? _finalSize;

    /// <summary>The receiving part that our own unidirectional streams do not have: it is over before it begins.</summary>
    public static ReceivingPart CreateAbsent() => new(0) { IsFinished = true };

    /// <summary>The peer abandoned its part with <see cref="ResetCode"/>.</summary>
    public bool IsReset { get; private set; }

    public ulong ResetCode { get; private set; }

    /// <summary>We asked the peer to stop: whatever arrives is dropped.</summary>
    public bool IsStopped { get; private set; }

    public ulong StopCode { get; private set; }

    /// <summary>A STOP_SENDING has to be sent, for the first time or again.</summary>
    public bool IsStopPending { get; private set; }

    /// <summary>A MAX_STREAM_DATA has to be sent, for the first time or again.</summary>
    public bool IsLimitPending { get; private set; }

    /// <summary>Bytes that <see cref="Read"/> has ready.</summary>
    public int Available => _received.Count > 0 && _received[0].Start <= _read ? (int)(_received[0].End - _read) : 0;

    /// <summary>The application has read all bytes, and has been told that they were all.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>Nothing is missing up to the end.</summary>
    public bool HasAllBytes => _read + (ulong)Available == _finalSize;

    /// <summary>A <see cref="Read"/> would tell something: bytes, or their end.</summary>
    public bool HasNews => !IsReset && !IsStopped && (Available > 0 || (_read == _finalSize && !IsFinished));

    /// <summary>Data Read or Reset Read: nothing more will happen here.</summary>
    public bool IsDone => IsReset || IsFinished || (IsStopped && _finalSize is not null);

    /// <summary>Takes a STREAM frame.</summary>
    /// <param name="offset">Of the data's first byte; the sum with its length is below 2^62.</param>
    /// <param name="data">The bytes.</param>
    /// <param name="isFinal">They are the stream's last.</param>
    /// <param name="connection">The connection's credit, charged with what is new.</param>
    /// <returns>What the connection must be closed with, or <see cref="TransportError.NoError"/>.</returns>
    public TransportError Receive(ulong offset, ReadOnlySpan<byte> data, bool isFinal, ref ReceiveCredit connection)
    {
        var end = offset + (ulong)data.Length;
        var error = Charge(end, isFinal, ref connection);
        if (error != TransportError.NoError || IsReset) return error;
        if (IsStopped) Discard(ref connection);
        var start = Math.Max(offset, _read);
        if (start >= end) return TransportError.NoError;
        _received.Add(start, end);
        if (_received.Count > MaxPieces) return TransportError.InternalError;
        _buffer.Reserve(_read, end);
        _buffer.Write(start, data[(int)(start - offset)..]);
        return TransportError.NoError;
    }

    /// <summary>Takes a RESET_STREAM frame: unread data is gone.</summary>
    public TransportError ReceiveReset(ulong code, ulong finalSize, ref ReceiveCredit connection)
    {
        var error = Charge(finalSize, isFinal: true, ref connection);
        if (error != TransportError.NoError || IsReset || IsFinished) return error;
        IsReset = true;
        ResetCode = code;
        IsStopPending = false;
        Discard(ref connection);
        return TransportError.NoError;
    }

    public int Read(Span<byte> destination, ref ReceiveCredit connection)
    {
        var length = Math.Min(destination.Length, Available);
        if (length > 0)
        {
            _buffer.Read(_read, destination[..length]);
            Advance((ulong)length, ref connection);
        }
        IsFinished |= _read == _finalSize && !IsReset && !IsStopped;
        if (IsDone) _buffer.Release();
        return length;
    }

    /// <summary>Copies bytes that are ready without consuming them.</summary>
    public void Peek(Span<byte> destination) => _buffer.Read(_read, destination);

    /// <summary>Consumes bytes that are ready.</summary>
    public void Skip(int count, ref ReceiveCredit connection) => Advance((ulong)count, ref connection);

    /// <summary>False where the part has ended, or was stopped before.</summary>
    public bool TryStop(ulong code, ref ReceiveCredit connection)
    {
        if (IsDone || IsStopped) return false;
        IsStopped = true;
        StopCode = code;
        // RFC 9000 §3.5: once all data or a reset has arrived, STOP_SENDING has no use.
        IsStopPending = _finalSize is null;
        Discard(ref connection);
        return true;
    }

    public ulong TakeLimit(Timestamp now, TimeSpan roundTrip, ReceiveBudget budget)
    {
        IsLimitPending = false;
        return _credit.Raise(now, roundTrip, budget);
    }

    public void StopSent() => IsStopPending = false;

    public void OnStopLost() => IsStopPending = !IsDone;

    public void OnLimitLost() => IsLimitPending = _finalSize is null && !IsStopped;

    /// <summary>Gives back the memory, and what the window has grown by.</summary>
    public void Release(ReceiveBudget budget)
    {
        _buffer.Release();
        _credit.Release(budget);
    }

    private TransportError Charge(ulong end, bool isFinal, ref ReceiveCredit connection)
    {
        // RFC 9000 §4.5: data beyond the final size, or another final size, is FINAL_SIZE_ERROR.
        if (end > _finalSize || (isFinal && (end < _credit.Received || (_finalSize is { } known && known != end)))) return TransportError.FinalSizeError;
        if (end > _credit.Received)
        {
            var increase = end - _credit.Received;
            if (!_credit.TryReceive(increase) || !connection.TryReceive(increase)) return TransportError.FlowControlError;
        }
        if (isFinal)
        {
            _finalSize = end;
            IsLimitPending = false;
        }
        return TransportError.NoError;
    }

    // What will never be read counts as read, or the connection's window would shrink for good.
    private void Discard(ref ReceiveCredit connection)
    {
        Advance(_credit.Received - _read, ref connection);
        IsLimitPending = false;
        _buffer.Release();
    }

    private void Advance(ulong bytes, ref ReceiveCredit connection)
    {
        _read += bytes;
        _received.Remove(0, _read);
        _credit.Consume(bytes);
        connection.Consume(bytes);
        IsLimitPending |= _finalSize is null && !IsStopped && _credit.ShouldAnnounce;
    }
}
