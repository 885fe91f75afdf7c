using System.Text;
using System.Text.Unicode;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Transport;

/// <summary>The peer's frames about streams and flow control.</summary>
internal sealed partial class Connection
{
    private bool TryHandleStreamFrame(ref SpanReader reader, FrameType type, Timestamp now)
    {
        TransportError error;
        switch (type)
        {
            case >= FrameType.Stream and <= FrameType.StreamLast:
                if (!StreamFrame.TryRead(ref reader, (byte)type, out var data)) return false;
                error = HandleData(data);
                break;
            case FrameType.ResetStream:
                if (!ResetStreamFrame.TryRead(ref reader, out var reset)) return false;
                error = HandleReset(reset);
                break;
            case FrameType.StopSending:
                if (!StopSendingFrame.TryRead(ref reader, out var stop)) return false;
                error = HandleStopSending(stop);
                break;
            case FrameType.MaxStreamData or FrameType.StreamDataBlocked:
                if (!StreamLimitFrame.TryRead(ref reader, type, out var streamLimit)) return false;
                error = HandleStreamLimit(streamLimit);
                break;
            case FrameType.MaxData or FrameType.DataBlocked or FrameType.MaxStreamsBidi or FrameType.MaxStreamsUni
                or FrameType.StreamsBlockedBidi or FrameType.StreamsBlockedUni:
                if (!ConnectionLimitFrame.TryRead(ref reader, type, out var limit)) return false;
                HandleConnectionLimit(limit);
                return true;
            default:
                return false;
        }
        if (error != TransportError.NoError) CloseForError(error, type, $"Frame of type 0x{(byte)type:x2} breaks a rule of streams.", now);
        return true;
    }

    private TransportError HandleData(in StreamFrame frame)
    {
        var error = _streams.Resolve(frame.Id, StreamPart.Receiving, out var stream);
        if (stream is null) return error;
        error = stream.Receiving.Receive(frame.Offset, frame.Data, frame.IsFinal, ref _receiveCredit);
        if (error != TransportError.NoError) return error;
        if (stream.IsAnnounced) RaiseReadable(stream);
        else Announce(stream);
        OnConsumed(stream);
        Retire(stream);
        return TransportError.NoError;
    }

    private TransportError HandleReset(in ResetStreamFrame frame)
    {
        var error = _streams.Resolve(frame.Id, StreamPart.Receiving, out var stream);
        if (stream is null) return error;
        var wasDone = stream.Receiving.IsDone || stream.Receiving.IsStopped;
        error = stream.Receiving.ReceiveReset(frame.Code, frame.FinalSize, ref _receiveCredit);
        if (error != TransportError.NoError) return error;
        if (!stream.IsAnnounced) Refuse(stream);
        else if (!wasDone && stream.Receiving.IsReset) Raise(ConnectionEventKind.StreamReset, stream.Id, frame.Code);
        OnConsumed(stream);
        Retire(stream);
        return TransportError.NoError;
    }

    private TransportError HandleStopSending(in StopSendingFrame frame)
    {
        var error = _streams.Resolve(frame.Id, StreamPart.Sending, out var stream);
        if (stream is null) return error;
        // RFC 9000 §3.5: STOP_SENDING is answered by RESET_STREAM, with its code.
        if (!stream.Sending.TryReset(frame.Code)) return TransportError.NoError;
        if (stream.IsAnnounced) Raise(ConnectionEventKind.StreamStopped, stream.Id, frame.Code);
        Enqueue(stream);
        return TransportError.NoError;
    }

    private TransportError HandleStreamLimit(in StreamLimitFrame frame)
    {
        var error = _streams.Resolve(frame.Id, frame.Type == FrameType.MaxStreamData ? StreamPart.Sending : StreamPart.Receiving, out var stream);
        // STREAM_DATA_BLOCKED is for whoever tunes windows; it changes nothing.
        if (stream is not null && frame.Type == FrameType.MaxStreamData && stream.Sending.TryRaiseLimit(frame.Limit)) Enqueue(stream);
        return error;
    }

    private void HandleConnectionLimit(in ConnectionLimitFrame frame)
    {
        switch (frame.Type)
        {
            case FrameType.MaxData when _sendCredit.TryRaise(frame.Limit):
                while (_waitingForCredit.TryDequeue(out var stream))
                {
                    stream.IsWaitingForCredit = false;
                    Enqueue(stream);
                }
                break;
            case FrameType.MaxStreamsBidi when _streams.Bidirectional.TryRaiseOpenLimit(frame.Limit):
            case FrameType.MaxStreamsUni when _streams.Unidirectional.TryRaiseOpenLimit(frame.Limit):
                Raise(ConnectionEventKind.StreamsAvailable);
                break;
            default:
                // The BLOCKED frames are for whoever tunes windows.
                break;
        }
    }

    // PROTOCOL §8: a stream begins with its protocol's name, after one byte that holds the name's length.
    private void Announce(TransportStream stream)
    {
        var receiving = stream.Receiving;
        if (receiving.IsStopped) return;
        Span<byte> prefix = stackalloc byte[1 + MaxProtocolLength];
        if (receiving.Available > 0)
        {
            receiving.Peek(prefix[..1]);
            var length = prefix[0];
            if (length is 0 or > MaxProtocolLength)
            {
                Refuse(stream);
                return;
            }
            if (receiving.Available > length)
            {
                prefix = prefix[..(1 + length)];
                receiving.Peek(prefix);
                if (!Utf8.IsValid(prefix[1..]))
                {
                    Refuse(stream);
                    return;
                }
                receiving.Skip(prefix.Length, ref _receiveCredit);
                stream.IsAnnounced = true;
                Raise(ConnectionEventKind.StreamOpened, stream.Id, text: Encoding.UTF8.GetString(prefix[1..]));
                RaiseReadable(stream);
                return;
            }
        }
        if (receiving.HasAllBytes) Refuse(stream);
    }

    // The application never hears of a stream that names no protocol.
    private void Refuse(TransportStream stream)
    {
        stream.Sending.TryReset(StreamErrorCodes.UnknownProtocol);
        stream.Receiving.TryStop(StreamErrorCodes.UnknownProtocol, ref _receiveCredit);
        Enqueue(stream);
    }

    private void RaiseReadable(TransportStream stream)
    {
        if (stream.IsReadableRaised || !stream.Receiving.HasNews) return;
        stream.IsReadableRaised = true;
        Raise(ConnectionEventKind.StreamReadable, stream.Id);
    }
}
