using System.Text;
using Punchline.Protocols.Transport.Streams;

namespace Punchline.Protocols.Transport;

/// <summary>
/// The application's commands on streams: TryOpenStream, Write, CompleteWrites, Read, ResetStream, StopSending; the events
/// are StreamOpened, StreamReadable, StreamWritable, StreamReset, StreamStopped, StreamDelivered and StreamsAvailable. A
/// stream may end by the peer's doing between an event and a command, so that a command on a stream that is gone does
/// nothing; neither does one on the part that a unidirectional stream does not have.
/// </summary>
internal sealed partial class Connection
{
    /// <summary>Bytes of a protocol's name in UTF-8.</summary>
    public const int MaxProtocolLength = 64;

    // Room that is worth an event: an eighth of the buffer, so that a bulk sender is woken a few times a window.
    private const int WritableRoom = SendingPart.BufferLimit / 8;

    private readonly Queue<TransportStream> _sendQueue = new();
    private readonly Queue<TransportStream> _waitingForCredit = new();
    private readonly ReceiveBudget _receiveBudget;
    private ReceiveCredit _receiveCredit;
    private SendCredit _sendCredit;
    private bool _isMaxDataPending;

    /// <summary>Opens a stream, whose first bytes name its protocol and leave at once.</summary>
    /// <param name="protocol">1 to <see cref="MaxProtocolLength"/> bytes in UTF-8.</param>
    /// <param name="direction">Unidirectional: for us to write on only.</param>
    /// <param name="id">The new stream.</param>
    /// <returns>False where the peer allows no more streams for now (StreamsAvailable follows), or the connection is over.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long.</exception>
    public bool TryOpenStream(string protocol, StreamDirection direction, out StreamId id)
    {
        var length = Encoding.UTF8.GetByteCount(protocol);
        if (length is 0 or > MaxProtocolLength) throw new ArgumentException($"A protocol's name has 1 to {MaxProtocolLength} bytes.", nameof(protocol));
        id = default;
        if (IsClosed || !_streams.TryOpen(direction, out var stream)) return false;
        Span<byte> prefix = stackalloc byte[1 + length];
        prefix[0] = (byte)length;
        Encoding.UTF8.GetBytes(protocol, prefix[1..]);
        stream.Sending.Write(prefix);
        Enqueue(stream);
        id = stream.Id;
        return true;
    }

    /// <summary>Queues bytes for sending.</summary>
    /// <returns>
    /// How many were taken. Fewer than given where the stream holds as much as may be on the way (StreamWritable
    /// follows), or none where it takes no more: completed, reset, stopped by the peer, or gone.
    /// </returns>
    public int Write(StreamId id, ReadOnlySpan<byte> bytes)
    {
        if (!_streams.TryGet(id, out var stream)) return 0;
        var accepted = stream.Sending.Write(bytes);
        stream.WantsRoom |= accepted < bytes.Length && stream.Sending.AcceptsWrites;
        if (accepted > 0) Enqueue(stream);
        return accepted;
    }

    /// <summary>Ends the sending part in good order: the peer reads to the end of what was written.</summary>
    public void CompleteWrites(StreamId id)
    {
        if (!_streams.TryGet(id, out var stream)) return;
        stream.Sending.Complete();
        Enqueue(stream);
    }

    /// <summary>Reads bytes that are in order, and so grants the peer room for as many.</summary>
    /// <param name="id">The stream.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="isFinished">True where these bytes are the last: the peer completed its writes. A stream that was reset never finishes.</param>
    /// <returns>How many; 0 where there are none now.</returns>
    public int Read(StreamId id, Span<byte> destination, out bool isFinished)
    {
        isFinished = false;
        if (!_streams.TryGet(id, out var stream)) return 0;
        var length = stream.Receiving.Read(destination, ref _receiveCredit);
        isFinished = stream.Receiving.IsFinished;
        stream.IsReadableRaised = stream.Receiving.HasNews;
        OnConsumed(stream);
        Retire(stream);
        return length;
    }

    /// <summary>Whether <see cref="Read"/> would tell something now: bytes, or their end.</summary>
    public bool IsReadable(StreamId id) => _streams.TryGet(id, out var stream) && stream.Receiving.HasNews;

    /// <summary>Abandons the sending part; what is not yet delivered may be lost.</summary>
    /// <param name="id">The stream.</param>
    /// <param name="code">The application's code, below 2^62.</param>
    public void ResetStream(StreamId id, ulong code)
    {
        if (_streams.TryGet(id, out var stream) && stream.Sending.TryReset(code)) Enqueue(stream);
    }

    /// <summary>Abandons the receiving part: unread bytes are dropped, and the peer is asked to stop.</summary>
    /// <param name="id">The stream.</param>
    /// <param name="code">The application's code, below 2^62.</param>
    public void StopSending(StreamId id, ulong code)
    {
        if (!_streams.TryGet(id, out var stream) || !stream.Receiving.TryStop(code, ref _receiveCredit)) return;
        Enqueue(stream);
        OnConsumed(stream);
        Retire(stream);
    }

    private void Enqueue(TransportStream stream)
    {
        if (stream.IsQueued) return;
        stream.IsQueued = true;
        _sendQueue.Enqueue(stream);
    }

    private void OnConsumed(TransportStream stream)
    {
        _isMaxDataPending |= _receiveCredit.ShouldAnnounce;
        if (stream.Receiving.IsLimitPending) Enqueue(stream);
    }

    private void Retire(TransportStream stream)
    {
        if (stream.Receiving.IsDone) stream.Receiving.Release(_receiveBudget);
        if (stream.IsDone) _streams.Remove(stream);
    }

    private void EndStreams()
    {
        foreach (var stream in _streams.All)
        {
            stream.Sending.Release();
            stream.Receiving.Release(_receiveBudget);
        }
        _receiveCredit.Release(_receiveBudget);
        _streams.Clear();
        _outgoingDatagrams.Dispose();
        _sendQueue.Clear();
        _waitingForCredit.Clear();
    }
}
