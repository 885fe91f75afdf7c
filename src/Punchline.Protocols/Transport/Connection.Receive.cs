using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Transport.Paths;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport;

/// <summary>From a datagram to its frames.</summary>
internal sealed partial class Connection
{
    private byte[] _opened;

    /// <summary>
    /// Takes a datagram. Its connection id and number are looked at first, for a tag that fails is dear; nothing changes before
    /// the tag has been verified, but the count of forgeries.
    /// </summary>
    /// <returns>Whether it authenticated as a new packet of this connection.</returns>
    public bool HandleDatagram(PathAddress source, ReadOnlySpan<byte> datagram, Timestamp now)
    {
        if (_state is State.Draining or State.Drained || datagram.Length > MaxPacketFrom(source, _local.MaxUdpPayloadSize)) return false;
        if (!PacketHeader.TryRead(datagram, out var header) || !_localIds.Contains(header.ConnectionId)) return false;
        _observedAt = now;
        var number = PacketHeader.Reconstruct(header.TruncatedNumber, _replay.NextExpected);
        if (_replay.HasSeen(number))
        {
            _duplicatesDropped++;
            ObserveDropped(PacketDrop.Duplicate, source.Remote, datagram.Length);
            return false;
        }
        var frames = RoomToOpen(datagram.Length - PacketHeader.Length - PacketHeader.TagLength);
        if (!_opener.TryOpen(datagram, header, number, frames, out var key))
        {
            ObserveDropped(PacketDrop.Unauthentic, source.Remote, datagram.Length);
            if (_opener.IsExhausted) CloseForError(TransportError.AeadLimitReached, FrameType.Padding, "Too many packets failed to authenticate.", now);
            return false;
        }
        var isNewest = number >= _replay.NextExpected;
        _replay.Add(number);
        _packetsReceived++;
        _bytesReceived += (ulong)datagram.Length;
        OnReceivedForTimers(now);
        ObserveReceived(number, frames, source.Remote, datagram.Length);
        if (!TryFollowKeyUpdate(key, number, now)) return true;
        if (_state == State.Closing)
        {
            HandlePacketWhileClosing(frames, now);
            return true;
        }
        var path = OnPacketFrom(source, isNewest, datagram.Length, now);
        var isEliciting = HandleFrames(new PacketContext(source, path, header, datagram.Length, now), frames, out var isNonProbing);
        if (isNewest && _state == State.Active) FollowPeer(path, isNonProbing);
        if (_state == State.Active) _acks.OnReceived(number, isEliciting, _recovery.Rtt.Smoothed, now, source.Local.Carrier == Carrier.Tcp ? datagram.Length : 0);
        ObserveRecovery();
        return true;
    }

    /// <summary>What handlers of frames may want to know of the packet around them.</summary>
    private readonly record struct PacketContext(PathAddress Source, NetworkPath? Path, PacketHeader Header, int Length, Timestamp ReceivedAt);

    // Returns whether any frame asks for an ACK (RFC 9000 §13.2). A frame that breaks the rules ends the connection, and with
    // it the loop.
    private bool HandleFrames(in PacketContext packet, ReadOnlySpan<byte> frames, out bool isNonProbing)
    {
        var isEliciting = isNonProbing = false;
        var reader = new SpanReader(frames);
        while (!reader.IsEmpty && _state == State.Active)
        {
            _ = reader.TryReadByte(out var type);
            var frameType = (FrameType)type;
            isEliciting |= frameType is not (FrameType.Padding or FrameType.Ack or FrameType.AckEcn or FrameType.ConnectionClose or FrameType.ConnectionCloseApplication);
            // RFC 9000 §9.1: "PATH_CHALLENGE, PATH_RESPONSE, NEW_CONNECTION_ID, and PADDING frames are 'probing frames'".
            isNonProbing |= frameType is not (FrameType.PathChallenge or FrameType.PathResponse or FrameType.NewConnectionId or FrameType.Padding);
            // RFC 9000 §12.4: an unknown type is FRAME_ENCODING_ERROR, as is a frame that does not parse.
            if (!TryHandleFrame(ref reader, frameType, packet))
                CloseForError(TransportError.FrameEncodingError, frameType, $"Frame of type 0x{type:x2} is unknown or malformed.", packet.ReceivedAt);
        }
        return isEliciting;
    }

    /// <summary>False where the frame does not parse; what it then does wrong, its handler answers itself.</summary>
    private bool TryHandleFrame(ref SpanReader reader, FrameType type, in PacketContext packet)
    {
        var now = packet.ReceivedAt;
        switch (type)
        {
            case FrameType.Padding or FrameType.Ping:
                return true;
            case FrameType.Ack or FrameType.AckEcn:
                if (!AckFrame.TryRead(ref reader, hasEcnCounts: type == FrameType.AckEcn, out var ack)) return false;
                HandleAck(ack, packet.Header.KeyPhase, now);
                return true;
            case FrameType.NewConnectionId or FrameType.RetireConnectionId:
                return TryHandleConnectionIdFrame(ref reader, type, packet);
            case FrameType.PathChallenge:
                if (!PathFrame.TryRead(ref reader, type, out var challenge)) return false;
                HandlePathChallenge(challenge, packet);
                return true;
            case FrameType.PathResponse:
                if (!PathFrame.TryRead(ref reader, type, out var response)) return false;
                HandlePathResponse(response, now);
                return true;
            case FrameType.Candidates:
                if (!CandidatesFrame.TryRead(ref reader, out var candidates)) return false;
                HandleCandidates(candidates);
                return true;
            case FrameType.ObservedAddress:
                if (!ObservedAddressFrame.TryRead(ref reader, out var observed)) return false;
                HandleObservedAddress(observed);
                return true;
            case FrameType.ConnectionClose or FrameType.ConnectionCloseApplication:
                if (!ConnectionCloseFrame.TryRead(ref reader, type == FrameType.ConnectionCloseApplication, out var close)) return false;
                HandleConnectionClose(close, now);
                return true;
            case FrameType.Datagram or FrameType.DatagramWithLength:
                var before = reader.Remaining.Length;
                if (!DatagramFrame.TryRead(ref reader, type, out var datagram)) return false;
                if (HandleDatagramFrame(datagram, 1 + before - reader.Remaining.Length) is var error and not TransportError.NoError)
                    CloseForError(error, type, "DATAGRAM frame beyond max_datagram_frame_size.", now);
                return true;
            default:
                return TryHandleStreamFrame(ref reader, type, now);
        }
    }

    private void HandleAck(in AckFrame frame, bool keyPhase, Timestamp now)
    {
        // RFC 9000 §13.1: "An endpoint SHOULD treat receipt of an acknowledgment for a packet it did not send as a connection
        // error of type PROTOCOL_VIOLATION".
        if (frame.Largest >= _sealer.NextNumber)
        {
            CloseForError(TransportError.ProtocolViolation, FrameType.Ack, "ACK of a packet that was never sent.", now);
            return;
        }
        if (!TryNoteAcknowledgedKey(frame.Largest, keyPhase))
        {
            CloseForError(TransportError.KeyUpdateError, FrameType.Ack, "ACK of a new key under an old one.", now);
            return;
        }
        var knownAcks = _recovery.OnAck(frame, DecodeAckDelay(frame.Delay), now);
        if (knownAcks != SentPacket.NoAck) _acks.Forget(knownAcks);
    }

    // Above 2^31 the delay is beyond every max_ack_delay (2^14 ms), and the shift could overflow.
    private TimeSpan DecodeAckDelay(ulong encoded) =>
        encoded > int.MaxValue ? TimeSpan.MaxValue : new TimeSpan((long)(encoded << _remote.AckDelayExponent) * TimeSpan.TicksPerMicrosecond);
}
