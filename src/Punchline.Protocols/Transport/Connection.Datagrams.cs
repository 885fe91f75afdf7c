using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Recovery;

namespace Punchline.Protocols.Transport;

/// <summary>
/// Unreliable datagrams (RFC 9221): each in one packet, under congestion control, sent once. Commands: TrySendDatagram,
/// TryReceiveDatagram; DatagramReceived is the event, and what the queues dropped stands in the statistics.
/// </summary>
internal sealed partial class Connection
{
    private readonly DatagramQueue _outgoingDatagrams = new();
    private readonly DatagramQueue _incomingDatagrams = new();

    /// <summary>The longest datagram that can be sent now; 0 where the peer takes none. It follows the path's packet size.</summary>
    public int MaxDatagramSize
    {
        get
        {
            // RFC 9221 §3: the parameter counts the whole frame, with its type and length.
            var frameLength = Math.Min((ulong)(PacketSize - PacketHeader.Length - PacketHeader.TagLength), _remote.MaxDatagramFrameSize);
            return DatagramFrame.MaxDataLength((int)frameLength);
        }
    }

    /// <summary>Queues a datagram, which leaves as soon as congestion control allows it. Where too many wait, the oldest is dropped.</summary>
    /// <returns>False where it is longer than <see cref="MaxDatagramSize"/>, or the connection is over.</returns>
    public bool TrySendDatagram(ReadOnlySpan<byte> datagram)
    {
        if (IsClosed || !PeerTakesDatagrams || datagram.Length > MaxDatagramSize) return false;
        _outgoingDatagrams.Enqueue(datagram);
        return true;
    }

    /// <summary>Takes the oldest datagram that arrived.</summary>
    /// <param name="destination">With room for the largest packet that we take (max_udp_payload_size).</param>
    /// <param name="length">Its length, which may be 0.</param>
    /// <returns>False where there is none: DatagramReceived tells of the next.</returns>
    /// <exception cref="ArgumentException">The datagram is longer than <paramref name="destination"/>; it stays.</exception>
    public bool TryReceiveDatagram(Span<byte> destination, out int length)
    {
        length = 0;
        if (_incomingDatagrams.Count == 0) return false;
        if (_incomingDatagrams.NextLength > destination.Length) throw new ArgumentException($"The datagram has {_incomingDatagrams.NextLength} bytes.", nameof(destination));
        length = _incomingDatagrams.Dequeue(destination);
        return true;
    }

    // RFC 9221 §3 counts type and length: an empty datagram takes two bytes.
    private bool PeerTakesDatagrams => _remote.MaxDatagramFrameSize >= 2;

    // An ACK that need not leave yet must not keep a large datagram from every packet.
    private bool NextDatagramNeedsWholePacket =>
        _outgoingDatagrams.Count > 0 && DatagramFrame.EncodedLength(_outgoingDatagrams.NextLength) > PacketSize - PacketHeader.Length - PacketHeader.TagLength - AckTracker.MaxFrameLength;

    private TransportError HandleDatagramFrame(in DatagramFrame frame, int frameLength)
    {
        // RFC 9221 §3: "An endpoint that receives a DATAGRAM frame that is larger than the value it sent ... MUST terminate
        // the connection with an error of type PROTOCOL_VIOLATION", as for any where it announced none.
        if ((ulong)frameLength > _local.MaxDatagramFrameSize) return TransportError.ProtocolViolation;
        _incomingDatagrams.Enqueue(frame.Data);
        if (_incomingDatagrams.Count == 1) Raise(ConnectionEventKind.DatagramReceived);
        return TransportError.NoError;
    }

    // A path that has shrunk may leave some that fit no more.
    private void DropOversizedDatagrams()
    {
        while (_outgoingDatagrams.Count > 0 && _outgoingDatagrams.NextLength > MaxDatagramSize) _outgoingDatagrams.DropOldest();
    }

    private void WriteDatagrams(ref SpanWriter writer, ref int frames)
    {
        DropOversizedDatagrams();
        while (_outgoingDatagrams.Count > 0 && DatagramFrame.EncodedLength(_outgoingDatagrams.NextLength) <= writer.Free.Length)
        {
            var length = _outgoingDatagrams.NextLength;
            DatagramFrame.WriteHeader(ref writer, length);
            _outgoingDatagrams.Dequeue(writer.Free);
            writer.Advance(length);
            frames = _recovery.RecordFrame(frames, new SentFrame(SentFrameKind.Datagram));
        }
    }
}
