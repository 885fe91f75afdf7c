using System.Diagnostics.CodeAnalysis;

namespace Punchline.Protocols.Transport.Streams;

/// <summary>
/// The streams of a connection and the limits of their number (RFC 9000 §4.6). Unidirectional streams are not in use: we
/// announce none and open none.
/// </summary>
internal sealed class StreamTable(ConnectionRole role, TransportParameters local, TransportParameters remote)
{
    /// <summary>Streams that a peer may hold open at once, whatever the parameters say: bounds what one frame can allocate.</summary>
    public const ulong MaxConcurrentPeerStreams = 1_024;

    private readonly Dictionary<ulong, TransportStream> _streams = [];
    private readonly ulong _peerWindow = Math.Min(local.InitialMaxStreamsBidi, MaxConcurrentPeerStreams);
    private ulong _opened;
    private ulong _openLimit = remote.InitialMaxStreamsBidi;
    private ulong _reportedOpenLimit = ulong.MaxValue;
    private ulong _peerOpened;
    private ulong _peerClosed;
    private ulong _peerLimit = Math.Min(local.InitialMaxStreamsBidi, MaxConcurrentPeerStreams);

    /// <summary>Streams alive.</summary>
    public int Count => _streams.Count;

    /// <summary>A MAX_STREAMS has to be sent, for the first time or again.</summary>
    public bool IsLimitPending { get; set; }

    /// <summary>A STREAMS_BLOCKED has to be sent.</summary>
    public bool IsBlockedPending { get; set; }

    /// <summary>What a STREAMS_BLOCKED reports.</summary>
    public ulong OpenLimit => _openLimit;

    public bool TryGet(StreamId id, [NotNullWhen(true)] out TransportStream? stream) => _streams.TryGetValue(id.Value, out stream);

    public Dictionary<ulong, TransportStream>.ValueCollection All => _streams.Values;

    public bool TryOpen([NotNullWhen(true)] out TransportStream? stream)
    {
        stream = null;
        if (_opened == _openLimit)
        {
            // One frame for each limit that we run into.
            IsBlockedPending |= _reportedOpenLimit != _openLimit;
            _reportedOpenLimit = _openLimit;
            return false;
        }
        stream = new TransportStream(StreamId.Bidirectional(role, _opened++), remote.InitialMaxStreamDataBidiRemote, local.InitialMaxStreamDataBidiLocal)
        {
            IsAnnounced = true,
        };
        _streams.Add(stream.Id.Value, stream);
        return true;
    }

    /// <summary>
    /// Finds the stream that a frame of the peer speaks of; the peer's own one is opened by it, with all lower ones (RFC 9000 §3.2).
    /// </summary>
    /// <param name="id">As received.</param>
    /// <param name="stream">Null, without an error, where the stream has come and gone.</param>
    public TransportError Resolve(StreamId id, out TransportStream? stream)
    {
        stream = null;
        if (id.Opener == role)
        {
            // RFC 9000 §19.8: a frame for "a locally initiated stream that has not yet been created" is STREAM_STATE_ERROR.
            if (!id.IsBidirectional || id.Index >= _opened) return TransportError.StreamStateError;
        }
        else
        {
            if (!id.IsBidirectional || id.Index >= _peerLimit) return TransportError.StreamLimitError;
            for (; _peerOpened <= id.Index; _peerOpened++)
            {
                var opened = new TransportStream(StreamId.Bidirectional(id.Opener, _peerOpened), remote.InitialMaxStreamDataBidiLocal, local.InitialMaxStreamDataBidiRemote);
                _streams.Add(opened.Id.Value, opened);
            }
        }
        _streams.TryGetValue(id.Value, out stream);
        return TransportError.NoError;
    }

    /// <summary>True where the peer now lets us open more streams than before.</summary>
    public bool TryRaiseOpenLimit(ulong limit)
    {
        if (limit <= _openLimit) return false;
        _openLimit = limit;
        IsBlockedPending = false;
        return true;
    }

    /// <summary>A STREAMS_BLOCKED was lost: it is sent again where it still holds.</summary>
    public void OnBlockedLost() => IsBlockedPending = _reportedOpenLimit == _openLimit;

    /// <summary>Forgets a stream whose both parts are done; the peer may then open another in its place.</summary>
    public void Remove(TransportStream stream)
    {
        if (!_streams.Remove(stream.Id.Value) || stream.Id.Opener == role) return;
        _peerClosed++;
        // Announced when half of the places are used up, so that streams opened one by one do not cost a frame each.
        IsLimitPending |= _peerLimit - _peerClosed <= _peerWindow / 2;
    }

    public void Clear() => _streams.Clear();

    /// <summary>The peer's limit, raised to what it should be now: what a MAX_STREAMS announces.</summary>
    public ulong TakeLimit()
    {
        IsLimitPending = false;
        return _peerLimit = _peerClosed + _peerWindow;
    }
}
