using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Punchline.Protocols.Coordination;
using Punchline.Protocols.Primitives;

namespace Punchline.Server.Listening;

/// <summary>
/// <see cref="Admission"/> for many threads. As the outermost thing on the port it counts each TCP connection as half
/// open, and hands on a <see cref="ConnectionLease"/> by which it becomes a whole one.
/// </summary>
internal sealed class AdmissionGate(AdmissionLimits limits, IReadOnlyList<IPAddress> trustedProxies, TimeProvider time, ServerMetrics metrics, ILogger logger)
{
    /// <summary>A flood of refusals is logged once in this time.</summary>
    private static readonly TimeSpan WarningInterval = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Admission _core = new(limits);
    private readonly long _origin = time.GetTimestamp();
    private Timestamp _warnAt;
    private int _refusedSinceWarning;

    private Timestamp Now => new(time.GetElapsedTime(_origin).Ticks);

    public async Task HandleAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var from = Endpoint.From((IPEndPoint)connection.RemoteEndPoint!);
        Endpoint? counted = trustedProxies.Contains(from.ToIPAddress()) ? null : from;
        bool isOpen;
        lock (_lock) isOpen = _core.TryOpen(counted, Now);
        if (!isOpen)
        {
            WarnOfRefusal(from);
            return;
        }
        using var lease = new ConnectionLease(this, counted);
        connection.Features.Set(lease);
        await next(connection);
    }

    public bool TryJoin(Endpoint from)
    {
        lock (_lock) return _core.TryJoin(from, Now);
    }

    public AdmissionRefusal? Connect(Endpoint from)
    {
        lock (_lock) return _core.Connect(from, Now);
    }

    public void Disconnect(Endpoint from)
    {
        lock (_lock) _core.Disconnect(from);
    }

    public AdmissionRefusal? Establish(Endpoint? from)
    {
        lock (_lock)
        {
            _core.EndHalfOpen(from);
            // What a proxy carries is counted when it is known who that is.
            return from is { } address ? _core.Connect(address, Now) : null;
        }
    }

    public void EndHalfOpen(Endpoint? from)
    {
        lock (_lock) _core.EndHalfOpen(from);
    }

    private void WarnOfRefusal(Endpoint from)
    {
        metrics.CountRefusal(ServerMetrics.HalfOpenLimit);
        int refused;
        lock (_lock)
        {
            _refusedSinceWarning++;
            if (Now < _warnAt) return;
            _warnAt = Now + WarningInterval;
            (refused, _refusedSinceWarning) = (_refusedSinceWarning, 0);
        }
        ListeningLog.TooManyHalfOpen(logger, refused, from.ToIPAddress());
    }
}

/// <summary>One TCP connection's place; given back when it ends.</summary>
internal sealed class ConnectionLease(AdmissionGate gate, Endpoint? from) : IDisposable
{
    private enum State
    {
        HalfOpen,
        Established,
        Refused,
    }

    private State _state;
    private AdmissionRefusal _refusal;

    /// <summary>A trusted proxy's, which may carry anybody's requests.</summary>
    public bool IsProxys => from is null;

    /// <summary>
    /// The client has said something that we understand. Null: it may stay. Called for each request; only the first counts.
    /// The requests of a connection come one behind the other.
    /// </summary>
    public AdmissionRefusal? Establish()
    {
        if (_state == State.HalfOpen)
        {
            var refusal = gate.Establish(from);
            _state = refusal is null ? State.Established : State.Refused;
            _refusal = refusal ?? default;
        }
        return _state == State.Refused ? _refusal : null;
    }

    public void Dispose()
    {
        if (_state == State.HalfOpen) gate.EndHalfOpen(from);
        else if (_state == State.Established && from is { } address) gate.Disconnect(address);
    }
}
