using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Recovery;
using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Transport;

/// <summary>From what is pending to a packet.</summary>
internal sealed partial class Connection
{
    // Below this, no frame about a stream is begun: the longest of them, RESET_STREAM, fits.
    private const int MinStreamRoom = ResetStreamFrame.MaxLength;

    private const int MinElicitingFrames = StatelessResetResponder.MinTriggerLength - PacketHeader.Length - PacketHeader.TagLength;

    private bool _isHeldByPacer;

    /// <summary>Builds the next packet that may be sent now.</summary>
    /// <param name="now">The time.</param>
    /// <param name="buffer">The packet is built in it: at least <see cref="BasePacketSize"/> bytes; no packet is larger than it.</param>
    /// <param name="transmit">Where to, and the packet's length.</param>
    /// <returns>False where there is nothing to send, or nothing that may be sent yet.</returns>
    public bool TryDequeueTransmit(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        if (buffer.Length < BasePacketSize) throw new ArgumentException($"A packet needs {BasePacketSize} bytes.", nameof(buffer));
        _isHeldByPacer = false;
        _observedAt = now;
        if (_state == State.Active) BeginKeyUpdate(now);
        // RFC 9001 §6.6: before the limit, for the close itself takes packets.
        if (_state == State.Active && _sealer.PacketsLeft <= MaxClosePackets)
            CloseForError(TransportError.AeadLimitReached, FrameType.Padding, "The key has sealed as many packets as it may.", now);
        if (_state != State.Active) return TryWriteClose(buffer, out transmit);
        return TryWritePathPacket(now, buffer, out transmit) || TryWritePathMtuProbe(now, buffer, out transmit) || TryWriteDataPacket(now, buffer, out transmit)
            || TryWriteKeepAlive(now, buffer, out transmit);
    }

    private bool TryWriteDataPacket(Timestamp now, Span<byte> buffer, out Transmit transmit)
    {
        transmit = default;
        if (!HasCarrierRoom) return false;
        var mayElicit = MayElicit(now);
        if (!mayElicit && !_acks.IsDue) return false;
        // What answers a time-out is small: it passes a path that has become a black hole for larger packets.
        var size = _recovery.ProbesPending > 0 ? BasePacketSize : Math.Min(_recovery.PathMtu.PacketSize, buffer.Length);
        var writer = FrameWriter(buffer, size);
        var hasAck = _acks.IsWaiting && (_acks.IsDue || !mayElicit || !NextDatagramNeedsWholePacket) && _acks.TryWrite(ref writer, now);
        var frames = SentFrames.None;
        if (mayElicit)
        {
            WriteConnectionFrames(now, ref writer, ref frames);
            WriteConnectionIdFrames(ref writer, ref frames);
            WriteAnnouncements(ref writer, ref frames);
            WriteDatagrams(ref writer, ref frames);
            WriteStreams(now, ref writer, ref frames);
            // RFC 9002 §6.2.4: a probe elicits an ACK, whether or not there is anything to say.
            if (frames == SentFrames.None && _recovery.ProbesPending > 0) WritePing(ref writer, ref frames);
        }
        if (frames == SentFrames.None)
        {
            _recovery.Congestion.IsApplicationLimited |= mayElicit;
            if (!_acks.IsDue) return false;
        }
        // RFC 9000 §10.3: what asks for an answer is long enough to be answered by a stateless reset.
        if (frames != SentFrames.None && writer.Length < MinElicitingFrames) writer.WriteZeros(MinElicitingFrames - writer.Length); // PADDING
        var number = _sealer.NextNumber;
        if (!TrySend(buffer, writer.Length, Path, out transmit)) return false;
        if (hasAck) _acks.OnSent();
        if (frames == SentFrames.None) return true;
        _recovery.OnSent(number, transmit.Length, frames, hasAck ? _acks.Largest : SentPacket.NoAck, now);
        if (transmit.Length > _recovery.PathMtu.PacketSize - MinStreamRoom) _recovery.PathMtu.OnFullPacketSent();
        OnElicitingSent(now);
        OnAsked(now);
        ObserveRecovery();
        return true;
    }

    private bool MayElicit(Timestamp now)
    {
        if (_recovery.ProbesPending > 0) return true;
        // What there is to say waits for a path that answers; time-outs go on to ask for one.
        if (_isSilent) return false;
        if (_recovery.IsCongested)
        {
            _recovery.Congestion.IsApplicationLimited = false;
            return false;
        }
        if (!_recovery.IsPaced(now)) return true;
        _isHeldByPacer = _sendQueue.Count > 0 || HasConnectionFrames;
        // RFC 9002 §7.8: who waits for the pacer is not application-limited.
        if (_isHeldByPacer) _recovery.Congestion.IsApplicationLimited = false;
        return false;
    }

    private bool HasConnectionFrames => _isPingPending || _isMaxDataPending || _streams.HasPendingFrames || HasConnectionIdFrames || HasAnnouncements || _outgoingDatagrams.Count > 0;

    private void WritePing(ref SpanWriter writer, ref int frames)
    {
        _isPingPending = false;
        writer.WriteByte((byte)FrameType.Ping);
        frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.Ping));
    }

    // At most 1 + 5 × 9 bytes, which fit behind the largest ACK.
    private void WriteConnectionFrames(Timestamp now, ref SpanWriter writer, ref int frames)
    {
        if (_isPingPending) WritePing(ref writer, ref frames);
        if (_isMaxDataPending)
        {
            _isMaxDataPending = false;
            new ConnectionLimitFrame(FrameType.MaxData, _receiveCredit.Raise(now, _recovery.Rtt.Smoothed, _receiveBudget)).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.MaxData));
        }
        WriteStreamLimits(_streams.Bidirectional, FrameType.MaxStreamsBidi, FrameType.StreamsBlockedBidi, ref writer, ref frames);
        WriteStreamLimits(_streams.Unidirectional, FrameType.MaxStreamsUni, FrameType.StreamsBlockedUni, ref writer, ref frames);
    }

    private void WriteStreamLimits(StreamLimits limits, FrameType limitType, FrameType blockedType, ref SpanWriter writer, ref int frames)
    {
        if (limits.IsLimitPending)
        {
            new ConnectionLimitFrame(limitType, limits.TakeLimit()).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(limitType == FrameType.MaxStreamsBidi ? SentFrameKind.MaxStreamsBidi : SentFrameKind.MaxStreamsUni));
        }
        if (limits.IsBlockedPending)
        {
            limits.IsBlockedPending = false;
            new ConnectionLimitFrame(blockedType, limits.OpenLimit).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(blockedType == FrameType.StreamsBlockedBidi ? SentFrameKind.StreamsBlockedBidi : SentFrameKind.StreamsBlockedUni));
        }
    }

    // Each stream in turn gets what is left of the packet, and goes behind the others when it has more.
    private void WriteStreams(Timestamp now, ref SpanWriter writer, ref int frames)
    {
        for (var left = _sendQueue.Count; left > 0 && writer.Free.Length >= MinStreamRoom; left--)
        {
            var stream = _sendQueue.Dequeue();
            stream.IsQueued = false;
            WriteStreamControl(stream, now, ref writer, ref frames);
            WriteStreamData(stream, ref writer, ref frames);
            if (HasMore(stream)) Enqueue(stream);
            else WaitForCredit(stream, ref writer, ref frames);
        }
    }

    private void WriteStreamControl(TransportStream stream, Timestamp now, ref SpanWriter writer, ref int frames)
    {
        if (stream.Sending.IsResetPending && writer.Free.Length >= ResetStreamFrame.MaxLength)
        {
            stream.Sending.ResetSent();
            new ResetStreamFrame(stream.Id, stream.Sending.ResetCode, stream.Sending.FinalSize).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.ResetStream, stream));
        }
        if (stream.Receiving.IsStopPending && writer.Free.Length >= StopSendingFrame.MaxLength)
        {
            stream.Receiving.StopSent();
            new StopSendingFrame(stream.Id, stream.Receiving.StopCode).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.StopSending, stream));
        }
        if (stream.Receiving.IsLimitPending && writer.Free.Length >= StreamLimitFrame.MaxLength)
        {
            new StreamLimitFrame(FrameType.MaxStreamData, stream.Id, stream.Receiving.TakeLimit(now, _recovery.Rtt.Smoothed, _receiveBudget)).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.MaxStreamData, stream));
        }
    }

    private void WriteStreamData(TransportStream stream, ref SpanWriter writer, ref int frames)
    {
        while (writer.Free.Length >= MinStreamRoom)
        {
            var room = StreamFrame.MaxDataLength(writer.Free.Length, stream.Id, stream.Sending.NextOffset);
            if (!stream.Sending.TryTakeSegment(room, _sendCredit.Available, out var segment, out var newBytes)) return;
            _sendCredit.Use(newBytes);
            StreamFrame.WriteHeader(ref writer, stream.Id, segment.Offset, segment.Length, segment.IsFinal);
            stream.Sending.CopyTo(segment, writer.Free);
            writer.Advance(segment.Length);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.Stream, stream, segment));
        }
    }

    private bool HasMore(TransportStream stream) =>
        stream.Sending.IsResetPending || stream.Receiving.IsStopPending || stream.Receiving.IsLimitPending
        || stream.Sending.HasFreeSegment || (stream.Sending.HasNewData && _sendCredit.Available > 0);

    // RFC 9000 §4.1: whoever cannot send for want of credit says so once for each limit.
    private void WaitForCredit(TransportStream stream, ref SpanWriter writer, ref int frames)
    {
        if (writer.Free.Length >= StreamLimitFrame.MaxLength && stream.Sending.TryReportBlocked(out var streamLimit))
        {
            new StreamLimitFrame(FrameType.StreamDataBlocked, stream.Id, streamLimit).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.StreamDataBlocked, stream));
        }
        if (!stream.Sending.HasNewData) return;
        if (writer.Free.Length >= ConnectionLimitFrame.MaxLength && _sendCredit.TryReportBlocked())
        {
            new ConnectionLimitFrame(FrameType.DataBlocked, _sendCredit.Limit).Write(ref writer);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.DataBlocked, stream));
        }
        if (stream.IsWaitingForCredit) return;
        stream.IsWaitingForCredit = true;
        _waitingForCredit.Enqueue(stream);
    }

    void ISentFrameOwner.OnFrameAcknowledged(in SentFrame frame)
    {
        if (frame.Kind == SentFrameKind.RetireConnectionId) _remoteIds.OnAcknowledged(frame.Sequence);
        if (frame.Stream is not { } stream) return;
        switch (frame.Kind)
        {
            case SentFrameKind.Stream:
                OnSegmentAcknowledged(stream, frame.Segment);
                break;
            case SentFrameKind.ResetStream:
                stream.Sending.OnResetAcknowledged();
                Retire(stream);
                break;
            default:
                break;
        }
    }

    private void OnSegmentAcknowledged(TransportStream stream, in StreamSegment segment)
    {
        var wasDone = stream.Sending.IsDone;
        stream.Sending.OnAcknowledged(segment);
        if (!wasDone && stream.Sending.IsDone) Raise(ConnectionEventKind.StreamDelivered, stream.Id);
        if (stream.WantsRoom && stream.Sending.AcceptsWrites && stream.Sending.FreeBuffer >= WritableRoom)
        {
            stream.WantsRoom = false;
            Raise(ConnectionEventKind.StreamWritable, stream.Id);
        }
        Retire(stream);
    }

    // RFC 9000 §13.3: what is sent again is the current state, not the old frame.
    void ISentFrameOwner.OnFrameLost(in SentFrame frame)
    {
        switch (frame.Kind)
        {
            case SentFrameKind.MaxData: _isMaxDataPending = true; break;
            case SentFrameKind.MaxStreamsBidi: _streams.Bidirectional.IsLimitPending = true; break;
            case SentFrameKind.MaxStreamsUni: _streams.Unidirectional.IsLimitPending = true; break;
            case SentFrameKind.StreamsBlockedBidi: _streams.Bidirectional.OnBlockedLost(); break;
            case SentFrameKind.StreamsBlockedUni: _streams.Unidirectional.OnBlockedLost(); break;
            case SentFrameKind.NewConnectionId: _localIds.OnLost(frame.Sequence); break;
            case SentFrameKind.RetireConnectionId: _remoteIds.OnLost(frame.Sequence); break;
            case SentFrameKind.Candidates: _isAnnouncementPending |= frame.Sequence == _announcedGeneration; break;
            case SentFrameKind.ObservedAddress: _isObservedPending |= frame.Sequence == _observedSequence; break;
            case SentFrameKind.DataBlocked: _sendCredit.OnReportLost(); break;
            case SentFrameKind.Stream: frame.Stream!.Sending.OnLost(frame.Segment); break;
            case SentFrameKind.ResetStream: frame.Stream!.Sending.OnResetLost(); break;
            case SentFrameKind.StopSending: frame.Stream!.Receiving.OnStopLost(); break;
            case SentFrameKind.MaxStreamData: frame.Stream!.Receiving.OnLimitLost(); break;
            case SentFrameKind.StreamDataBlocked: frame.Stream!.Sending.OnBlockedReportLost(); break;
            default: break;
        }
        if (frame.Stream is { } stream) Enqueue(stream);
    }

    private static SpanWriter FrameWriter(Span<byte> buffer, int packetSize) =>
        new(buffer[PacketHeader.Length..(packetSize - PacketHeader.TagLength)]);

    private bool TrySend(Span<byte> buffer, int framesLength, PathAddress path, out Transmit transmit)
    {
        transmit = default;
        var length = PacketHeader.Length + framesLength + PacketHeader.TagLength;
        ObserveSent(buffer, framesLength, path.Remote);
        if (!_sealer.TrySeal(buffer[..length], path == Path ? _remoteIds.Current : _remoteIds.Next)) return false;
        _bytesSent += (ulong)length;
        if (path == Path) _lastSentOnPath = _observedAt;
        transmit = new Transmit(path, length);
        return true;
    }
}
