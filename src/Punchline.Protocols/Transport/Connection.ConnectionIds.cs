using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport;

/// <summary>Several ids for each side (RFC 9000 §5.1), so that who watches two networks does not see one peer go from one to the other.</summary>
internal sealed partial class Connection
{
    private readonly LocalConnectionIds _localIds;
    private readonly RemoteConnectionIds _remoteIds;

    /// <summary>
    /// Our own address has changed, or is about to: from now on packets carry another id of the peer's. False where it has given
    /// us none, and the present one goes on.
    /// </summary>
    public bool TryChangeConnectionId() => !IsClosed && _remoteIds.TryAdvance();

    private bool HasConnectionIdFrames => _localIds.IsPending || _remoteIds.IsPending;

    /// <summary>False where a frame does not parse.</summary>
    private bool TryHandleConnectionIdFrame(ref SpanReader reader, FrameType type, in PacketContext packet)
    {
        TransportError error;
        if (type == FrameType.NewConnectionId)
        {
            if (!NewConnectionIdFrame.TryRead(ref reader, out var added)) return false;
            error = _remoteIds.Add(added);
        }
        else
        {
            if (!RetireConnectionIdFrame.TryRead(ref reader, out var retired)) return false;
            error = _localIds.Retire(retired.Sequence, packet.Header.ConnectionId);
        }
        if (error != TransportError.NoError) CloseForError(error, type, "Frame breaks a rule of connection ids.", packet.ReceivedAt);
        return true;
    }

    private void WriteConnectionIdFrames(ref SpanWriter writer, ref int frames)
    {
        while (_localIds.IsPending && writer.Free.Length >= NewConnectionIdFrame.MaxLength && _localIds.TryTakePending(out var added))
        {
            added.Write(ref writer);
            frames = _recovery.RecordFrame(frames, SentFrame.About(SentFrameKind.NewConnectionId, added.Sequence));
        }
        while (_remoteIds.IsPending && writer.Free.Length >= RetireConnectionIdFrame.MaxLength && _remoteIds.TryTakePending(out var retired))
        {
            retired.Write(ref writer);
            frames = _recovery.RecordFrame(frames, SentFrame.About(SentFrameKind.RetireConnectionId, retired.Sequence));
        }
    }
}
