using System.Diagnostics;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine.Telemetry;

/// <summary>
/// One attempt to reach a peer as an activity, with the first of each step as its events. Noted within the engine's gate, and made on the thread
/// pool when the attempt has ended, for a listener is the application's code.
/// </summary>
internal sealed class ConnectActivity(PeerId self, PeerId peer) : IAttemptObserver
{
    private readonly DateTimeOffset _startedAt = DateTimeOffset.UtcNow;
    private readonly List<(string Name, DateTimeOffset At)> _steps = [];
    private Endpoint? _remote;
    private string? _cause;

    public void OnOpener(Endpoint destination, byte timeToLive, int length, Timestamp now) => Note("punchline.opener_sent");

    public void OnHandshakePacket(byte type, bool isSent, Endpoint remote, int length, Timestamp now) =>
        Note(isSent ? "punchline.handshake_sent" : "punchline.handshake_received");

    public IConnectionObserver? OnConnected(Endpoint remote, ulong localConnectionId, ulong remoteConnectionId, Timestamp now)
    {
        _remote = remote;
        End();
        return null;
    }

    public void OnFailed(PunchFailure failure, Timestamp now)
    {
        _cause = failure.Cause;
        End();
    }

    // What had no outcome is no attempt to learn from.
    public void OnAbandoned()
    {
    }

    private void Note(string step)
    {
        if (!_steps.Exists(known => known.Name == step)) _steps.Add((step, DateTimeOffset.UtcNow));
    }

    private void End() => ThreadPool.UnsafeQueueUserWorkItem(static ended => ended.attempt.Record(ended.At), (attempt: this, At: DateTimeOffset.UtcNow), preferLocal: false);

    private void Record(DateTimeOffset endedAt)
    {
        using var activity = PeerActivities.Begin(PeerActivities.Connect, _startedAt);
        if (activity is null) return;
        activity.SetTag(PeerActivities.Self, self.ToString()).SetTag(PeerActivities.Peer, peer.ToString());
        foreach (var (name, at) in _steps) activity.AddEvent(new ActivityEvent(name, at));
        if (_remote is { } remote) activity.SetTag("network.peer.address", remote.ToIPAddress().ToString()).SetTag("network.peer.port", (int)remote.Port);
        if (_cause is { } cause) activity.SetStatus(ActivityStatusCode.Error, cause).SetTag(PeerMetrics.ErrorType, cause);
        activity.SetEndTime(endedAt.UtcDateTime);
    }
}
