using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Frames;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Transport.Observation;

namespace Punchline.Engine.Qlog;

/// <summary>
/// Where a node's qlog files go: one for each connection and the attempt before it. Events are put into words within the engine's gate, and written
/// by a thread of their own from a bounded queue: a slow disk costs events, which are counted in the file, and never packets.
/// </summary>
internal sealed class QlogDirectory : IDisposable
{
    /// <summary>Events that wait to be written: at about 300 bytes each, 2.5 MB.</summary>
    public const int MaxQueuedRecords = 8_192;

    /// <summary>Files written at once: four full rooms. Beyond them, connections are not logged.</summary>
    public const int MaxOpenTraces = 256;

    private const int FileBufferBytes = 65_536;

    private readonly string _directory;
    private readonly PeerId _self;
    private readonly int _maxQueuedRecords;
    private readonly Lock _gate = new();
    private readonly Queue<Record> _queue = new();
    private readonly AutoResetEvent _work = new(initialState: false);
    private readonly Thread _writer;
    private int _openTraces;
    private int _lastNumber;
    private bool _isRehearsing;
    private volatile bool _isStopping;

    private readonly record struct Record(QlogFile File, byte[] Rented, int Length, RecordPlace Place);

    /// <exception cref="IOException">The directory cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory cannot be made.</exception>
    public QlogDirectory(string directory, PeerId self, int maxQueuedRecords = MaxQueuedRecords)
    {
        _directory = Path.GetFullPath(directory);
        _self = self;
        _maxQueuedRecords = maxQueuedRecords;
        Json = new Utf8JsonWriter(Buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        AtomicFile.CreateDirectory(_directory);
        Rehearse();
        _writer = new Thread(WriteAll) { Name = "Punchline qlog", IsBackground = true };
        _writer.Start();
    }

    /// <summary>Where traces put a record together, one at a time: the engine's gate sees to that.</summary>
    public ArrayBufferWriter<byte> Buffer { get; } = new(1_024);

    /// <summary>Writes into <see cref="Buffer"/>.</summary>
    public Utf8JsonWriter Json { get; }

    /// <summary>Begins a file. Null where <see cref="MaxOpenTraces"/> are open.</summary>
    public QlogTrace? Open(PeerId peer, ConnectionRole role, Timestamp now, long maxBytes = QlogTrace.MaxBytes)
    {
        lock (_gate)
        {
            if (_openTraces == MaxOpenTraces) return null;
            _openTraces++;
        }
        var vantage = role == ConnectionRole.Initiator ? "client" : "server";
        // Time, process and number make it unique; the peer is there for who looks for it.
        var name = string.Create(
            CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow:yyyyMMdd'T'HHmmss'Z'}-{Environment.ProcessId}-{++_lastNumber}-{peer.ToString()[..8]}_{vantage}.sqlog");
        return new QlogTrace(this, new QlogFile(Path.Combine(_directory, name), FileBufferBytes), _self, peer, role, now, maxBytes);
    }

    /// <summary>Takes a record for a file; false where too many wait.</summary>
    public bool TryWrite(QlogFile file, ReadOnlySpan<byte> record, RecordPlace place)
    {
        if (_isRehearsing) return true;
        var rented = ArrayPool<byte>.Shared.Rent(record.Length);
        record.CopyTo(rented);
        lock (_gate)
        {
            if (place != RecordPlace.Queued || _queue.Count < _maxQueuedRecords)
            {
                if (place == RecordPlace.Last) _openTraces--;
                _queue.Enqueue(new Record(file, rented, record.Length, place));
                rented = null;
            }
        }
        if (rented is null)
        {
            _work.Set();
            return true;
        }
        ArrayPool<byte>.Shared.Return(rented);
        return false;
    }

    /// <summary>Writes what waits, and ends. After the node: what its end says belongs to the files.</summary>
    public void Dispose()
    {
        _isStopping = true;
        _work.Set();
        _writer.Join();
        _work.Dispose();
        Json.Dispose();
    }

    // First use of JSON takes some ten milliseconds, which must not fall into the punch (see Rehearsal).
    private void Rehearse()
    {
        _isRehearsing = true;
        var remote = Endpoint.FromIPv4(0, 0);
        var trace = new QlogTrace(this, new QlogFile("", 0), _self, _self, ConnectionRole.Initiator, default, QlogTrace.MaxBytes);
        trace.OnOpener(remote, timeToLive: 1, length: 1, default);
        trace.OnHandshakePacket(HandshakePacket.Message1, isSent: true, remote, HandshakePacket.Message1Length, default);
        trace.OnConnected(remote, 0, 0, default);
        trace.OnPacketSent(new ObservedPacket(0, [(byte)FrameType.Ping], remote, 0), default);
        trace.OnRecovery(default, default);
        trace.OnForgotten(default);
        _isRehearsing = false;
    }

    private void WriteAll()
    {
        var open = new HashSet<QlogFile>();
        while (true)
        {
            // Asked before the queue: what was queued before the stop is in it.
            var isStopping = _isStopping;
            while (TryTake(out var record))
            {
                record.File.Write(record.Rented.AsSpan(0, record.Length));
                ArrayPool<byte>.Shared.Return(record.Rented);
                open.Add(record.File);
                if (record.Place != RecordPlace.Last) continue;
                open.Remove(record.File);
                record.File.Dispose();
            }
            foreach (var file in open) file.Flush();
            if (isStopping) break;
            _work.WaitOne();
        }
        foreach (var file in open) file.Dispose();
    }

    private bool TryTake(out Record record)
    {
        lock (_gate) return _queue.TryDequeue(out record);
    }
}

/// <summary>What a record is to the queue.</summary>
internal enum RecordPlace : byte
{
    /// <summary>Left out where too many wait.</summary>
    Queued,

    /// <summary>Always taken; at most one a file.</summary>
    Forced,

    /// <summary>Always taken, and the file is closed behind it.</summary>
    Last,
}
