using Punchline.Protocols.Primitives;

namespace Punchline.Simulation.Tcp;

/// <summary>One end of a TCP connection: its opening and its end. <c>TcpSocket.Stream.cs</c> has the bytes.</summary>
internal sealed partial class TcpSocket
{
    /// <summary>RFC 6298 §2: before the first sample; Linux too repeats a SYN after 1 s, 3 s, 7 s …</summary>
    public static readonly TimeSpan FirstTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Linux's TCP_RTO_MIN, which it adds to the round trip.</summary>
    public static readonly TimeSpan LeastTimeout = TimeSpan.FromMilliseconds(200);

    /// <summary>Linux's TCP_RTO_MAX.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromSeconds(120);

    private enum State
    {
        SynSent,
        SynReceived,
        Established,
        Closed,
    }

    private readonly TcpStack _stack;
    private readonly Timestamp _openedAt;
    private Action<TcpSocket>? _accept;
    private State _state = State.SynSent;
    private TimeSpan _timeout = FirstTimeout;
    private int _timer; // the event that is armed; earlier ones find another number here

    internal TcpSocket(TcpStack stack, ushort port, Endpoint remote, uint initialSequence, byte timeToLive)
    {
        _stack = stack;
        Port = port;
        Remote = remote;
        TimeToLive = timeToLive;
        _openedAt = stack.Now;
        _unacknowledged = initialSequence;
        _next = initialSequence + 1;
    }

    public ushort Port { get; }

    public Endpoint Remote { get; }

    /// <summary>Of its segments from now on; 0 for the default.</summary>
    public byte TimeToLive { get; set; }

    /// <summary>Neither the peer's SYN nor its refusal has come.</summary>
    public bool IsWaitingForSyn => _state == State.SynSent;

    public bool IsEstablished => _state == State.Established;

    /// <summary>The connection stands. Not called of one that a listener took.</summary>
    public Action? Connected { get; set; }

    /// <summary>Bytes came, in order.</summary>
    public Action<ReadOnlyMemory<byte>>? Received { get; set; }

    /// <summary>There is room in the buffer again that a write did not find.</summary>
    public Action? Writable { get; set; }

    /// <summary>It is over, and not by us: refused, reset, or the peer closed. Nothing is called behind it.</summary>
    public Action? Closed { get; set; }

    /// <summary>Sends what is buffered, and the end behind it. A connection that is being made is given up without a word.</summary>
    public void Close()
    {
        if (_state != State.Established)
        {
            Forget();
            return;
        }
        Silence();
        _isEnding = true;
        SendMore();
    }

    /// <summary>Ends it by RST; what is buffered is lost.</summary>
    public void Abort()
    {
        if (_state == State.Established) Transmit(TcpFlags.Reset | TcpFlags.Acknowledgment, _next, []);
        Forget();
    }

    internal void Open()
    {
        Transmit(TcpFlags.Syn, _unacknowledged, []);
        Arm();
    }

    internal void Accept(TcpHeader syn, Action<TcpSocket> accept)
    {
        _accept = accept;
        _expected = syn.Sequence + 1;
        AnswerSyn();
        Arm();
    }

    internal void Refuse() => End();

    /// <summary>It is gone, and nobody is told.</summary>
    internal void Forget()
    {
        Silence();
        _state = State.Closed;
        _timer++;
        _stack.Remove(this);
    }

    internal void HandleSegment(TcpHeader header, ReadOnlyMemory<byte> payload)
    {
        if (header.Has(TcpFlags.Reset)) HandleReset(header);
        else if (_state == State.SynSent) HandleWhileConnecting(header);
        else if (_state == State.SynReceived && !TryEstablish(header)) return;
        else if (_state == State.Established) HandleStream(header, payload);
    }

    // RFC 9293 §3.10.7.3: before the peer's SYN only what acknowledges ours is believed; later, what is next in the window.
    private void HandleReset(TcpHeader header)
    {
        if (_state == State.SynSent ? header.Has(TcpFlags.Acknowledgment) && header.Acknowledgment == _next : header.Sequence == _expected) End();
    }

    private void HandleWhileConnecting(TcpHeader header)
    {
        if (header.Has(TcpFlags.Acknowledgment) && header.Acknowledgment != _next)
        {
            // It answers a SYN of an earlier socket.
            _stack.Send(Port, Remote, TimeToLive, new TcpHeader(TcpFlags.Reset, header.Acknowledgment, 0), []);
        }
        else if (header.Has(TcpFlags.Syn))
        {
            _expected = header.Sequence + 1;
            if (header.Has(TcpFlags.Acknowledgment)) Establish();
            else AnswerSyn(); // §3.5: simultaneous open
        }
    }

    private bool TryEstablish(TcpHeader header)
    {
        if (header.Has(TcpFlags.Acknowledgment) && header.Acknowledgment == _next)
        {
            Establish();
            return !header.Has(TcpFlags.Syn);
        }
        if (header.Has(TcpFlags.Acknowledgment)) _stack.Send(Port, Remote, TimeToLive, new TcpHeader(TcpFlags.Reset, header.Acknowledgment, 0), []);
        else if (header.Has(TcpFlags.Syn)) AnswerSyn();
        return false;
    }

    private void AnswerSyn()
    {
        _state = State.SynReceived;
        Transmit(TcpFlags.Syn | TcpFlags.Acknowledgment, _unacknowledged, []);
    }

    private void Establish()
    {
        var isConnecting = _state == State.SynSent;
        _state = State.Established;
        _unacknowledged = _next;
        _roundTrip = _timeout == FirstTimeout ? _stack.Now - _openedAt : FirstTimeout;
        _timeout = LeastTimeout + _roundTrip;
        _timer++;
        if (isConnecting) Acknowledge();
        if (_accept is { } accept)
        {
            _accept = null;
            accept(this);
        }
        else
        {
            Connected?.Invoke();
        }
    }

    private void End()
    {
        var closed = Closed;
        Forget();
        closed?.Invoke();
    }

    private void Silence() => (Connected, Received, Writable, Closed, _accept) = (null, null, null, null, null);

    private void Acknowledge() => Transmit(TcpFlags.Acknowledgment, _next, []);

    private void Transmit(TcpFlags flags, uint sequence, ReadOnlySpan<byte> payload) =>
        _stack.Send(Port, Remote, TimeToLive, new TcpHeader(flags, sequence, flags.HasFlag(TcpFlags.Acknowledgment) ? _expected : 0), payload);

    private void Arm()
    {
        var timer = ++_timer;
        _stack.Schedule(_stack.Now + _timeout, () =>
        {
            if (timer == _timer) HandleTimeout();
        });
    }

    private void HandleTimeout()
    {
        _timeout = _timeout * 2 < LongestTimeout ? _timeout * 2 : LongestTimeout;
        switch (_state)
        {
            case State.SynSent: Transmit(TcpFlags.Syn, _unacknowledged, []); break;
            case State.SynReceived: AnswerSyn(); break;
            case State.Established: Recover(); break;
            default: return;
        }
        Arm();
    }
}
