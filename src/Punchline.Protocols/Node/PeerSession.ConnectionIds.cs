using Punchline.Protocols.Primitives;
using Punchline.Protocols.Transport.ConnectionIds;

namespace Punchline.Protocols.Node;

// The ids that lead to the connection, and the tokens that end it.
internal sealed partial class PeerSession : IConnectionIdOwner
{
    private bool _isBeingReplaced;

    /// <summary>A datagram with a token of the peer's: it has lost the connection.</summary>
    public void HandleStatelessReset(ResetToken token, Timestamp now)
    {
        if (_connection is null || !_connection.HandleStatelessReset(token, now)) return;
        DrainConnection(now);
    }

    /// <summary>Our own address may have changed (RFC 9000 §9.5).</summary>
    public void ChangeConnectionId() => _connection?.TryChangeConnectionId();

    ulong IConnectionIdOwner.IssueConnectionId(out ResetToken token)
    {
        var id = _services.Routes.AddConnection(this, _services.Random);
        token = _services.ResetKey.CreateToken(id);
        return id;
    }

    // Who still sends to a connection that another has replaced is about to learn of the other: no reset for that.
    void IConnectionIdOwner.RetireConnectionId(ulong id) => _services.Routes.RemoveConnection(id, isReplaced: _isBeingReplaced);

    void IConnectionIdOwner.WatchResetToken(ResetToken token) => _services.Routes.AddResetToken(token, this);

    void IConnectionIdOwner.UnwatchResetToken(ResetToken token) => _services.Routes.RemoveResetToken(token);
}
