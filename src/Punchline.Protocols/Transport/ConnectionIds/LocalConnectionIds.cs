using Punchline.Protocols.Transport.Frames;

namespace Punchline.Protocols.Transport.ConnectionIds;

/// <summary>The ids by which the peer may address us (RFC 9000 §5.1): as many as it can hold, a new one for each that it retires.</summary>
internal sealed class LocalConnectionIds
{
    /// <summary>
    /// Ids that are valid at once, at most: the one in use, the next for each side's change of address, and one for a path
    /// that is only being probed.
    /// </summary>
    public const int MaxActive = 4;

    private readonly IConnectionIdOwner? _owner;
    private readonly List<Issued> _active = new(MaxActive);
    private readonly int _limit;
    private ulong _nextSequence;

    /// <param name="initial">The handshake's.</param>
    /// <param name="owner">Null where there is only that one.</param>
    /// <param name="peerLimit">The peer's active_connection_id_limit.</param>
    public LocalConnectionIds(ulong initial, IConnectionIdOwner? owner, ulong peerLimit)
    {
        _owner = owner;
        _limit = owner is null ? 1 : (int)Math.Min(peerLimit, MaxActive);
        _active.Add(new Issued(_nextSequence++, initial, default, IsPending: false));
        Fill();
    }

    /// <summary>A NEW_CONNECTION_ID has to be sent, for the first time or again.</summary>
    public bool IsPending { get; private set; }

    public bool Contains(ulong id) => IndexOf(id) >= 0;

    /// <summary>The next frame that has to be sent; counts as sent from now on.</summary>
    public bool TryTakePending(out NewConnectionIdFrame frame)
    {
        frame = default;
        var index = _active.FindIndex(issued => issued.IsPending);
        IsPending = index >= 0;
        if (!IsPending) return false;
        var issued = _active[index];
        _active[index] = issued with { IsPending = false };
        frame = new NewConnectionIdFrame(issued.Sequence, RetirePriorTo: 0, issued.Id, issued.Token);
        return true;
    }

    /// <summary>A frame was lost: it is sent again unless the peer has retired the id meanwhile.</summary>
    public void OnLost(ulong sequence)
    {
        var index = _active.FindIndex(issued => issued.Sequence == sequence);
        if (index < 0) return;
        _active[index] = _active[index] with { IsPending = true };
        IsPending = true;
    }

    /// <summary>Takes a RETIRE_CONNECTION_ID that came in a packet to <paramref name="packetId"/>.</summary>
    public TransportError Retire(ulong sequence, ulong packetId)
    {
        // RFC 9000 §19.16: a number greater than any sent before is PROTOCOL_VIOLATION, and so may be the id of the packet itself.
        if (sequence >= _nextSequence) return TransportError.ProtocolViolation;
        var index = _active.FindIndex(issued => issued.Sequence == sequence);
        if (index < 0) return TransportError.NoError;
        if (_active[index].Id == packetId) return TransportError.ProtocolViolation;
        _owner?.RetireConnectionId(_active[index].Id);
        _active.RemoveAt(index);
        Fill();
        return TransportError.NoError;
    }

    /// <summary>The connection is over: no id leads to it any more.</summary>
    public void Release()
    {
        foreach (var issued in _active) _owner?.RetireConnectionId(issued.Id);
        _active.Clear();
        IsPending = false;
    }

    private void Fill()
    {
        while (_owner is not null && _active.Count < _limit)
        {
            var id = _owner.IssueConnectionId(out var token);
            _active.Add(new Issued(_nextSequence++, id, token, IsPending: true));
            IsPending = true;
        }
    }

    private int IndexOf(ulong id)
    {
        for (var i = 0; i < _active.Count; i++)
        {
            if (_active[i].Id == id) return i;
        }
        return -1;
    }

    private readonly record struct Issued(ulong Sequence, ulong Id, ResetToken Token, bool IsPending);
}
