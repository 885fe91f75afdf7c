using System.Diagnostics.CodeAnalysis;
using System.Text;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;

namespace Punchline.Protocols.Rooms;

/// <summary>
/// The messages between us and one other member. Ours wait here until the member has said that it has them, and go out
/// again on a new connection; the member's come out once each, in their order.
/// </summary>
internal sealed class ChatChannel
{
    /// <summary>Messages that a member may leave unacknowledged before no more are taken for it.</summary>
    public const int MaxUndelivered = 4_096;

    /// <summary>Bytes of such messages, at most: 64 of the longest.</summary>
    public const long MaxUndeliveredBytes = 64L * ChatFrame.MaxTextBytes;

    /// <summary>
    /// Events that wait for the owner, or acknowledgements for the member to read them, before nothing more is read: the
    /// member's window closes instead of our memory filling.
    /// </summary>
    public const int MaxPendingEvents = 256;

    // In the order of their sequences; the first _written of them went into the stream of the present connection.
    private readonly List<OutgoingMessage> _undelivered = [];
    private readonly Queue<byte[]> _acknowledgements = new();
    private readonly Queue<ChatEvent> _events = new();
    private ChatFrameReader _incomingFrames = new();
    private ChatFrameReader _answerFrames = new();
    private Connection? _connection;
    private StreamId _outgoing;
    private StreamId? _incoming;
    private long _undeliveredBytes;
    private int _written;
    private int _partWritten;
    private int _acknowledgementPart;
    private ulong _lastReceived;
    private bool _isPaused;

    /// <summary>Messages that the member has not acknowledged.</summary>
    public int Undelivered => _undelivered.Count;

    /// <summary>Bytes of their frames.</summary>
    public long UndeliveredBytes => _undeliveredBytes;

    /// <summary>Acknowledgements that wait for room in the member's stream.</summary>
    public int PendingAcknowledgements => _acknowledgements.Count;

    /// <summary>Whether a message of so many bytes fits.</summary>
    public bool HasRoomFor(int bytes) => _undelivered.Count < MaxUndelivered && _undeliveredBytes + bytes <= MaxUndeliveredBytes;

    /// <summary>Takes a message; <paramref name="sequence"/> must be higher than every earlier one.</summary>
    public void Enqueue(ulong sequence, byte[] frame)
    {
        _undelivered.Add(new OutgoingMessage(sequence, frame));
        _undeliveredBytes += frame.Length;
        Pump();
    }

    /// <summary>
    /// For a member to whom there is no way now: its oldest messages are given up for newer ones, so that it does not keep
    /// the others waiting.
    /// </summary>
    public void MakeRoomFor(int bytes)
    {
        while (_connection is null && !HasRoomFor(bytes) && _undelivered.Count > 0) RemoveOldest();
    }

    /// <summary>
    /// The member started anew: what its older process did not acknowledge is for the new one. What the older one said has
    /// been told by now.
    /// </summary>
    public void TakeOver(ChatChannel older)
    {
        older.Detach();
        _undelivered.AddRange(older._undelivered);
        _undeliveredBytes += older._undeliveredBytes;
        older._undelivered.Clear();
        older._undeliveredBytes = 0;
        Pump();
    }

    /// <summary>A connection stands: what was not acknowledged goes out on it, from the oldest on.</summary>
    public void Attach(Connection connection)
    {
        Detach();
        if (!connection.TryOpenStream(ChatFrame.Protocol, StreamDirection.Bidirectional, out _outgoing)) return;
        _connection = connection;
        Pump();
    }

    /// <summary>The connection is gone; another may come.</summary>
    public void Detach()
    {
        _connection = null;
        _incoming = null;
        _written = 0;
        _partWritten = 0;
        _acknowledgementPart = 0;
        _acknowledgements.Clear();
        _answerFrames = new ChatFrameReader();
        _incomingFrames = new ChatFrameReader();
    }

    /// <summary>The member opened its stream. False where it has one already.</summary>
    public bool TryAccept(StreamId stream)
    {
        if (_incoming is not null) return false;
        _incoming = stream;
        return true;
    }

    /// <summary>Whether a stream of the present connection is the chat's: ours, or the member's.</summary>
    public bool Owns(StreamId stream) => _connection is not null && (stream == _outgoing || stream == _incoming);

    /// <summary>Bytes arrived on one of the channel's streams. False where they break the protocol.</summary>
    public bool TryHandleReadable(StreamId stream)
    {
        if (_connection is null) return true;
        if (stream == _incoming) return TryReadFrames(_connection, stream, _incomingFrames);
        return stream != _outgoing || TryReadFrames(_connection, stream, _answerFrames);
    }

    /// <summary>Reads on where reading stopped because events waited. False where the bytes break the protocol.</summary>
    public bool TryResume() =>
        !_isPaused || IsFull || _connection is null || _incoming is not { } incoming
        || TryReadFrames(_connection, incoming, _incomingFrames);

    /// <summary>Room returned in a stream's buffer.</summary>
    public void HandleWritable() => Pump();

    public bool TryDequeueEvent([NotNullWhen(true)] out ChatEvent? chatEvent) => _events.TryDequeue(out chatEvent);

    private bool IsFull => _events.Count >= MaxPendingEvents || _acknowledgements.Count >= MaxPendingEvents;

    private bool TryReadFrames(Connection connection, StreamId stream, ChatFrameReader frames)
    {
        _isPaused = false;
        while (true)
        {
            if (stream == _incoming && IsFull)
            {
                _isPaused = true;
                return true;
            }
            var read = connection.Read(stream, frames.GetSpan(), out _);
            frames.Advance(read);
            while (frames.TryRead(out var type, out var body))
            {
                if (!TryHandleFrame(stream, type, body)) return false;
            }
            if (frames.IsMalformed) return false;
            if (read == 0) return true;
        }
    }

    private bool TryHandleFrame(StreamId stream, ulong type, ReadOnlySpan<byte> body)
    {
        var reader = new SpanReader(body);
        switch (type)
        {
            case ChatFrame.Message when stream == _incoming:
                if (!reader.TryReadVarInt(out var sequence) || reader.Remaining.Length > ChatFrame.MaxTextBytes) return false;
                // Sent again on a new connection because our acknowledgement was lost: seen, but still to be acknowledged.
                if (sequence > _lastReceived)
                {
                    _lastReceived = sequence;
                    _events.Enqueue(new ChatEvent.Received(sequence, PeerText.Clean(Encoding.UTF8.GetString(reader.Remaining), multiline: true)));
                }
                _acknowledgements.Enqueue(ChatFrame.WriteDelivered(sequence));
                Pump();
                return true;
            case ChatFrame.Delivered when stream == _outgoing:
                return reader.TryReadVarInt(out var delivered) && TryTakeDelivered(delivered);
            default:
                return true;
        }
    }

    private bool TryTakeDelivered(ulong sequence)
    {
        // Streams keep the order, so it is the oldest; anything else was never sent or is acknowledged twice.
        if (_written == 0 || _undelivered[0].Sequence != sequence) return false;
        RemoveOldest();
        _written--;
        _events.Enqueue(new ChatEvent.Delivered(sequence));
        return true;
    }

    private void RemoveOldest()
    {
        _undeliveredBytes -= _undelivered[0].Frame.Length;
        _undelivered.RemoveAt(0);
    }

    private void Pump()
    {
        if (_connection is null) return;
        while (_written < _undelivered.Count)
        {
            var frame = _undelivered[_written].Frame;
            _partWritten += _connection.Write(_outgoing, frame.AsSpan(_partWritten));
            if (_partWritten < frame.Length) break;
            _written++;
            _partWritten = 0;
        }
        while (_incoming is { } incoming && _acknowledgements.TryPeek(out var acknowledgement))
        {
            _acknowledgementPart += _connection.Write(incoming, acknowledgement.AsSpan(_acknowledgementPart));
            if (_acknowledgementPart < acknowledgement.Length) break;
            _acknowledgements.Dequeue();
            _acknowledgementPart = 0;
        }
    }

    private readonly record struct OutgoingMessage(ulong Sequence, byte[] Frame);
}

/// <summary>What a <see cref="ChatChannel"/> tells its owner.</summary>
internal abstract record ChatEvent(ulong Sequence)
{
    /// <summary>A message of the member, its text cleaned for showing.</summary>
    internal sealed record Received(ulong Sequence, string Text) : ChatEvent(Sequence);

    /// <summary>The member has our message.</summary>
    internal sealed record Delivered(ulong Sequence) : ChatEvent(Sequence);
}
