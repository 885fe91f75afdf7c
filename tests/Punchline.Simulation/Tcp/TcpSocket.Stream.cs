namespace Punchline.Simulation.Tcp;

// The bytes: a fixed window, cumulative acknowledgements, and NewReno's way of repeating what is lost (RFC 6582), so that a loss shows as delay.
internal sealed partial class TcpSocket
{
    /// <summary>Bytes under way: a receive window without scaling (RFC 9293 §3.1), which no congestion control narrows.</summary>
    public const int Window = 65_535;

    /// <summary>Bytes that a write may leave here before they are acknowledged.</summary>
    public const int SendBuffer = 131_072;

    /// <summary>RFC 6691: 1,500 less the headers of IPv6 and TCP.</summary>
    public const int MaxSegment = 1_440;

    private const int DuplicatesBeforeRepeat = 3; // RFC 5681 §3.2

    private readonly SortedDictionary<long, ReadOnlyMemory<byte>> _early = []; // what came beyond a gap, by its distance from the first byte of all
    private byte[] _buffer = [];
    private int _buffered;
    private int _head;
    private uint _unacknowledged;
    private uint _next;
    private uint _expected;
    private long _received;
    private int _duplicates;
    private uint? _recoverTo;
    private TimeSpan _roundTrip;
    private bool _isEnding;
    private bool _isEndSent;
    private bool _wantsRoom;

    /// <summary>Bytes that a write would take.</summary>
    public int Free => SendBuffer - _buffered;

    /// <summary>Takes what there is room for, and returns how much that was.</summary>
    public int Write(ReadOnlySpan<byte> bytes)
    {
        if (_state != State.Established || _isEnding) return 0;
        if (_buffer.Length == 0) _buffer = new byte[SendBuffer];
        var length = Math.Min(bytes.Length, Free);
        _wantsRoom |= length < bytes.Length;
        var tail = (_head + _buffered) % SendBuffer;
        var first = Math.Min(length, SendBuffer - tail);
        bytes[..first].CopyTo(_buffer.AsSpan(tail));
        bytes[first..length].CopyTo(_buffer);
        _buffered += length;
        SendMore();
        return length;
    }

    private int InFlight => (int)(_next - _unacknowledged) - (_isEndSent ? 1 : 0);

    private void SendMore()
    {
        var wasIdle = _next == _unacknowledged;
        while (InFlight < _buffered && InFlight < Window)
        {
            var length = Math.Min(Math.Min(MaxSegment, _buffered - InFlight), Window - InFlight);
            TransmitBuffered(InFlight, length);
            _next += (uint)length;
        }
        if (_isEnding && !_isEndSent && InFlight == _buffered)
        {
            _isEndSent = true;
            Transmit(TcpFlags.Fin | TcpFlags.Acknowledgment, _next++, []);
        }
        if (wasIdle && _next != _unacknowledged) Arm();
    }

    private void TransmitBuffered(int offset, int length)
    {
        Span<byte> segment = stackalloc byte[length];
        for (var i = 0; i < length; i++) segment[i] = _buffer[(_head + offset + i) % SendBuffer];
        Transmit(TcpFlags.Acknowledgment, _unacknowledged + (uint)offset, segment);
    }

    // What was sent first and not acknowledged goes again; what follows it, as acknowledgements show more gaps.
    private void Recover()
    {
        _recoverTo = _next;
        RepeatFirst();
    }

    private void RepeatFirst()
    {
        var length = Math.Min(MaxSegment, Math.Min(_buffered, InFlight));
        if (length > 0) TransmitBuffered(0, length);
        else if (_isEndSent) Transmit(TcpFlags.Fin | TcpFlags.Acknowledgment, _unacknowledged, []);
    }

    private void HandleStream(TcpHeader header, ReadOnlyMemory<byte> payload)
    {
        if (header.Has(TcpFlags.Syn))
        {
            // A repeated SYN-ACK; or a new connection's SYN, which finds out by this (RFC 5961 §4).
            Acknowledge();
            return;
        }
        HandleAcknowledgment(header.Acknowledgment, isPure: payload.IsEmpty && !header.Has(TcpFlags.Fin));
        if (_state != State.Established || (payload.IsEmpty && !header.Has(TcpFlags.Fin))) return;
        HandleData(header, payload);
    }

    private void HandleAcknowledgment(uint acknowledgment, bool isPure)
    {
        var advance = (int)(acknowledgment - _unacknowledged);
        if (advance < 0 || advance > (int)(_next - _unacknowledged)) return;
        if (advance == 0)
        {
            if (isPure && InFlight > 0 && ++_duplicates == DuplicatesBeforeRepeat && _recoverTo is null) Recover();
            return;
        }
        _duplicates = 0;
        _unacknowledged = acknowledgment;
        var taken = Math.Min(advance, _buffered);
        _head = (_head + taken) % SendBuffer;
        _buffered -= taken;
        _timeout = LeastTimeout + _roundTrip;
        if (_recoverTo is { } end && (int)(end - _unacknowledged) > 0) RepeatFirst();
        else _recoverTo = null;
        _timer++;
        if (_isEndSent && _unacknowledged == _next)
        {
            Forget();
            return;
        }
        if (_next != _unacknowledged) Arm();
        SendMore();
        if (!_wantsRoom || Free == 0) return;
        _wantsRoom = false;
        Writable?.Invoke();
    }

    private void HandleData(TcpHeader header, ReadOnlyMemory<byte> payload)
    {
        var offset = (int)(header.Sequence - _expected);
        if (!payload.IsEmpty && offset + payload.Length > 0) _early[_received + offset] = payload;
        while (_early.Count > 0 && _early.First() is var (at, bytes) && at <= _received)
        {
            _early.Remove(at);
            var known = (int)(_received - at);
            if (known >= bytes.Length) continue;
            _received += bytes.Length - known;
            _expected += (uint)(bytes.Length - known);
            Received?.Invoke(bytes[known..]);
            if (_state != State.Established) return;
        }
        var isEnd = header.Has(TcpFlags.Fin) && header.Sequence + (uint)payload.Length == _expected;
        if (isEnd) _expected++;
        Acknowledge();
        if (!isEnd || _isEnding) return;
        // Who hears of the end has nothing more to say on it either.
        var closed = Closed;
        Close();
        closed?.Invoke();
    }
}
