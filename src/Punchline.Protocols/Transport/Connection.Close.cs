using System.Numerics;
using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Transport;

/// <summary>How a connection ends (RFC 9000 §10.2, §10.3).</summary>
internal sealed partial class Connection
{
    /// <summary>Bytes of a reason's UTF-8 that go over the wire; the rest is cut off.</summary>
    public const int MaxReasonLength = 256;

    /// <summary>CONNECTION_CLOSE packets in all: one at once, two repeated, and answers to the 1st, 2nd, 4th, … packet that still comes.</summary>
    private const int MaxClosePackets = 16;

    // RFC 9000 §10.2: closing and draining last at least three probe time-outs.
    private const int ClosingProbeTimeouts = 3;

    private byte[] _closeReason = [];
    private ulong _offendingType;
    private bool _isClosePending;
    private int _closePacketsSent;
    private ulong _receivedWhileClosing;
    private Timestamp _closeRepeatsAt = Timestamp.Never;
    private Timestamp _closeEndsAt = Timestamp.Never;

    /// <summary>Ends the connection and tells the peer why; does nothing where it is over already.</summary>
    /// <param name="code">The application's code, below 2^62.</param>
    /// <param name="reason">For people; at most <see cref="MaxReasonLength"/> bytes of its UTF-8 are sent.</param>
    /// <param name="now">The time.</param>
    public void Close(ulong code, string reason, Timestamp now) => BeginClosing(isApplication: true, code, FrameType.Padding, reason, now);

    private void CloseForError(TransportError error, FrameType offending, string reason, Timestamp now) =>
        BeginClosing(isApplication: false, (ulong)error, offending, reason, now);

    private void BeginClosing(bool isApplication, ulong code, FrameType offending, string reason, Timestamp now)
    {
        if (_state != State.Active) return;
        _observedAt = now;
        _state = State.Closing;
        _closeReason = Truncate(reason);
        _offendingType = (ulong)offending;
        _isClosePending = true;
        StartClosingTimer(now);
        // Deviates from RFC 9000 §10.2.1, where only a packet from the peer has the close sent again: were the first one lost,
        // a peer with nothing to say would learn of it only by its idle time-out.
        _closeRepeatsAt = now + _recovery.ProbeTimeout;
        End(new CloseReason(CloseOrigin.Local, isApplication, code, reason));
    }

    private void HandleConnectionClose(in ConnectionCloseFrame frame, Timestamp now)
    {
        if (_state == State.Active) End(new CloseReason(CloseOrigin.Remote, frame.IsApplication, frame.Code, Encoding.UTF8.GetString(frame.Reason)));
        BeginDraining(now);
    }

    private void BeginDraining(Timestamp now)
    {
        _state = State.Draining;
        _isClosePending = false;
        _closeRepeatsAt = Timestamp.Never;
        StartClosingTimer(now);
    }

    /// <summary>The peer has lost the connection (RFC 9000 §10.3): it is over, and nothing more is sent. False where the token is another's.</summary>
    public bool HandleStatelessReset(ResetToken token, Timestamp now)
    {
        if (_state is State.Draining or State.Drained || !_remoteIds.IsResetBy(token)) return false;
        _observedAt = now;
        if (_state == State.Active) End(new CloseReason(CloseOrigin.StatelessReset, IsApplication: false, Code: 0, "The peer has lost the connection."));
        BeginDraining(now);
        return true;
    }

    // RFC 9000 §10.1: an idle connection is closed silently, for its peer has forgotten it as well.
    private void EndIdle()
    {
        _state = State.Drained;
        End(new CloseReason(CloseOrigin.IdleTimeout, IsApplication: false, Code: 0, "Nothing came from the peer for the idle time-out."));
    }

    private void End(CloseReason reason)
    {
        CloseReason = reason;
        _observer?.OnClosed(reason, _observedAt);
        EndStreams();
        Raise(ConnectionEventKind.Closed, code: reason.Code, text: reason.Text);
    }

    private void StartClosingTimer(Timestamp now)
    {
        if (_closeEndsAt == Timestamp.Never) _closeEndsAt = now + (ClosingProbeTimeouts * _recovery.ProbeTimeout);
    }

    private void HandleClosingTimeout(Timestamp now)
    {
        if (now >= _closeEndsAt)
        {
            _state = State.Drained;
            _isClosePending = false;
            return;
        }
        if (now < _closeRepeatsAt) return;
        _isClosePending = true;
        _closeRepeatsAt = now + _recovery.ProbeTimeout;
    }

    // RFC 9000 §10.2.1: "An endpoint SHOULD limit the rate at which it generates packets in the closing state."
    private void HandlePacketWhileClosing(ReadOnlySpan<byte> frames, Timestamp now)
    {
        var reader = new SpanReader(frames);
        if (reader.TryReadByte(out var type) && (FrameType)type is FrameType.ConnectionClose or FrameType.ConnectionCloseApplication
            && ConnectionCloseFrame.TryRead(ref reader, (FrameType)type is FrameType.ConnectionCloseApplication, out var close))
        {
            HandleConnectionClose(close, now);
            return;
        }
        _isClosePending |= BitOperations.IsPow2(++_receivedWhileClosing);
    }

    private bool TryWriteClose(Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (_state != State.Closing || !_isClosePending || CloseReason is not { } reason) return false;
        _isClosePending = false;
        if (_closePacketsSent == MaxClosePackets) return false;
        _closePacketsSent++;
        var writer = FrameWriter(buffer, BasePacketSize);
        new ConnectionCloseFrame(reason.IsApplication, reason.Code, _offendingType, _closeReason).Write(ref writer);
        return TrySend(buffer, writer.Length, Path, out transmit);
    }

    private static byte[] Truncate(string reason)
    {
        var bytes = Encoding.UTF8.GetBytes(reason);
        if (bytes.Length <= MaxReasonLength) return bytes;
        var length = MaxReasonLength;
        // Not within a character: bytes 10xxxxxx continue one.
        while ((bytes[length] & 0xc0) == 0x80) length--;
        return bytes[..length];
    }
}
