using System.Diagnostics.CodeAnalysis;

namespace Punchline.Protocols.Transport.Streams;

/// <summary>Which part of a stream a frame of the peer's speaks of.</summary>
internal enum StreamPart : byte
{
    /// <summary>Ours to send on: MAX_STREAM_DATA, STOP_SENDING.</summary>
    Sending,

    /// <summary>The peer's to send on: STREAM, RESET_STREAM, STREAM_DATA_BLOCKED.</summary>
    Receiving,
}

/// <summary>The streams of a connection, of both directions and both openers.</summary>
internal sealed class StreamTable(ConnectionRole role, TransportParameters local, TransportParameters remote)
{
    /// <summary>Streams of a direction that a peer may hold open at once, whatever the parameters say: bounds what one frame can allocate.</summary>
    public const ulong MaxConcurrentPeerStreams = 1_024;

    private readonly Dictionary<ulong, TransportStream> _streams = [];

    public StreamLimits Bidirectional { get; } = new(remote.InitialMaxStreamsBidi, Math.Min(local.InitialMaxStreamsBidi, MaxConcurrentPeerStreams));

    public StreamLimits Unidirectional { get; } = new(remote.InitialMaxStreamsUni, Math.Min(local.InitialMaxStreamsUni, MaxConcurrentPeerStreams));

    /// <summary>Streams alive.</summary>
    public int Count => _streams.Count;

    public Dictionary<ulong, TransportStream>.ValueCollection All => _streams.Values;

    public bool HasPendingFrames =>
        Bidirectional.IsLimitPending || Bidirectional.IsBlockedPending || Unidirectional.IsLimitPending || Unidirectional.IsBlockedPending;

    public StreamLimits Limits(StreamDirection direction) => direction == StreamDirection.Bidirectional ? Bidirectional : Unidirectional;

    public bool TryGet(StreamId id, [NotNullWhen(true)] out TransportStream? stream) => _streams.TryGetValue(id.Value, out stream);

    public bool TryOpen(StreamDirection direction, [NotNullWhen(true)] out TransportStream? stream)
    {
        stream = null;
        if (!Limits(direction).TryOpen(out var index)) return false;
        stream = direction == StreamDirection.Bidirectional
            ? new TransportStream(StreamId.Create(direction, role, index), new SendingPart(remote.InitialMaxStreamDataBidiRemote), new ReceivingPart(local.InitialMaxStreamDataBidiLocal))
            : new TransportStream(StreamId.Create(direction, role, index), new SendingPart(remote.InitialMaxStreamDataUni), ReceivingPart.CreateAbsent());
        stream.IsAnnounced = true;
        _streams.Add(stream.Id.Value, stream);
        return true;
    }

    /// <summary>
    /// Finds the stream that a frame of the peer speaks of; the peer's own one is opened by it, with all lower ones of its
    /// direction (RFC 9000 §3.2).
    /// </summary>
    /// <param name="id">As received.</param>
    /// <param name="part">What the frame is about; a unidirectional stream has only one part (RFC 9000 §19.4 to §19.13).</param>
    /// <param name="stream">Null, without an error, where the stream has come and gone.</param>
    public TransportError Resolve(StreamId id, StreamPart part, out TransportStream? stream)
    {
        stream = null;
        var limits = Limits(id.Direction);
        if (id.Direction == StreamDirection.Unidirectional && (id.Opener == role) != (part == StreamPart.Sending)) return TransportError.StreamStateError;
        if (id.Opener == role)
        {
            // RFC 9000 §19.8: a frame for "a locally initiated stream that has not yet been created" is STREAM_STATE_ERROR.
            if (id.Index >= limits.Opened) return TransportError.StreamStateError;
        }
        else
        {
            if (id.Index >= limits.PeerLimit) return TransportError.StreamLimitError;
            for (; limits.PeerOpened <= id.Index; limits.PeerOpened++) AddPeerStream(StreamId.Create(id.Direction, id.Opener, limits.PeerOpened));
        }
        _streams.TryGetValue(id.Value, out stream);
        return TransportError.NoError;
    }

    /// <summary>Forgets a stream whose both parts are done; the peer may then open another in the place of one of its own.</summary>
    public void Remove(TransportStream stream)
    {
        if (_streams.Remove(stream.Id.Value) && stream.Id.Opener != role) Limits(stream.Id.Direction).OnPeerStreamEnded();
    }

    public void Clear() => _streams.Clear();

    private void AddPeerStream(StreamId id) => _streams.Add(
        id.Value,
        id.Direction == StreamDirection.Bidirectional
            ? new TransportStream(id, new SendingPart(remote.InitialMaxStreamDataBidiLocal), new ReceivingPart(local.InitialMaxStreamDataBidiRemote))
            : new TransportStream(id, SendingPart.CreateAbsent(), new ReceivingPart(local.InitialMaxStreamDataUni)));
}
