namespace Punchline.Protocols.Transport.Streams;

/// <summary>A piece of a stream that is to be sent now.</summary>
internal readonly record struct StreamSegment(ulong Offset, int Length, bool IsFinal);

/// <summary>
/// The sending part of a stream (RFC 9000 §3.1): holds what was written until it is acknowledged, and knows what has to be
/// sent, for the first time or again.
/// </summary>
internal sealed class SendingPart(ulong initialLimit)
{
    /// <summary>Bytes of a stream that are held at first, unsent or unacknowledged; what exceeds them is not accepted.</summary>
    public const int BufferLimit = 1 << 20;

    /// <summary>Twice what is on the way where that is more, so that as much waits to follow it; up to the largest receive window.</summary>
    public const int MaxBufferLimit = (int)ReceiveCredit.MaxStreamWindow;

    private readonly OffsetBuffer _buffer = new();
    private readonly OffsetRanges _acknowledged = new();
    private readonly OffsetRanges _lost = new();
    private SendCredit _credit = new(initialLimit);

    // Bytes below _base are acknowledged and gone, those below Written are held; _next is the first that was never sent.
    private ulong _base;
    private ulong _next;
    private int _bufferLimit = BufferLimit;
    private bool _isFinalSent;
    private bool _isFinalAcknowledged;
    private bool _isResetAcknowledged;

    /// <summary>The sending part that the peer's unidirectional streams do not have: it is over before it begins.</summary>
    public static SendingPart CreateAbsent() => new(0) { IsReset = true, _isResetAcknowledged = true };

    public ulong Written { get; private set; }

    /// <summary>No more will be written: the stream's last frame carries FIN.</summary>
    public bool IsCompleted { get; private set; }

    /// <summary>The part was abandoned with <see cref="ResetCode"/>.</summary>
    public bool IsReset { get; private set; }

    public ulong ResetCode { get; private set; }

    /// <summary>A RESET_STREAM has to be sent, for the first time or again.</summary>
    public bool IsResetPending { get; private set; }

    /// <summary>RFC 9000 §4.5: what was sent counts, not what was written.</summary>
    public ulong FinalSize => _next;

    /// <summary>Data Recvd or Reset Recvd: the peer has acknowledged the part's end.</summary>
    public bool IsDone => IsReset ? _isResetAcknowledged : _isFinalAcknowledged && _base == Written;

    /// <summary>Where the next segment begins.</summary>
    public ulong NextOffset => _lost.Count > 0 ? _lost[0].Start : _next;

    public bool AcceptsWrites => !IsCompleted && !IsReset;

    public int FreeBuffer => _bufferLimit - (int)(Written - _base);

    /// <summary>New bytes could be sent, as far as the stream's own limit goes.</summary>
    public bool HasNewData => !IsReset && _next < Written && _credit.Available > 0;

    /// <summary>Something could be sent that needs no connection credit: what was lost, or a bare FIN.</summary>
    public bool HasFreeSegment => !IsReset && (_lost.Count > 0 || (IsCompleted && !_isFinalSent && _next == Written));

    public int Write(ReadOnlySpan<byte> bytes)
    {
        if (!AcceptsWrites) return 0;
        _bufferLimit = (int)Math.Clamp(2 * (_next - _base), (ulong)_bufferLimit, MaxBufferLimit);
        var accepted = bytes[..Math.Min(bytes.Length, FreeBuffer)];
        _buffer.Reserve(_base, Written + (ulong)accepted.Length);
        _buffer.Write(Written, accepted);
        Written += (ulong)accepted.Length;
        return accepted.Length;
    }

    public void Complete() => IsCompleted |= !IsReset;

    /// <summary>False where the part has already come to its end, or is abandoned.</summary>
    public bool TryReset(ulong code)
    {
        if (IsReset || IsDone) return false;
        IsReset = true;
        ResetCode = code;
        IsResetPending = true;
        _buffer.Release();
        return true;
    }

    public bool TryRaiseLimit(ulong limit) => _credit.TryRaise(limit);

    /// <summary>True once for each limit that keeps data from being sent; the limit is what the frame reports.</summary>
    public bool TryReportBlocked(out ulong limit)
    {
        limit = _credit.Limit;
        return !IsReset && _next < Written && _credit.TryReportBlocked();
    }

    public void OnBlockedReportLost() => _credit.OnReportLost();

    /// <summary>
    /// The next piece of at most <paramref name="maxLength"/> bytes: lost ones first, then new ones within both limits.
    /// </summary>
    /// <param name="maxLength">Room in the packet.</param>
    /// <param name="connectionCredit">New bytes that the connection may send.</param>
    /// <param name="segment">Counts as sent from now on.</param>
    /// <param name="newBytes">Bytes of it that are sent for the first time.</param>
    public bool TryTakeSegment(int maxLength, ulong connectionCredit, out StreamSegment segment, out ulong newBytes)
    {
        segment = default;
        newBytes = 0;
        if (IsReset || maxLength < 0) return false;
        if (_lost.Count > 0)
        {
            var lost = _lost[0];
            var length = (int)Math.Min(lost.Length, (ulong)maxLength);
            if (length == 0) return false;
            _lost.Remove(lost.Start, lost.Start + (ulong)length);
            segment = Segment(lost.Start, length);
            return true;
        }
        newBytes = Math.Min(Math.Min(Written - _next, _credit.Available), Math.Min(connectionCredit, (ulong)maxLength));
        if (newBytes == 0 && !HasFreeSegment) return false;
        segment = Segment(_next, (int)newBytes);
        _next += newBytes;
        _credit.Use(newBytes);
        return true;
    }

    public void CopyTo(in StreamSegment segment, Span<byte> destination) => _buffer.Read(segment.Offset, destination[..segment.Length]);

    public void ResetSent() => IsResetPending = false;

    public void OnAcknowledged(in StreamSegment segment)
    {
        if (IsReset) return;
        if (segment.IsFinal) _isFinalAcknowledged = _isFinalSent = true; // also where it had been given up for lost
        var end = segment.Offset + (ulong)segment.Length;
        _acknowledged.Add(Math.Max(segment.Offset, _base), end);
        _lost.Remove(segment.Offset, end);
        if (_acknowledged.Count > 0 && _acknowledged[0].Start <= _base)
        {
            _base = _acknowledged[0].End;
            _acknowledged.Remove(0, _base);
        }
        if (IsDone) _buffer.Release();
    }

    public void OnLost(in StreamSegment segment)
    {
        if (IsReset) return;
        _lost.AddExcept(Math.Max(segment.Offset, _base), segment.Offset + (ulong)segment.Length, _acknowledged);
        if (segment.IsFinal && !_isFinalAcknowledged) _isFinalSent = false;
    }

    public void OnResetAcknowledged() => _isResetAcknowledged = true;

    public void OnResetLost() => IsResetPending = !_isResetAcknowledged;

    /// <summary>Gives the memory back: the connection has ended.</summary>
    public void Release() => _buffer.Release();

    // Whatever reaches the end of a completed stream says so, also when it is sent again.
    private StreamSegment Segment(ulong offset, int length)
    {
        var isFinal = IsCompleted && offset + (ulong)length == Written;
        _isFinalSent |= isFinal;
        return new StreamSegment(offset, length, isFinal);
    }
}
