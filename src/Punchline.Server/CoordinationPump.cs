using System.Buffers;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using Microsoft.Extensions.Logging;
using Punchline.Engine;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Server;

/// <summary>
/// Drives one <see cref="CoordinationServer"/>: one lock, one timer, and for each connection a loop that reads and one
/// that writes. Nothing waits and nothing is logged while the lock is held.
/// </summary>
internal sealed class CoordinationPump : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CoordinationServer _core;
    private readonly Dictionary<long, CoordinationConnection> _connections = [];
    private readonly ConcurrentQueue<Action<ILogger>> _log = new();
    private readonly TimeProvider _time;
    private readonly ServerMetrics _metrics;
    private readonly ILogger _logger;
    private readonly long _origin;
    private readonly ITimer _timer;
    private Timestamp _armedFor = Timestamp.Never;
    private long _lastNumber;
    private bool _stopped;

    public CoordinationPump(ReadOnlySpan<byte> certificateKeyHash, TimeProvider time, ServerMetrics metrics, ILogger logger)
    {
        _core = new CoordinationServer(SystemRandomSource.Instance, certificateKeyHash);
        _time = time;
        _metrics = metrics;
        _logger = logger;
        _origin = time.GetTimestamp();
        _timer = time.CreateTimer(static pump => ((CoordinationPump)pump!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Serves one WebSocket to its end.</summary>
    public async Task RunAsync(WebSocket socket, Endpoint from, string host, PlaceKind kind, byte[] tag, IReadOnlyList<Endpoint> stunServers)
    {
        using var connection = new CoordinationConnection(Interlocked.Increment(ref _lastNumber), socket, _time);
        CoordinationLog.ConnectionOpened(_logger, connection.Number, from);
        lock (_gate)
        {
            if (_stopped) return;
            _connections.Add(connection.Number, connection);
            _core.HandleConnected(connection.Number, from, host, tag, stunServers, Now, kind);
            Drain();
        }
        WriteLog();

        var sending = connection.SendAllAsync();
        var rented = ArrayPool<byte>.Shared.Rent(CoordinationLimits.MaxClientMessageBytes + 1);
        // What is too large for us need not fit: one byte more is enough to see that it is.
        var buffer = rented.AsMemory(0, CoordinationLimits.MaxClientMessageBytes + 1);
        try
        {
            await ReceiveAllAsync(connection, buffer);
        }
        finally
        {
            lock (_gate)
            {
                _core.HandleDisconnected(connection.Number);
                _connections.Remove(connection.Number);
                Drain();
            }
            connection.Close();
            await sending;
            await connection.DrainAsync(buffer);
            ArrayPool<byte>.Shared.Return(rented);
            CoordinationLog.ConnectionEnded(_logger, connection.Number);
        }
    }

    /// <summary>
    /// Tells every connection that the server goes away, by its close; each has 2 s to answer. No member is said to have
    /// left: they find each other again at the next server, and talk on until then.
    /// </summary>
    public void Stop()
    {
        int count;
        lock (_gate)
        {
            _stopped = true;
            count = _connections.Count;
            foreach (var connection in _connections.Values) connection.Close(WebSocketCloseStatus.EndpointUnavailable, "The server stops.");
        }
        CoordinationLog.Stopping(_logger, count);
    }

    public (int Rooms, int Members, int Connections) Count()
    {
        lock (_gate) return (_core.RoomCount, _core.MemberCount, _core.ConnectionCount);
    }

    public void Dispose() => _timer.Dispose();

    private Timestamp Now => new(_time.GetElapsedTime(_origin).Ticks);

    private async Task ReceiveAllAsync(CoordinationConnection connection, Memory<byte> buffer)
    {
        while (await connection.ReceiveAsync(buffer) is { } message)
        {
            if (message.Refusal is { } status)
            {
                CoordinationLog.UnacceptableMessage(_logger, connection.Number, status);
                connection.Close(status, "Messages are text of at most 8,192 bytes.");
                return;
            }
            lock (_gate)
            {
                _core.HandleMessage(connection.Number, buffer.Span[..message.Length], Now);
                Drain();
            }
            WriteLog();
        }
    }

    private void OnTimer()
    {
        lock (_gate)
        {
            // Who is silent now may have heard our goodbye first: nobody is gone but us.
            if (_stopped) return;
            _armedFor = Timestamp.Never;
            _core.HandleTimeout(Now);
            Drain();
        }
        WriteLog();
    }

    /// <summary>Under the lock: takes all that the core has to say to queues that never wait, and arms the timer.</summary>
    private void Drain()
    {
        while (_core.TryDequeueSend(out var number, out var utf8))
        {
            if (!_connections.TryGetValue(number, out var connection) || connection.TryEnqueue(utf8)) continue;
            _log.Enqueue(logger => CoordinationLog.SlowReader(logger, number));
            connection.Abort();
        }
        while (_core.TryDequeueClose(out var number))
        {
            if (_connections.TryGetValue(number, out var connection)) connection.Close();
        }
        while (_core.TryDequeueEvent(out var serverEvent)) _log.Enqueue(logger => Write(logger, serverEvent));

        var next = _core.NextTimeout;
        // A timer that comes early only finds nothing to do: most messages move deadlines back and need no new one.
        if (next >= _armedFor || _stopped) return;
        _armedFor = next;
        var wait = next - Now;
        // One millisecond more, since timers count in whole ones and may come a fraction early.
        _timer.Change(wait > TimeSpan.Zero ? wait + TimeSpan.FromMilliseconds(1) : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    private void WriteLog()
    {
        while (_log.TryDequeue(out var write)) write(_logger);
    }

    private void Write(ILogger logger, CoordinationServerEvent serverEvent)
    {
        switch (serverEvent)
        {
            case CoordinationServerEvent.Joined e: CoordinationLog.Joined(logger, e.Id, e.Address, e.Connection); break;
            case CoordinationServerEvent.Rejoined e: CoordinationLog.Rejoined(logger, e.Id, e.Address, e.Connection); break;
            case CoordinationServerEvent.Replaced e: CoordinationLog.Replaced(logger, e.Id); break;
            case CoordinationServerEvent.Left e: CoordinationLog.Left(logger, e.Id, e.Reason); break;
            case CoordinationServerEvent.Refused e:
                CoordinationLog.Refused(logger, e.Connection, e.Address, e.Code);
                _metrics.CountRefusal(e.Code);
                break;
        }
    }
}
