using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Transport.ConnectionIds;

/// <summary>
/// The ids by which we may address the peer (RFC 9000 §5.1): one is in use, the others wait for a change of address. Used in the
/// order of their sequence numbers, so that whatever is below the one in use is over.
/// </summary>
internal sealed class RemoteConnectionIds
{
    /// <summary>Retirements that the peer has not acknowledged: RFC 9000 §5.1.2 asks for twice the limit of active ids at least.</summary>
    public const int MaxRetiring = 4 * LocalConnectionIds.MaxActive;

    private readonly IConnectionIdOwner? _owner;
    private readonly List<Issued> _waiting = [];
    private readonly List<(ulong Sequence, bool IsPending)> _retiring = [];
    private readonly int _limit;
    private Issued _current;
    private ulong _retirePriorTo;

    /// <param name="initial">The handshake's.</param>
    /// <param name="token">That id's.</param>
    /// <param name="owner">Hears of the tokens of ids in use.</param>
    /// <param name="limit">Our active_connection_id_limit.</param>
    public RemoteConnectionIds(ulong initial, ResetToken? token, IConnectionIdOwner? owner, ulong limit)
    {
        _owner = owner;
        _limit = (int)Math.Min(limit, int.MaxValue);
        Use(new Issued(0, initial, token));
    }

    /// <summary>What packets carry now.</summary>
    public ulong Current => _current.Id;

    /// <summary>What packets carry that look for another path, and after the next <see cref="TryAdvance"/> all do; the present one where there is no other.</summary>
    public ulong Next => _waiting.Count > 0 ? _waiting[0].Id : _current.Id;

    /// <summary>Ids that have not been used yet.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>A RETIRE_CONNECTION_ID has to be sent, for the first time or again.</summary>
    public bool IsPending { get; private set; }

    /// <summary>RFC 9000 §10.3.1: only tokens of ids that are in use count.</summary>
    public bool IsResetBy(ResetToken token) => _current.Token == token;

    /// <summary>Takes a NEW_CONNECTION_ID.</summary>
    public TransportError Add(in NewConnectionIdFrame frame)
    {
        var added = new Issued(frame.Sequence, frame.Id, frame.Token);
        // RFC 9000 §19.15: one number with two ids, or one id with two numbers or tokens, is PROTOCOL_VIOLATION.
        if (IsContradictedBy(_current, added)) return TransportError.ProtocolViolation;
        var isKnown = frame.Sequence == _current.Sequence;
        foreach (var issued in _waiting)
        {
            if (IsContradictedBy(issued, added)) return TransportError.ProtocolViolation;
            isKnown |= issued.Sequence == frame.Sequence;
        }
        // §19.15: who sends it later than its retirement is told that it is retired.
        if (frame.Sequence < Math.Max(_retirePriorTo, _current.Sequence)) Retire(frame.Sequence);
        else if (!isKnown) Insert(added);
        RetirePriorTo(frame.RetirePriorTo);
        return 1 + _waiting.Count > _limit || _retiring.Count > MaxRetiring ? TransportError.ConnectionIdLimitError : TransportError.NoError;
    }

    /// <summary>Goes over to the next id, and retires the one in use. False where the peer has given us no other.</summary>
    public bool TryAdvance()
    {
        if (_waiting.Count == 0 || _retiring.Count >= MaxRetiring) return false;
        Advance();
        return true;
    }

    /// <summary>The next frame that has to be sent; counts as sent from now on.</summary>
    public bool TryTakePending(out RetireConnectionIdFrame frame)
    {
        frame = default;
        var index = _retiring.FindIndex(retired => retired.IsPending);
        IsPending = index >= 0;
        if (!IsPending) return false;
        frame = new RetireConnectionIdFrame(_retiring[index].Sequence);
        _retiring[index] = (frame.Sequence, false);
        return true;
    }

    public void OnAcknowledged(ulong sequence) => _retiring.RemoveAll(retired => retired.Sequence == sequence);

    public void OnLost(ulong sequence)
    {
        var index = _retiring.FindIndex(retired => retired.Sequence == sequence);
        if (index < 0) return;
        _retiring[index] = (sequence, true);
        IsPending = true;
    }

    /// <summary>The connection is over: no token ends it any more.</summary>
    public void Release()
    {
        if (_current.Token is { } token) _owner?.UnwatchResetToken(token);
        _current = _current with { Token = null };
    }

    // Where the handshake brought no token, a frame for number 0 may.
    private static bool IsContradictedBy(in Issued known, in Issued added) =>
        known.Sequence == added.Sequence ? known.Id != added.Id || (known.Token is { } token && token != added.Token) : known.Id == added.Id;

    private void Insert(in Issued added)
    {
        var at = _waiting.Count;
        while (at > 0 && _waiting[at - 1].Sequence > added.Sequence) at--;
        _waiting.Insert(at, added);
    }

    private void RetirePriorTo(ulong sequence)
    {
        if (sequence <= _retirePriorTo) return;
        _retirePriorTo = sequence;
        // Without a use of each in between: nobody shall see them.
        while (_waiting.Count > 0 && _waiting[0].Sequence < sequence)
        {
            Retire(_waiting[0].Sequence);
            _waiting.RemoveAt(0);
        }
        // The frame's own id is not retired by it, so that there is one.
        if (_current.Sequence < sequence) Advance();
    }

    private void Advance()
    {
        Retire(_current.Sequence);
        Release();
        var next = _waiting[0];
        _waiting.RemoveAt(0);
        Use(next);
    }

    private void Use(in Issued issued)
    {
        _current = issued;
        if (issued.Token is { } token) _owner?.WatchResetToken(token);
    }

    private void Retire(ulong sequence)
    {
        if (_retiring.Exists(retired => retired.Sequence == sequence)) return;
        _retiring.Add((sequence, true));
        IsPending = true;
    }

    private readonly record struct Issued(ulong Sequence, ulong Id, ResetToken? Token);
}
