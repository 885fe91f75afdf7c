using Punchline.Protocols.Primitives;

namespace Punchline.Protocols.Node;

// A peer that knocks although we are connected: whether it has lost the connection.
internal sealed partial class PeerSession
{
    /// <summary>
    /// What a connection that stands gets to show that it lives when its peer knocks anew: PROTOCOL §6's silence before a
    /// handshake may take its place. Without it the peer's last opener, overtaken by the handshake, would undo that.
    /// </summary>
    private static readonly TimeSpan DoubtTime = TimeSpan.FromSeconds(2);

    private PathAddress _doubtSource;
    private Timestamp _doubtEnds = Timestamp.Never;

    // The peer knocks with an attempt that we have not seen: either it lost the connection, or this is an opener that the
    // connection overtook. Whether the connection answers tells.
    private void Doubt(PathAddress source, Timestamp now)
    {
        _connection?.Ping();
        _doubtSource = source;
        if (_doubtEnds == Timestamp.Never) _doubtEnds = now + DoubtTime;
    }

    private void EndDoubt(Timestamp now)
    {
        var since = _doubtEnds - DoubtTime;
        _doubtEnds = Timestamp.Never;
        if (!IsConnected || _connection.LastReceived >= since || IsPunching) return;
        StartAttempt(now, now);
        _heardFromPeer = true;
        _punch?.Answer(_doubtSource, now);
    }
}
