using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Transport;

/// <summary>What happens because time passes: idle time-out, PINGs, and the deadlines of the other parts.</summary>
internal sealed partial class Connection
{
    private readonly TimeSpan _idleTimeout;
    private Timestamp _idleSince;
    private Timestamp _lastElicitedAt;
    private bool _hasElicitedSinceReceive;
    private bool _isPingPending;

    /// <summary>When <see cref="HandleTimeout"/> is due; <see cref="Timestamp.Never"/> once drained.</summary>
    public Timestamp NextTimeout
    {
        get
        {
            if (_state == State.Drained) return Timestamp.Never;
            if (_state != State.Active) return Timestamp.Min(_closeEndsAt, _closeRepeatsAt);
            var deadline = Timestamp.Min(Timestamp.Min(IdleDeadline, KeepAliveDeadline), Timestamp.Min(MappingDeadline, LivenessDeadline));
            deadline = Timestamp.Min(deadline, Timestamp.Min(Timestamp.Min(SignDeadline, _standbyAt), _awaitsPeerUntil));
            deadline = Timestamp.Min(deadline, Timestamp.Min(_acks.Deadline, _recovery.Deadline));
            deadline = Timestamp.Min(deadline, Timestamp.Min(Timestamp.Min(_challengeDeadline, SilenceDeadline), _opener.Deadline));
            return _isHeldByPacer ? Timestamp.Min(deadline, _recovery.NextPacedSend) : deadline;
        }
    }

    // RFC 9000 §10.1: the effective value is the smaller of both, "at least three times the current Probe Timeout".
    // Deviates: it counts only where something was asked and is unanswered. A connection on which nothing is said is not dead; who keeps it says how
    // often it is asked.
    private Timestamp IdleDeadline
    {
        get
        {
            if (_idleTimeout == TimeSpan.Zero || !_hasElicitedSinceReceive) return Timestamp.Never;
            var least = 3 * _recovery.ProbeTimeout;
            return _idleSince + (_idleTimeout > least ? _idleTimeout : least);
        }
    }

    private Timestamp KeepAliveDeadline =>
        KeepAliveInterval <= TimeSpan.Zero || _isPingPending ? Timestamp.Never : _lastElicitedAt + KeepAliveInterval;

    /// <summary>Sends a PING with the next packet: proof of life, and a round-trip sample, come back with its ACK.</summary>
    public void Ping() => _isPingPending = true;

    public void HandleTimeout(Timestamp now)
    {
        if (_state == State.Drained) return;
        _observedAt = now;
        if (_state != State.Active)
        {
            HandleClosingTimeout(now);
            return;
        }
        if (now >= IdleDeadline)
        {
            EndIdle();
            return;
        }
        HandleKeepAliveTimeout(now);
        _acks.HandleTimeout(now);
        _recovery.HandleTimeout(now);
        _opener.HandleTimeout(now);
        ObserveRecovery();
        HandlePathTimeout(now);
    }

    private void OnReceivedForTimers(Timestamp now)
    {
        LastReceived = now;
        _idleSince = _lastSign = now;
        _hasElicitedSinceReceive = false;
    }

    private void OnElicitingSent(Timestamp now)
    {
        _lastElicitedAt = now;
        // RFC 9000 §10.1: sending restarts the timer only where "no other ack-eliciting packets have been sent since last
        // receiving and processing a packet".
        if (!_hasElicitedSinceReceive) _idleSince = now;
        _hasElicitedSinceReceive = true;
    }

    // RFC 9000 §10.1: zero, or no parameter, means that this side has no time-out.
    private static TimeSpan EffectiveIdleTimeout(TimeSpan local, TimeSpan remote)
    {
        if (local == TimeSpan.Zero) return remote;
        if (remote == TimeSpan.Zero) return local;
        return local < remote ? local : remote;
    }
}
