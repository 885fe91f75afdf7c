using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;

namespace Punchline.Simulation.Transfers;

/// <summary>One connection, and the bytes that its initiator sends to its responder on one stream. What arrives is compared as it is read.</summary>
internal sealed class Transfer : IDisposable
{
    // Whole blocks of one pattern, drawn once a transfer: the position in it tells every byte from those around.
    private const int PatternLength = 65_536;

    private readonly byte[] _pattern;
    private readonly byte[] _read = new byte[PatternLength];
    private readonly long _length;
    private StreamId _stream;
    private long _written;

    /// <param name="number">From 0: addresses and keys follow from it.</param>
    /// <param name="length">Bytes to send.</param>
    /// <param name="roundTrip">What the handshake measured.</param>
    /// <param name="random">Its own.</param>
    /// <param name="startsAt">When the handshake ends, and the sending begins.</param>
    /// <param name="parameters">Both sides'.</param>
    public Transfer(int number, long length, TimeSpan roundTrip, IRandomSource random, Timestamp startsAt, TransportParameters parameters)
    {
        _length = length;
        _pattern = random.NextBytes(PatternLength);
        StartsAt = startsAt;
        var keys = (random.NextBytes(32), random.NextBytes(32));
        SenderAddress = Endpoint.FromIPv4(0xc633_6401, (ushort)(1_000 + number));
        ReceiverAddress = Endpoint.FromIPv4(0xcb00_7101, (ushort)(1_000 + number));
        Sender = new Connection(Setup(ConnectionRole.Initiator, keys.Item1, keys.Item2, ReceiverAddress, roundTrip, random, parameters), startsAt);
        Receiver = new Connection(Setup(ConnectionRole.Responder, keys.Item2, keys.Item1, SenderAddress, roundTrip, random, parameters), startsAt);
    }

    public Endpoint SenderAddress { get; }

    public Endpoint ReceiverAddress { get; }

    public Connection Sender { get; }

    public Connection Receiver { get; }

    public Timestamp StartsAt { get; }

    /// <summary>Bytes that arrived in order, as they were sent.</summary>
    public long Delivered { get; private set; }

    /// <summary>When the last byte and the stream's end had been read; null before.</summary>
    public Timestamp? CompletedAt { get; private set; }

    /// <summary>Why there will be no more; null while there may be.</summary>
    public string? Failure { get; private set; }

    /// <summary>Writes as much as the stream takes, and reads all there is.</summary>
    public void Pump(Timestamp now)
    {
        if (now < StartsAt) return;
        if (_written == 0 && Sender.StreamCount == 0 && !Sender.TryOpenStream("transfer", StreamDirection.Bidirectional, out _stream)) return;
        while (_written < _length)
        {
            var at = (int)(_written % PatternLength);
            var accepted = Sender.Write(_stream, _pattern.AsSpan(at, (int)Math.Min(_length - _written, PatternLength - at)));
            if (accepted == 0) break;
            _written += accepted;
            if (_written == _length) Sender.CompleteWrites(_stream);
        }
        Read(now);
        while (Sender.TryDequeueEvent(out _) || Receiver.TryDequeueEvent(out _)) continue;
        Failure ??= (Sender.CloseReason ?? Receiver.CloseReason)?.Text;
    }

    public void Dispose()
    {
        Sender.Dispose();
        Receiver.Dispose();
    }

    private void Read(Timestamp now)
    {
        while (CompletedAt is null)
        {
            var length = Receiver.Read(_stream, _read, out var isFinished);
            var bytes = _read.AsSpan(0, length);
            while (!bytes.IsEmpty)
            {
                var expected = _pattern.AsSpan((int)(Delivered % PatternLength));
                var count = Math.Min(expected.Length, bytes.Length);
                if (!bytes[..count].SequenceEqual(expected[..count])) Failure ??= $"Byte {Delivered} or one of the {count} from there on arrived changed.";
                Delivered += count;
                bytes = bytes[count..];
            }
            if (isFinished && Delivered == _length) CompletedAt = now;
            else if (isFinished) Failure ??= $"The stream ended after {Delivered} of {_length} bytes.";
            if (length == 0 || isFinished) return;
        }
    }

    private static ConnectionSetup Setup(
        ConnectionRole role, byte[] sendKey, byte[] receiveKey, Endpoint remote, TimeSpan roundTrip, IRandomSource random, TransportParameters parameters) => new()
        {
            Role = role,
            SendKey = sendKey,
            ReceiveKey = receiveKey,
            LocalParameters = parameters,
            RemoteParameters = parameters,
            LocalConnectionId = role == ConnectionRole.Initiator ? 1UL : 2,
            RemoteConnectionId = role == ConnectionRole.Initiator ? 2UL : 1,
            Path = remote,
            Random = new SeededRandom(random.NextUInt64()),
            HandshakeRtt = roundTrip,
        };
}
