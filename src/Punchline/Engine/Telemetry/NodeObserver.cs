using Punchline.Engine.Qlog;
using Punchline.Protocols.Node;
using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Traversal;

namespace Punchline.Engine.Telemetry;

/// <summary>Who sees what an engine's node does: a qlog file where they are asked for, an activity where somebody listens.</summary>
internal sealed class NodeObserver(PeerId self, QlogDirectory? qlog) : INodeObserver
{
    public IAttemptObserver? OnAttempt(PeerId peer, ConnectionRole role, Timestamp now)
    {
        IAttemptObserver? trace = qlog?.Open(peer, role, now);
        if (!PeerActivities.HasListeners) return trace;
        var activity = new ConnectActivity(self, peer);
        return trace is null ? activity : new Both(trace, activity);
    }

    /// <summary>Only the trace goes on to the connection.</summary>
    private sealed class Both(IAttemptObserver trace, ConnectActivity activity) : IAttemptObserver
    {
        public void OnOpener(Endpoint destination, byte timeToLive, int length, Timestamp now)
        {
            trace.OnOpener(destination, timeToLive, length, now);
            activity.OnOpener(destination, timeToLive, length, now);
        }

        public void OnHandshakePacket(byte type, bool isSent, Endpoint remote, int length, Timestamp now)
        {
            trace.OnHandshakePacket(type, isSent, remote, length, now);
            activity.OnHandshakePacket(type, isSent, remote, length, now);
        }

        public IConnectionObserver? OnConnected(Endpoint remote, ulong localConnectionId, ulong remoteConnectionId, Timestamp now)
        {
            activity.OnConnected(remote, localConnectionId, remoteConnectionId, now);
            return trace.OnConnected(remote, localConnectionId, remoteConnectionId, now);
        }

        public void OnFailed(PunchFailure failure, Timestamp now)
        {
            trace.OnFailed(failure, now);
            activity.OnFailed(failure, now);
        }

        public void OnAbandoned()
        {
            trace.OnAbandoned();
            activity.OnAbandoned();
        }
    }
}
