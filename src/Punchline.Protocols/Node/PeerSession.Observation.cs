using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport;
using Punchline.Protocols.Transport.Handshake;
using Punchline.Protocols.Transport.Observation;
using Punchline.Protocols.Traversal;

namespace Punchline.Protocols.Node;

// What an observer is told of the way to a connection. Of message 3, which goes out until it is answered, it sees the first.
internal sealed partial class PeerSession
{
    private IAttemptObserver? _attemptObserver;

    // An attempt begins with its first sign, whichever side gives it.
    private IAttemptObserver? Observe(Timestamp now)
    {
        if (_services.Observer is null || _attemptObserver is not null) return _attemptObserver;
        return _attemptObserver = _services.Observer.OnAttempt(Peer, _context.IsInitiator ? ConnectionRole.Initiator : ConnectionRole.Responder, now);
    }

    private IConnectionObserver? ObserveConnected(Endpoint remote, HandshakeResult result, Timestamp now)
    {
        var observer = Observe(now)?.OnConnected(remote, result.LocalConnectionId, result.RemoteConnectionId, now);
        _attemptObserver = null;
        return observer;
    }

    private void ObserveFailed(PunchFailure failure, Timestamp now)
    {
        Observe(now)?.OnFailed(failure, now);
        _attemptObserver = null;
    }

    private void ObserveAbandoned()
    {
        _attemptObserver?.OnAbandoned();
        _attemptObserver = null;
    }
}
